"""Whether the speed costs quality: losses against the reference's, and low precision against float32.

    python -m benchmarks.engine.quality [--steps 500] [--output results/bench]

A small network is trained by both sides with several seeds. Their losses, as means over windows of
steps, are compared with the spread between seeds: t of the difference in every window, against the
bound that one window of all exceeds by chance in 5 % of such runs. Then the last model of ours draws
images in float32 and in low precision from the same seeds: the difference of FID at the same seed is
held against the spread of FID between seeds. Writes quality.json, quality.pdf and quality.png.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import scipy.stats
from matplotlib.axes import Axes

from benchmarks.engine.compare import add_common_options, check_files, facts_of, fill_in
from benchmarks.engine.plot import COLOURS
from benchmarks.engine.plot import SIDES as NAMES
from benchmarks.engine.processes import SIDES, SideProcess, processes
from benchmarks.engine.report import machine_name
from benchmarks.engine.task import UNETS, Task, write_pngs
from shapednoise.figures.style import curve_colour, new_figure, save
from shapednoise.files import write_json
from shapednoise.log import log

DEFAULTS = {"cpu": {"images": 512, "reals": 1024}, "cuda": {"images": 2048, "reals": 10_000}}
CHANCE = 0.05  # that a run of two equal sides is called different


def main() -> None:
    """Train, draw, compare, print, write."""
    arguments = parse()
    began = time.monotonic()
    facts = facts_of(arguments, "quality")
    with tempfile.TemporaryDirectory() as folder:
        task = task_of(arguments, Path(folder) / "images.pickle")
        write_pngs(Path(task.array), task.count, Path(task.pngs))
        with processes(task) as sides:
            losses = train_all(sides, arguments.seeds, arguments.steps)
            dtypes = {name: side.call("dtypes")["result"] for name, side in sides.items()}
            drawn = draw_all(sides["ours"], arguments)
    results = {
        **{key: facts[key] for key in facts if key not in ("notes", "targets")},
        "seconds": round(time.monotonic() - began, 1),
        "dtypes": dtypes,
        "losses": agreement(losses, arguments.window),
        "precision": precision(drawn, dtypes["ours"]["sample"]),
    }
    arguments.output.mkdir(parents=True, exist_ok=True)
    write_json(arguments.output / "quality.json", results)
    print(table(results))
    draw(results, [arguments.output / f"quality.{suffix}" for suffix in ("pdf", "png")])
    print(f"written: {arguments.output}/quality.json, quality.pdf, quality.png")


def parse() -> argparse.Namespace:
    """The options; what is not given is as fits the device."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--unet", choices=UNETS, default="demo", help="network")
    add_common_options(parser)
    parser.add_argument("--batch-size", type=int, default=16, help="images a training step")
    parser.add_argument("--steps", type=int, default=500, help="training steps")
    parser.add_argument("--window", type=int, default=50, help="steps that a loss is averaged over")
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each side, and sample sets")
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--train-images", type=int, default=50_000, help="of the data set")
    parser.add_argument("--images", type=int, help="a sample set: 512 on a CPU, 2048 on a GPU")
    parser.add_argument("--reals", type=int, help="images they are compared with: 1024, 10000")
    parser.add_argument("--workers", type=int, default=2, help="that decode images, reference")
    arguments = parser.parse_args()
    fill_in(arguments, DEFAULTS)
    if arguments.steps < 2 * arguments.window or arguments.seeds < 2:
        parser.error("there must be two windows of steps and two seeds at least")
    check_files(parser, arguments)
    return arguments


def task_of(arguments: argparse.Namespace, pngs: Path) -> Task:
    """What both sides are given."""
    return Task(
        unet=arguments.unet,
        device=arguments.device,
        threads=arguments.threads,
        batch_size=arguments.batch_size,
        steps=arguments.steps,
        pngs=str(pngs),
        array=str(arguments.array.resolve()),
        count=arguments.train_images,
        weights=str(arguments.weights.resolve()),
        strength=arguments.strength,
        learning_rate=arguments.learning_rate,
        warmup_steps=arguments.steps // 10,
        workers=arguments.workers,
    )


