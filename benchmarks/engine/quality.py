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
import seaborn as sns
from matplotlib.axes import Axes

from benchmarks.common import machine_name, new_parser, publish
from benchmarks.engine.compare import engine_facts, parse, task_of
from benchmarks.engine.report import COLORS, NAMES
from benchmarks.engine.sides import SIDES, SideProcess, processes
from benchmarks.engine.task import UNETS
from shapednoise.figures.style import curve_color, new_figure, save
from shapednoise.log import log

DEFAULTS = {"cpu": {"images": 512, "reals": 1024}, "cuda": {"images": 2048, "reals": 10_000}}
CHANCE = 0.05  # that a run of two equal sides is called different


def main() -> None:
    parser = new_parser(__doc__)
    parser.add_argument("--unet", choices=UNETS, default="demo", help="network")
    parser.add_argument("--batch-size", type=int, default=16, help="images a training step")
    parser.add_argument("--steps", type=int, default=500, help="training steps")
    parser.add_argument("--window", type=int, default=50, help="steps that a loss is averaged over")
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each side, and sample sets")
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--train-images", type=int, default=50_000, help="of the data set")
    parser.add_argument("--images", type=int, help="a sample set: 512 on a CPU, 2048 on a GPU")
    parser.add_argument("--reals", type=int, help="images they are compared with: 1024, 10000")
    parser.add_argument("--workers", type=int, default=2, help="processes that decode, reference loop")
    arguments = parse(parser, DEFAULTS)
    if arguments.steps < 2 * arguments.window or arguments.seeds < 2:
        parser.error("there must be two windows of steps and two seeds at least")
    began = time.monotonic()
    facts = engine_facts("quality", arguments)
    with tempfile.TemporaryDirectory() as folder:
        warmup = arguments.steps // 10
        task = task_of(arguments, Path(folder), count=arguments.train_images, warmup_steps=warmup)
        with processes(task) as sides:
            losses = train_all(sides, arguments.seeds, arguments.steps)
            dtypes = {name: side.call("dtypes")["result"] for name, side in sides.items()}
            fids = sample_all(sides["ours"], arguments)
    results = {
        **facts,
        "seconds": round(time.monotonic() - began, 1),
        "dtypes": dtypes,
        "losses": agreement(losses, arguments.window),
        "precision": precision(fids, dtypes["ours"]["sample"]),
    }
    publish(arguments.output, "quality", results, report(results), draw)


def train_all(sides: dict[str, SideProcess], seeds: int, steps: int) -> dict[str, list[list[float]]]:
    """Losses of every step: a list a seed, by side."""
    losses: dict[str, list[list[float]]] = {name: [] for name in sides}
    for seed in range(seeds):
        for name, side in sides.items():
            log.warning("%s, seed %d: %d steps ...", name, seed, steps)
            side.call("start_training", seed=seed)
            losses[name].append(side.call("train", steps=steps)["result"]["losses"])
    return losses


def sample_all(library: SideProcess, arguments: argparse.Namespace) -> dict[str, list[float]]:
    """FIDs of sample sets of one model: a list over the sampler's seeds, by precision."""
    fids: dict[str, list[float]] = {"fp32": [], "low": []}
    library.call("start_sampling")
    for seed in range(arguments.seeds):
        for name, found in fids.items():
            log.warning("%d images in %s, seed %d ...", arguments.images, name, seed)
            library.call("sample", count=arguments.images, seed=seed, precision=name)
            scored = library.call("score", reals=arguments.reals, bootstrap=0)["result"]
            found.append(scored["scores"]["fid"])
    return fids


def windows(losses: list[list[float]], window: int) -> np.ndarray:
    """Means over windows of steps, (seeds, windows); what is left at the end is dropped."""
    values = np.array(losses)
    count = values.shape[1] // window
    return values[:, : count * window].reshape(len(values), count, window).mean(2)


