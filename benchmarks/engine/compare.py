"""The library against a loop written from the recipe: rates, one whole point, memory, side by side.

    python -m benchmarks.engine.compare [--unet paper] [--output results/bench]

Each side runs in a process of its own; the two take turns round by round, so that the machine's noise
hits both alike. Reported are the median rate of each side and the median of the ratios of the rounds.
Prints the table; writes bench.json, bench.pdf and bench.png. The reference is reference.py, ours is
ours.py, the rate of matrix products that both are held against is measured in the same run (machine.py).
"""

import argparse
import os
import shlex
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from benchmarks.engine.plot import draw
from benchmarks.engine.processes import SIDES, SideProcess, in_turn, processes
from benchmarks.engine.report import table
from benchmarks.engine.task import POINT, UNETS, Task, point_of, write_pngs
from shapednoise.diffusion.device import hardware, pick_device
from shapednoise.files import write_json
from shapednoise.log import log
from shapednoise.workflow.provenance import git_state

PACKAGES = ("torch", "torchvision", "diffusers", "torch-fidelity", "numpy", "pillow")
POINT_STEPS = 50  # of sampling, as the paper's points have them
PARTS = ("training", "sampling", "features", "point")
TARGETS = {
    "cpu": {"training": 2.0, "sampling": 2.0, "point": 2.5, "fraction": 0.45},
    "cuda": {"training": 3.0, "sampling": 4.0, "point": 4.0, "fraction": 0.45},
}
DEFAULTS = {
    "cpu": {"rounds": 3, "steps": 1, "warm_up": 1, "sampling_images": 20, "feature_images": 64,
            "fraction": 1 / 500, "workers": 2},
    "cuda": {"rounds": 7, "steps": 20, "warm_up": 10, "sampling_images": 500, "feature_images": 1024,
             "fraction": 1 / 20, "workers": 4},
}  # fmt: skip
NOTES = [
    "Peak memory: tensors on a GPU; on a CPU the resident set of each side's main process, without the "
    "processes that decode the reference's images.",
    "FLOP of one image: a forward pass as torch.utils.flop_counter counts it; training is taken as three.",
    "The rate of matrix products is the best of several sizes and ways, at the start and at the end.",
    "The reference's scores are torch-fidelity's FID, Inception Score, precision and recall, a call each; "
    "ours also have KID, density, coverage and the intervals of all.",
    "Where the weights lack the classification layer the Inception Score is no number (null); torch-fidelity "
    "computes it all the same, and its time is in.",
    "The full point is extrapolated from the rates: training, sampling and features of the images, and the "
    "start; without the arithmetic of the scores, which does not grow as the images do.",
    "A sampling round is all the steps of so many images, at most a batch of each side at once.",
]


def main() -> None:
    """Measure, print, write, draw."""
    arguments = parse()
    began = time.monotonic()
    facts = facts_of(arguments, "compare")
    with tempfile.TemporaryDirectory() as folder:
        results = measure(arguments, Path(folder))
    results = {**facts, "seconds": round(time.monotonic() - began, 1), **results}
    arguments.output.mkdir(parents=True, exist_ok=True)
    write_json(arguments.output / "bench.json", results)
    print(table(results))
    draw(results, [arguments.output / f"bench.{suffix}" for suffix in ("pdf", "png")])
    print(f"written: {arguments.output}/bench.json, bench.pdf, bench.png")