def train_all(sides: dict[str, SideProcess], seeds: int, steps: int) -> dict[str, list[list[float]]]:
    """Losses of every step: a list a seed, by side."""
    losses: dict[str, list[list[float]]] = {name: [] for name in sides}
    for seed in range(seeds):
        for name, side in sides.items():
            log.warning("%s, seed %d: %d steps ...", name, seed, steps)
            side.call("start_training", seed=seed)
            losses[name].append(side.call("train", steps=steps)["result"]["losses"])
    return losses


def draw_all(ours: SideProcess, arguments: argparse.Namespace) -> dict[str, list[float]]:
    """FIDs of sample sets of one model: a list over the sampler's seeds, by precision."""
    fids: dict[str, list[float]] = {"fp32": [], "low": []}
    ours.call("start_sampling")
    for seed in range(arguments.seeds):
        for name, found in fids.items():
            log.warning("%d images in %s, seed %d ...", arguments.images, name, seed)
            ours.call("sample", count=arguments.images, seed=seed, precision=name)
            found.append(ours.call("fid", reals=arguments.reals)["result"]["fid"])
    return fids


def windows(losses: list[list[float]], window: int) -> np.ndarray:
    """Means over windows of steps, (seeds, windows); what is left at the end is dropped."""
    values = np.array(losses)
    count = values.shape[1] // window
    return values[:, : count * window].reshape(len(values), count, window).mean(2)


def agreement(losses: dict[str, list[list[float]]], window: int) -> dict[str, Any]:
    """Both sides' windows, t of their differences with its bound, and the second half's mean loss."""
    ours, theirs = (windows(losses[name], window) for name in ("ours", "reference"))
    t = t_of(ours, theirs)
    freedom = len(ours) + len(theirs) - 2
    half = ours.shape[1] // 2
    late = {
        "ours": ours[:, half:].mean(1, keepdims=True),
        "reference": theirs[:, half:].mean(1, keepdims=True),
    }
    late_t, late_bound = t_of(late["ours"], late["reference"])[0], t_bound(freedom, 1)
    bound = t_bound(freedom, len(t))
    return {
        "window": window,
        "reference": theirs.tolist(),
        "ours": ours.tolist(),
        "t": t.tolist(),
        "t_bound": bound,
        "second_half": {
            **{name: values[:, 0].tolist() for name, values in late.items()},
            "relative_difference": float(late["ours"].mean() / late["reference"].mean() - 1),
            "relative_spread": float(pooled(*late.values())[0] / late["reference"].mean()),
            "t": float(late_t),
            "t_bound": late_bound,
        },
        "agree": bool(np.all(np.abs(t) <= bound) and abs(late_t) <= late_bound),
    }