def agreement(losses: dict[str, list[list[float]]], window: int) -> dict[str, Any]:
    """Both sides' windows, t of their differences with its bound, and the second half's mean loss."""
    means = {name: windows(losses[name], window) for name in SIDES}
    count = means["ours"].shape[1]
    late = {name: values[:, count // 2 :].mean(1) for name, values in means.items()}
    t, bound = student(means)
    late_t, late_bound = student({name: values[:, None] for name, values in late.items()})
    return {
        "window": window,
        **{name: values.tolist() for name, values in means.items()},
        "t": t.tolist(),
        "t_bound": bound,
        "second_half": {
            **{name: late[name].tolist() for name in ("ours", "reference")},
            "relative_difference": float(late["ours"].mean() / late["reference"].mean() - 1),
            "relative_spread": pooled_deviation(*late.values()) / late["reference"].mean(),
            "t": late_t.item(),
            "t_bound": late_bound,
        },
        "agree": bool(np.all(np.abs(t) <= bound) and abs(late_t.item()) <= late_bound),
    }


def student(means: dict[str, np.ndarray]) -> tuple[np.ndarray, float]:
    """Student's t of the sides' difference in every window, (seeds, windows), and the bound of |t|.

    The largest of all windows exceeds the bound by chance with at most the probability CHANCE.
    """
    t = scipy.stats.ttest_ind(means["ours"], means["reference"])
    return t.statistic, float(scipy.stats.t.ppf(1 - CHANCE / (2 * len(t.statistic)), t.df[0]))


def pooled_deviation(one: np.ndarray, other: np.ndarray) -> float:
    """Standard deviation between seeds, of both sides with as many seeds each."""
    return float(np.sqrt((one.var(ddof=1) + other.var(ddof=1)) / 2))


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


def report(results: dict[str, Any]) -> str:
    """The lines that are printed."""
    losses, found, options = results["losses"], results["precision"], results["options"]
    late = losses["second_half"]
    pairs = zip(found["fids"]["fp32"], found["fids"]["low"], strict=True)
    dtypes = " and ".join(f"{results['dtypes'][side]['train']} ({NAMES[side]})" for side in SIDES)
    return (
        f"{machine_name(results)}; network `{options['unet']}`, {options['steps']} steps of "
        f"{options['batch_size']} images, {options['seeds']} seeds a side; trained in {dtypes}\n"
        f"losses {'agree' if losses['agree'] else 'DIFFER'}: largest |t| of {len(losses['t'])} windows "
        f"{max(map(abs, losses['t'])):.2f}, bound {losses['t_bound']:.2f}\n"
        f"mean loss of the second half: {late['relative_difference']:+.2%} of the reference loop's, spread "
        f"between seeds {late['relative_spread']:.2%} (t {late['t']:.2f}, bound {late['t_bound']:.2f})\n"
        f"FID of {options['images']} images, fp32/{found['low']}, by seed: "
        f"{'  '.join(f'{one:.2f}/{other:.2f}' for one, other in pairs)}\n"
        f"mean difference {found['mean_difference']:+.3f}, spread between seeds "
        f"{found['spread_between_seeds']:.3f}: {'within' if found['within_spread'] else 'BEYOND'} it\n"
        f"{results['seconds']:.0f} s in all\n{results['command']}"
    )


def draw(results: dict[str, Any], paths: list[Path]) -> None:
    """Loss curves with their seeds, t of the differences, FIDs by precision."""
    figure, axes = new_figure(10.5, 3.4, 1, 3)
    loss_curves(axes[0, 0], results["losses"])
    t_curve(axes[0, 1], results["losses"])
    fid_pairs(axes[0, 2], results["precision"], results["options"]["images"])
    sns.despine(figure)
    save(figure, paths)


def loss_curves(ax: Axes, losses: dict[str, Any]) -> None:
    """Mean over seeds, and the range of the seeds as a band."""
    for side in SIDES:
        values = np.array(losses[side])
        steps = losses["window"] * (np.arange(values.shape[1]) + 0.5)
        ax.plot(steps, values.mean(0), "o-", ms=3, color=COLORS[side], label=NAMES[side])
        ax.fill_between(steps, values.min(0), values.max(0), color=COLORS[side], alpha=0.25, lw=0)
    ax.set(yscale="log", xlabel="training step", ylabel=f"loss, mean of {losses['window']} steps")
    ax.legend(title="mean and range of seeds", fontsize="small", title_fontsize="small")


def t_curve(ax: Axes, losses: dict[str, Any]) -> None:
    """t of every window between its bounds."""
    bound = losses["t_bound"]
    steps = losses["window"] * (np.arange(len(losses["t"])) + 0.5)
    ax.axhspan(-bound, bound, color="0.92", lw=0)
    ax.axhline(0, color="black", lw=0.8)
    ax.plot(steps, losses["t"], "o", ms=4, color=COLORS["ours"])
    limit = 1.25 * max(bound, *map(abs, losses["t"]))
    ylabel = "$t$ of (shapednoise \u2212 reference loop)"
    ax.set(ylim=(-limit, limit), xlabel="training step", ylabel=ylabel)
    ax.set_title(f"grey: chance ({1 - CHANCE:.0%} of runs)", fontsize="small")


def fid_pairs(ax: Axes, found: dict[str, Any], images: int) -> None:
    """FID in float32 and in low precision, a line a seed of the sampler."""
    for seed, pair in enumerate(zip(found["fids"]["fp32"], found["fids"]["low"], strict=True)):
        ax.plot([0, 1], pair, "o-", ms=4, color=curve_color(seed), label=f"seed {seed}")
    ax.set_xticks([0, 1], ["fp32", found["low"] if found["low"] != "fp32" else "fp32 again"])
    ax.set(xlim=(-0.3, 1.3), ylabel=f"FID of {images} images")
    ax.ticklabel_format(axis="y", useOffset=False)
    ax.legend(fontsize="small")


if __name__ == "__main__":
    main()