def parse() -> argparse.Namespace:
    """The options; what is not given is as fits the device."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--unet", choices=UNETS, default="paper", help="network")
    add_common_options(parser)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--batch-size", type=int, default=128, help="images a training step")
    parser.add_argument("--rounds", type=int, help="turns of each side: 3 on a CPU, 7 on a GPU")
    parser.add_argument("--steps", type=int, help="training steps a round: 1 on a CPU, 20 on a GPU")
    parser.add_argument("--warm-up", type=int, help="training steps before: 1 on a CPU, 10 on a GPU")
    parser.add_argument("--sampling-steps", type=int, default=POINT_STEPS, help="reverse steps")
    parser.add_argument("--sampling-images", type=int, help="images a round: 20 on a CPU, 500 on a GPU")
    parser.add_argument("--feature-images", type=int, help="images a round: 64 on a CPU, 1024 on a GPU")
    parser.add_argument("--fraction", type=float, help="of the whole point: 1/500 on a CPU, 1/20 on a GPU")
    parser.add_argument("--workers", type=int, help="that decode, reference: 2 on a CPU, 4 on a GPU")
    parser.add_argument("--compile", action="store_true", help="ours by torch.compile")
    arguments = parser.parse_args()
    check_files(parser, arguments)
    fill_in(arguments, DEFAULTS)
    return arguments


def add_common_options(parser: argparse.ArgumentParser) -> None:
    """The options of both benchmarks: machine, noise, files."""
    parser.add_argument("--device", choices=TARGETS, default=pick_device().type)
    parser.add_argument("--threads", type=int, default=cores(), help="of each side")
    parser.add_argument("--strength", type=float, default=-0.4, help="s0 of the squeezed noise")
    parser.add_argument("--array", type=Path, default=Path("data/cifar10/size32/images.npy"))
    parser.add_argument("--weights", type=Path, default=Path("data/weights/inception.pth"))
    parser.add_argument("--output", type=Path, default=Path("results/bench"), help="folder")


def fill_in(arguments: argparse.Namespace, defaults: dict[str, dict[str, Any]]) -> None:
    """Set what was not given to what fits the device."""
    for name, value in defaults[arguments.device].items():
        if getattr(arguments, name) is None:
            setattr(arguments, name, value)


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def check_files(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    """End with a message where images or weights are missing."""
    for file in (arguments.array, arguments.weights):
        if not file.is_file():
            parser.error(f"{file} is not there; `make fetch CONFIG=demo.yaml` or `make demo` brings it")


def facts_of(arguments: argparse.Namespace, module: str) -> dict[str, Any]:
    """What the numbers depend on, and the state of the machine at the start."""
    names = ("array", "weights", "output")
    options = {name: str(value) if name in names else value for name, value in vars(arguments).items()}
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": shlex.join(["python", "-m", f"benchmarks.engine.{module}", *sys.argv[1:]]),
        "load_average_at_start": list(os.getloadavg()),
        "git": git_state(),
        "versions": {"python": sys.version.split()[0], **{name: version(name) for name in PACKAGES}},
        "hardware": hardware() | {"threads": arguments.threads},
        "cuda": torch.version.cuda if arguments.device == "cuda" else None,
        "options": options,
        "targets": TARGETS[arguments.device],
        "notes": NOTES,
    }


def measure(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """All parts that are asked for."""
    counts = point_of(arguments.fraction)
    task = task_of(arguments, counts, folder / "images.pickle")
    write_pngs(Path(task.array), task.count, Path(task.pngs))
    machine = machine_of(task)
    results: dict[str, Any] = {"machine": machine}
    for part in arguments.parts:
        log.warning("%s ...", part)
        results[part] = MEASURES[part](arguments, task)
    before, after = machine["matmul"], machine_of(task)["matmul"]
    machine["matmul"] = {name: max(before[name], after[name], key=lambda m: m["flops"]) for name in before}
    add_fractions(results, machine)
    if set(PARTS) <= results.keys() and arguments.sampling_steps == POINT_STEPS:
        results["full_point"] = full_point(results)
    return results


def task_of(arguments: argparse.Namespace, counts: dict[str, int], pngs: Path) -> Task:
    """What both sides are given."""
    return Task(
        unet=arguments.unet,
        device=arguments.device,
        threads=arguments.threads,
        batch_size=arguments.batch_size,
        steps=-(-POINT["images"] // arguments.batch_size),
        pngs=str(pngs),
        array=str(arguments.array.resolve()),
        count=min(counts["images"], POINT["reals"]),
        weights=str(arguments.weights.resolve()),
        strength=arguments.strength,
        compile=arguments.compile,
        workers=arguments.workers,
    )


def machine_of(task: Task) -> dict[str, Any]:
    """Rates of matrix products (FLOP/s by dtype) and operations of one image."""
    with processes(task, ("machine",)) as found:
        machine = found["machine"]
        return {name: machine.call(name)["result"] for name in ("matmul", "network")}


def training(arguments: argparse.Namespace, task: Task) -> dict[str, Any]:
    """Images a second of training."""
    with processes(task) as sides:
        for side in sides.values():
            side.call("start_training")
            side.call("train", steps=arguments.warm_up)
        answers = in_turn(sides, "train", arguments.rounds, steps=arguments.steps)
        return compared(answers) | {"dtype": dtypes(sides, "train")}


def sampling(arguments: argparse.Namespace, task: Task) -> dict[str, Any]:
    """Images a second of sampling."""
    count, steps = arguments.sampling_images, arguments.sampling_steps
    with processes(task) as sides:
        for side in sides.values():
            side.call("start_sampling")
            side.call("sample", count=count, steps=2)
        answers = in_turn(sides, "sample", arguments.rounds, count=count, steps=steps)
        return compared(answers) | {"dtype": dtypes(sides, "sample"), "steps": steps}


def features(arguments: argparse.Namespace, task: Task) -> dict[str, Any]:
    """Images a second of the network of the scores, in float32."""
    with processes(task) as sides:
        for side in sides.values():
            side.call("start_features")
            side.call("features", count=arguments.feature_images)
        return compared(in_turn(sides, "features", arguments.rounds, count=arguments.feature_images))


def point(arguments: argparse.Namespace, task: Task) -> dict[str, Any]:
    """Seconds of every stage of a point: the sides take turns stage by stage."""
    counts = point_of(arguments.fraction)
    steps = -(-counts["images"] // arguments.batch_size)
    stages = {
        "training": [("start_training", {}), ("train", {"steps": steps})],
        "sampling": [
            ("start_sampling", {}),
            ("sample", {"count": counts["samples"], "steps": arguments.sampling_steps}),
        ],
        "scores": [("score", {"reals": counts["reals"]})],
    }
    with processes(task) as sides:
        seconds = {name: {"start": side.start_seconds} for name, side in sides.items()}
        last = {}
        for stage, calls in stages.items():
            for name, side in sides.items():
                answers = [side.call(method, **options) for method, options in calls]
                seconds[name][stage] = sum(answer["seconds"] for answer in answers)
                last[name] = answers[-1]
    return {"fraction": arguments.fraction, "counts": counts, **point_table(seconds, last)}


def point_table(seconds: dict[str, dict[str, float]], last: dict[str, dict]) -> dict[str, Any]:
    """Sums and ratio; last: the answers of the scores."""
    sums = {name: sum(stages.values()) for name, stages in seconds.items()}
    sides = {
        name: {
            "seconds": seconds[name],
            "sum": sums[name],
            "peak_gb": last[name]["peak_gb"],
            **last[name]["result"],
        }
        for name in SIDES
    }
    return {**sides, "ratio": sums["reference"] / sums["ours"]}


MEASURES = {"training": training, "sampling": sampling, "features": features, "point": point}


def dtypes(sides: dict[str, SideProcess], kind: str) -> dict[str, str]:
    """The numbers that each side's network is computed in."""
    return {name: side.call("dtypes")["result"][kind] for name, side in sides.items()}


