"""Bars of a benchmark: rates, the share of the machine's rate, and the stages of a whole point.

python -m benchmarks.engine.plot results/bench/bench.json
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes

from benchmarks.engine.report import machine_name
from shapednoise.figures.style import curve_colour, new_figure, save
from shapednoise.files import read_json

SIDES = {"reference": "reference loop", "ours": "shapednoise"}
COLOURS = {"reference": curve_colour(7), "ours": curve_colour(0)}
STAGE_COLOURS = {"start": 4, "training": 0, "sampling": 1, "scores": 2, "features": 2}
MOST_IN_A_ROW = 3  # panels
RATES = {"training": "Training", "sampling": "Sampling, {steps} steps", "features": "Inception features"}


def main() -> None:
    """Draw the figure of a JSON file beside it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("results", type=Path, help="bench.json")
    path = parser.parse_args().results
    draw(read_json(path), [path.with_suffix(".pdf"), path.with_suffix(".png")])


def draw(results: dict[str, Any], paths: Sequence[Path]) -> None:
    """Draw what there is of the parts, and save it to each path."""
    panels = list(_panels(results))
    rows = 1 if len(panels) <= MOST_IN_A_ROW else 2
    columns = -(-len(panels) // rows)
    figure, axes = new_figure(3.3 * columns, 3.3 * rows + 0.3, rows, columns)
    for axis, (panel, *arguments) in zip(axes.flat, panels, strict=False):
        panel(axis, results, *arguments)
        axis.spines[["top", "right"]].set_visible(False)
    for axis in axes.flat[len(panels) :]:
        axis.set_axis_off()
    options = results["options"]
    figure.suptitle(
        f"{machine_name(results)}: network \u201c{options['unet']}\u201d, batch {options['batch_size']}",
        fontsize="medium",
    )
    save(figure, paths)


def _panels(results: dict[str, Any]):
    yield from ((rate_bars, part) for part in RATES if part in results)
    if "training" in results or "sampling" in results:
        yield (share_bars,)
    yield from ((stage_bars, part) for part in ("point", "full_point") if part in results)


def rate_bars(axes: Axes, results: dict[str, Any], part: str) -> None:
    """Images a second of both sides, the range of the rounds, and the rate that the target asks for."""
    found = results[part]
    for place, side in enumerate(SIDES):
        rate = found[side]
        error = [[rate["median"] - rate["least"]], [rate["most"] - rate["median"]]]
        axes.bar(place, rate["median"], 0.7, color=COLOURS[side], yerr=error, capsize=3)
        axes.annotate(
            f"{rate['median']:#.3g}", (place, 0), xytext=(0, 5), textcoords="offset points",
            ha="center", color="white", weight="bold",
        )  # fmt: skip
    target = results["targets"].get(part)
    if target:
        _target_line(axes, target * found["reference"]["median"], f"target {target:g}\u00d7")
    axes.set_title(f"{RATES[part].format(**found)}\n{found['ratio']['median']:.2f}\u00d7", fontsize="medium")
    axes.set_ylabel("images per second")
    _name_sides(axes)


def share_bars(axes: Axes, results: dict[str, Any]) -> None:
    """FLOP/s of training and sampling as a share of the measured matrix products in the same numbers."""
    parts = [part for part in ("training", "sampling") if part in results]
    for group, part in enumerate(parts):
        for place, side in enumerate(SIDES):
            share = 100 * results[part][side]["fraction_of_matmul"]
            x = group + 0.4 * (place - 0.5)
            axes.bar(x, share, 0.38, color=COLOURS[side], label=SIDES[side] if not group else None)
            axes.annotate(
                f"{share:.0f} %\n{results[part]['dtype'][side]}", (x, 0), xytext=(0, 5),
                textcoords="offset points", ha="center", color="white", fontsize="small",
            )  # fmt: skip
    target = 100 * results["targets"]["fraction"]
    if "training" in parts:
        _target_line(axes, target, f"target {target:.0f} %")
    axes.set_title("Share of the rate of\nmatrix products", fontsize="medium")
    axes.set_ylabel("% of measured FLOP/s")
    axes.set_xticks(range(len(parts)), parts)
    axes.set_xlim(-0.5, len(parts) + 0.1)


def stage_bars(axes: Axes, results: dict[str, Any], part: str) -> None:
    """Stacked seconds (or hours) of the stages of a point, and the sum that the target asks for."""
    found = results[part]
    unit, seconds = ("hours", 3600) if found["reference"]["sum"] > 7200 else ("seconds", 1)
    for place, side in enumerate(SIDES):
        bottom = 0.0
        for stage, value in found[side]["seconds"].items():
            height, colour = value / seconds, curve_colour(STAGE_COLOURS[stage])
            axes.bar(place, height, 0.7, bottom, color=colour, label=None if place else stage)
            bottom += height
        _number(axes, place, bottom, f"{bottom:.3g}")
    if part == "point":
        target = results["targets"]["point"]
        _target_line(axes, found["reference"]["sum"] / seconds / target, f"target {target:g}\u00d7")
    share = f"1/{1 / found['fraction']:.0f} of a point" if part == "point" else "Whole point, extrapolated"
    axes.set_title(f"{share}\n{found['ratio']:.2f}\u00d7", fontsize="medium")
    axes.set_ylabel(unit)
    axes.margins(y=0.1)
    axes.legend(fontsize="x-small", loc="upper right", reverse=True)
    _name_sides(axes)


def _target_line(axes: Axes, value: float, text: str) -> None:
    axes.axhline(value, color="black", lw=1, ls="--")
    axes.annotate(
        text, (1, value), xycoords=("axes fraction", "data"), xytext=(0, 2), textcoords="offset points",
        fontsize="x-small", va="bottom", ha="right",
    )  # fmt: skip


def _number(axes: Axes, place: float, height: float, text: str) -> None:
    """A number above a bar, readable where a line crosses it."""
    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
    axes.annotate(
        text, (place, height), xytext=(0, 3), textcoords="offset points", ha="center", va="bottom", bbox=box
    )


def _name_sides(axes: Axes) -> None:
    axes.set_xticks(range(len(SIDES)), list(SIDES.values()))
    axes.set_xlim(-0.5, 2.1)


if __name__ == "__main__":
    main()