def pooled(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Standard deviation between seeds in every window, of both sides together."""
    squares = sum(((values - values.mean(0)) ** 2).sum(0) for values in (ours, theirs))
    return np.sqrt(squares / (len(ours) + len(theirs) - 2))


def t_of(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Student's t of the difference of the means over seeds, in every window."""
    error = pooled(ours, theirs) * np.sqrt(1 / len(ours) + 1 / len(theirs))
    return (ours.mean(0) - theirs.mean(0)) / error


def t_bound(freedom: int, windows: int) -> float:
    """|t| that the largest of so many windows exceeds by chance at most with probability CHANCE."""
    return float(scipy.stats.t.ppf(1 - CHANCE / (2 * windows), freedom))


def precision(fids: dict[str, list[float]], low: str) -> dict[str, Any]:
    """FID of low precision less that of float32 at each seed, against FID's spread between seeds."""
    differences = [one - other for one, other in zip(fids["low"], fids["fp32"], strict=True)]
    spread, largest = statistics.stdev(fids["fp32"]), max(map(abs, differences))
    return {
        "low": low,
        "fids": fids,
        "differences": differences,
        "mean_difference": statistics.mean(differences),
        "spread_between_seeds": spread,
        "largest_difference_over_spread": largest / spread,
        "within_spread": statistics.mean(map(abs, differences)) <= spread,
    }


def table(results: dict[str, Any]) -> str:
    """The lines that are printed."""
    losses, found, options = results["losses"], results["precision"], results["options"]
    late = losses["second_half"]
    largest = max(map(abs, losses["t"]))
    fids = "  ".join(
        f"{one:.2f}/{other:.2f}"
        for one, other in zip(found["fids"]["fp32"], found["fids"]["low"], strict=True)
    )
    numbers = " and ".join(f"{results['dtypes'][side]['train']} ({NAMES[side]})" for side in SIDES)
    return "\n".join(
        [
            f"{machine_name(results)}; network `{options['unet']}`, {options['steps']} steps of "
            f"{options['batch_size']} images, {options['seeds']} seeds a side; trained in {numbers}",
            f"losses {'agree' if losses['agree'] else 'DIFFER'}: largest |t| of {len(losses['t'])} windows "
            f"{largest:.2f}, bound {losses['t_bound']:.2f}",
            f"mean loss of the second half: ours {late['relative_difference']:+.2%} of the reference's, "
            f"spread between seeds {late['relative_spread']:.2%} "
            f"(t {late['t']:.2f}, bound {late['t_bound']:.2f})",
            f"FID of {options['images']} images, fp32/{found['low']}, by seed: {fids}",
            f"difference {found['mean_difference']:+.3f} in the mean, at most "
            f"{max(map(abs, found['differences'])):.3f}; spread between seeds "
            f"{found['spread_between_seeds']:.3f}: {'within' if found['within_spread'] else 'BEYOND'} it",
            f"{results['seconds']:.0f} s in all",
            results["command"],
        ]
    )


def draw(results: dict[str, Any], paths: list[Path]) -> None:
    """Loss curves with their seeds, t of the differences, FIDs by precision."""
    figure, axes = new_figure(10.5, 3.4, 1, 3)
    loss_curves(axes[0, 0], results["losses"])
    t_curve(axes[0, 1], results["losses"])
    fid_pairs(axes[0, 2], results["precision"], results["options"]["images"])
    for axis in axes[0]:
        axis.spines[["top", "right"]].set_visible(False)
    save(figure, paths)


def loss_curves(axes: Axes, losses: dict[str, Any]) -> None:
    """Mean over seeds, and the range of the seeds as a band."""
    for side in SIDES:
        values = np.array(losses[side])
        steps = losses["window"] * (np.arange(values.shape[1]) + 0.5)
        axes.plot(steps, values.mean(0), "o-", ms=3, color=COLOURS[side], label=NAMES[side])
        axes.fill_between(steps, values.min(0), values.max(0), color=COLOURS[side], alpha=0.25, lw=0)
    axes.set_yscale("log")
    axes.set_xlabel("training step")
    axes.set_ylabel(f"loss, mean of {losses['window']} steps")
    axes.legend(title="mean and range of seeds", fontsize="small", title_fontsize="small")


def t_curve(axes: Axes, losses: dict[str, Any]) -> None:
    """t of every window between its bounds."""
    bound = losses["t_bound"]
    steps = losses["window"] * (np.arange(len(losses["t"])) + 0.5)
    axes.axhspan(-bound, bound, color="0.92", lw=0)
    axes.axhline(0, color="black", lw=0.8)
    axes.plot(steps, losses["t"], "o", ms=4, color=COLOURS["ours"])
    axes.set_ylim(-1.25 * max(bound, *map(abs, losses["t"])), 1.25 * max(bound, *map(abs, losses["t"])))
    axes.set_xlabel("training step")
    axes.set_ylabel("$t$ of (shapednoise \u2212 reference)")
    axes.set_title(f"grey: chance ({1 - CHANCE:.0%} of runs)", fontsize="small")


def fid_pairs(axes: Axes, found: dict[str, Any], images: int) -> None:
    """FID in float32 and in low precision, a line a seed of the sampler."""
    for seed, pair in enumerate(zip(found["fids"]["fp32"], found["fids"]["low"], strict=True)):
        axes.plot([0, 1], pair, "o-", ms=4, color=curve_colour(seed), label=f"seed {seed}")
    axes.set_xticks([0, 1], ["fp32", found["low"] if found["low"] != "fp32" else "fp32 again"])
    axes.set_xlim(-0.3, 1.3)
    axes.set_ylabel(f"FID of {images} images")
    axes.ticklabel_format(axis="y", useOffset=False)
    axes.legend(fontsize="small")


if __name__ == "__main__":
    main()