def compared(answers: dict[str, list[dict]]) -> dict[str, Any]:
    """Images a second of each side, and ours over the reference's round by round: medians and spread."""
    rates = {name: [one["result"]["images"] / one["seconds"] for one in answers[name]] for name in SIDES}
    ratios = [ours / theirs for ours, theirs in zip(rates["ours"], rates["reference"], strict=True)]
    sides = {
        name: {**spread(rates[name]), "peak_gb": max(one["peak_gb"] for one in answers[name])}
        for name in SIDES
    }
    return {**sides, "ratio": spread(ratios)}


def spread(values: list[float]) -> dict[str, Any]:
    """Median, least and most, and the values."""
    return {
        "median": statistics.median(values),
        "least": min(values),
        "most": max(values),
        "rounds": values,
    }


def add_fractions(results: dict[str, Any], machine: dict[str, Any]) -> None:
    """To each side's training and sampling: its FLOP/s as a share of the measured matrix products."""
    steps = results.get("sampling", {}).get("steps", 0)
    work = {"training": machine["network"]["training"], "sampling": steps * machine["network"]["forward"]}
    for part in work.keys() & results.keys():
        for name in SIDES:
            found, most = results[part][name], machine["matmul"][results[part]["dtype"][name]]["flops"]
            found["flops"] = found["median"] * work[part]
            found["fraction_of_matmul"] = found["flops"] / most


def full_point(results: dict[str, Any]) -> dict[str, Any]:
    """Seconds of the paper's whole point, extrapolated from the rates."""
    samples, reals = POINT["samples"], POINT["reals"]
    extracted = {"reference": 3 * samples + 2 * reals, "ours": samples + reals}
    seconds = {
        name: {
            "start": results["point"][name]["seconds"]["start"],
            "training": POINT["images"] / results["training"][name]["median"],
            "sampling": samples / results["sampling"][name]["median"],
            "features": extracted[name] / results["features"][name]["median"],
        }
        for name in SIDES
    }
    sums = {name: sum(stages.values()) for name, stages in seconds.items()}
    return {
        "counts": POINT,
        **{name: {"seconds": seconds[name], "sum": sums[name]} for name in SIDES},
        "ratio": sums["reference"] / sums["ours"],
    }


if __name__ == "__main__":
    main()
