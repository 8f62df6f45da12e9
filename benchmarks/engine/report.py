"""The table and the figure of a comparison's numbers."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import seaborn as sns
from matplotlib.axes import Axes

from benchmarks.common import machine_name, markdown
from benchmarks.engine.sides import SIDES
from shapednoise.figures.style import curve_color, new_figure, save

NAMES = {"reference": "reference loop", "ours": "shapednoise"}
COLORS = {"reference": curve_color(7), "ours": curve_color(0)}
STAGE_COLORS = {"start": 4, "training": 0, "sampling": 1, "scores": 2, "features": 2}
RATES = {"training": "training", "sampling": "sampling, {steps} steps", "features": "Inception features"}
POINTS = {"point": "{fraction:.3g} of a point", "full_point": "whole point, extrapolated"}


def table(results: dict[str, Any]) -> str:
    """The lines that are printed; Markdown."""
    options, git = results["options"], results["git"]
    rows = [
        *(row for part in RATES if part in results for row in rate_rows(results, part)),
        *(row for part in POINTS if part in results for row in stage_rows(results, part)),
    ]
    matmul = (
        f"{name} {found['flops'] / 1e12:.2f} TFLOP/s ({found['way']}, {found['size']})"
        for name, found in results["machine"]["matmul"].items()
    )
    return (
        f"{machine_name(results)}; network `{options['unet']}`, batch {options['batch_size']}; "
        f"load average at start {results['load_average_at_start'][0]:.2f}\n"
        f"{results['machine']['network']['forward'] / 1e9:.2f} GFLOP an image forward; "
        f"matrix products: {'; '.join(matmul)}\n\n"
        f"{markdown(['', *NAMES.values(), 'ratio', 'target'], rows)}\n\n"
        f"commit {git['commit']}{' (edited)' * git['edited']}; {results['seconds']:.0f} s in all\n"
        f"{results['command']}"
    )


def rate_rows(results: dict[str, Any], part: str) -> Iterator[list[str]]:
    """Images a second, the share of the rate of matrix products, peak memory."""
    found, targets = results[part], results["targets"]
    *rates, ratio = (
        f"{one['median']:#.3g} ({one['least']:#.3g} to {one['most']:#.3g})"
        for one in (*(found[side] for side in SIDES), found["ratio"])
    )
    verdict = against(found["ratio"]["median"], targets.get(part))
    yield [f"{RATES[part].format(**found)}, images/s", *rates, ratio, verdict]
    if "dtype" in found:
        shares = [f"{found[side]['fraction_of_matmul']:.0%} ({found['dtype'][side]})" for side in SIDES]
        target = targets["fraction"] if part == "training" else None
        verdict = against(found["ours"]["fraction_of_matmul"], target)
        yield ["share of the rate of matrix products", *shares, "", verdict]
    yield two_numbers("peak memory, GB", *(found[side]["peak_gb"] for side in SIDES))


def stage_rows(results: dict[str, Any], part: str) -> Iterator[list[str]]:
    """Seconds of a point and of its stages, peak memory."""
    found, ours, reference = (results[part], *(results[part][side] for side in reversed(SIDES)))
    images = "{images} images trained, {samples} drawn, {reals} real".format(**found["counts"])
    [*cells, _] = two_numbers(f"{POINTS[part].format(**found)} ({images}), s", reference["sum"], ours["sum"])
    yield [*cells, against(found["ratio"], results["targets"]["point"] if part == "point" else None)]
    for stage, seconds in reference["seconds"].items():
        yield two_numbers(f"of which {stage}, s", seconds, ours["seconds"][stage])
    if "peak_gb" in ours:
        yield two_numbers("peak memory, GB", reference["peak_gb"], ours["peak_gb"])


def two_numbers(title: str, reference: float, ours: float) -> list[str]:
    """A row of seconds or bytes; its ratio is above one where ours is less."""
    return [title, f"{reference:.4g}", f"{ours:.4g}", f"{reference / ours:.2f}", ""]


def against(value: float, target: float | None) -> str:
    """Whether a target is met, in words."""
    return "" if target is None else f">= {target:g}: {'met' if value >= target else 'missed'}"


def draw(results: dict[str, Any], paths: Sequence[Path]) -> None:
    """Draw what there is of the parts, and save it to each path."""
    panels = [(rate_bars, part) for part in RATES if part in results]
    panels += [(share_bars, "")] if any("dtype" in results.get(part, {}) for part in RATES) else []
    panels += [(stage_bars, part) for part in POINTS if part in results]
    rows = 1 if len(panels) <= 3 else 2
    columns = -(-len(panels) // rows)
    figure, axes = new_figure(3.3 * columns, 3.3 * rows + 0.3, rows, columns)
    for ax, (panel, part) in zip(axes.flat, panels, strict=False):
        panel(ax, results, part)
        ax.set_xlim(-0.5, 2.1)  # room for the targets' names
    for ax in axes.flat[len(panels) :]:
        ax.set_axis_off()
    options = results["options"]
    title = f"{machine_name(results)}: network \u201c{options['unet']}\u201d, batch {options['batch_size']}"
    figure.suptitle(title, fontsize="medium")
    sns.despine(figure)
    save(figure, paths)


def rate_bars(ax: Axes, results: dict[str, Any], part: str) -> None:
    """Images a second of both sides, the range of the rounds, and the rate that the target asks for."""
    found = results[part]
    rates = [found[side] for side in SIDES]
    medians = [rate["median"] for rate in rates]
    ranges = [[abs(rate[end] - rate["median"]) for rate in rates] for end in ("least", "most")]
    bars = ax.bar(list(NAMES.values()), medians, 0.7, color=list(COLORS.values()), yerr=ranges, capsize=3)
    ax.bar_label(bars, [f"{median:#.3g}" for median in medians], label_type="center", color="white")
    if target := results["targets"].get(part):
        target_line(ax, target * medians[0], f"target {target:g}\u00d7")
    ratio = f"{found['ratio']['median']:.2f}\u00d7, median of the rounds' ratios"
    ax.set_title(f"{RATES[part].format(**found)}\n{ratio}", fontsize="medium")
    ax.set_ylabel("images per second, median and range")


def share_bars(ax: Axes, results: dict[str, Any], _: str) -> None:
    """FLOP/s of training and sampling as a share of the measured matrix products in the same dtype."""
    parts = [name for name in RATES if "dtype" in results.get(name, {})]
    for offset, side in zip((-0.2, 0.2), SIDES, strict=True):
        shares = [100 * results[name][side]["fraction_of_matmul"] for name in parts]
        texts = [
            f"{share:.0f} %\n{results[name]['dtype'][side]}"
            for name, share in zip(parts, shares, strict=True)
        ]
        bars = ax.bar([index + offset for index in range(len(parts))], shares, 0.38, color=COLORS[side])
        ax.bar_label(bars, texts, label_type="center", color="white", fontsize="small")
    if "training" in parts:
        target = 100 * results["targets"]["fraction"]
        target_line(ax, target, f"target {target:.0f} %")
    ax.set(title="share of the rate of\nmatrix products", ylabel="% of measured FLOP/s")
    ax.set_xticks(range(len(parts)), parts)


def stage_bars(ax: Axes, results: dict[str, Any], part: str) -> None:
    """Stacked seconds (or hours) of the stages of a point, and the sum that the target asks for."""
    found = results[part]
    both = [found[side] for side in SIDES]
    unit, seconds = ("hours", 3600) if both[0]["sum"] > 7200 else ("seconds", 1)
    bottoms = [0.0, 0.0]
    for stage in both[0]["seconds"]:
        heights = [one["seconds"][stage] / seconds for one in both]
        color = curve_color(STAGE_COLORS[stage])
        bars = ax.bar(list(NAMES.values()), heights, 0.7, bottoms, color=color, label=stage)
        bottoms = [bottom + height for bottom, height in zip(bottoms, heights, strict=True)]
    ax.bar_label(bars, [f"{bottom:.3g}" for bottom in bottoms], padding=3)
    if part == "point":
        target = results["targets"]["point"]
        target_line(ax, bottoms[0] / target, f"target {target:g}\u00d7")
    ax.set_title(f"{POINTS[part].format(**found)}\n{found['ratio']:.2f}\u00d7", fontsize="medium")
    ax.set_ylabel(unit)
    ax.margins(y=0.1)
    ax.legend(fontsize="x-small", loc="upper right", reverse=True)


def target_line(ax: Axes, value: float, text: str) -> None:
    ax.axhline(value, color="black", lw=1, ls="--")
    ax.text(1, value, text, transform=ax.get_yaxis_transform(), fontsize="x-small", va="bottom", ha="right")
