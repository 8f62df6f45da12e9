"""The library against a loop written from the recipe: rates, one whole point, memory, side by side.

    python -m benchmarks.engine.compare [--unet paper] [--output results/bench]

Each side runs in a process of its own; the two take turns round by round, so that the machine's noise
hits both alike. Reported are the median rate of each side and the median of the ratios of the rounds.
Prints the table; writes bench.json, bench.pdf and bench.png. The sides are reference.py and library.py
("ours" in the results); the rate of matrix products that both are held against is measured in the same
run (machine.py).
"""

import argparse
import io
import os
import pickle
import statistics
import tempfile
import time
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmarks.common import OUTPUT, facts_of, new_parser, publish
from benchmarks.engine.report import draw, table
from benchmarks.engine.sides import SIDES, in_turn, processes
from benchmarks.engine.task import POINT, UNETS, Task, point_at
from shapednoise.diffusion.device import pick_device
from shapednoise.log import log

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
    "Where the weights lack the classification layer the Inception Score is no number (null); torch-fidelity "
    "computes it all the same, and its time is in.",
    "The full point is extrapolated from the rates, without the arithmetic of the scores.",
]


def main() -> None:
    parser = new_parser(__doc__)
    parser.add_argument("--unet", choices=UNETS, default="paper", help="network")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--batch-size", type=int, default=128, help="images a training step")
    parser.add_argument("--rounds", type=int, help="turns of each side: 3 on a CPU, 7 on a GPU")
    parser.add_argument("--steps", type=int, help="training steps a round: 1 on a CPU, 20 on a GPU")
    parser.add_argument("--warm-up", type=int, help="training steps before: 1 on a CPU, 10 on a GPU")
    parser.add_argument("--sampling-steps", type=int, default=POINT_STEPS, help="reverse steps")
    parser.add_argument("--sampling-images", type=int, help="images a round: 20 on a CPU, 500 on a GPU")
    parser.add_argument("--feature-images", type=int, help="images a round: 64 on a CPU, 1024 on a GPU")
    parser.add_argument("--fraction", type=float, help="of the whole point: 1/500 on a CPU, 1/20 on a GPU")
    parser.add_argument("--workers", type=int, help="processes that decode: 2 on a CPU, 4 on a GPU")
    parser.add_argument("--compile", action="store_true", help="the library by torch.compile")
    arguments = parse(parser, DEFAULTS)
    began = time.monotonic()
    facts = engine_facts("compare", arguments) | {"targets": TARGETS[arguments.device], "notes": NOTES}
    with tempfile.TemporaryDirectory() as folder:
        results = measure(arguments, Path(folder))
    results = {**facts, "seconds": round(time.monotonic() - began, 1), **results}
    publish(arguments.output, "bench", results, table(results), draw)


def parse(parser: argparse.ArgumentParser, defaults: dict[str, dict[str, Any]]) -> argparse.Namespace:
    """The options, with those of both benchmarks; what is not given is as fits the device."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    parser.add_argument("--device", choices=TARGETS, default=pick_device().type)
    parser.add_argument("--threads", type=int, default=cores, help="of each side")
    parser.add_argument("--strength", type=float, default=-0.4, help="s0 of the squeezed noise")
    parser.add_argument("--array", type=Path, default=Path("data/cifar10/size32/images.npy"))
    parser.add_argument("--weights", type=Path, default=Path("data/weights/inception.pth"))
    parser.add_argument("--output", type=Path, default=OUTPUT, help="folder")
    parser.set_defaults(**defaults[parser.parse_known_args()[0].device])
    arguments = parser.parse_args()
    for file in (arguments.array, arguments.weights):
        if not file.is_file():
            parser.error(f"{file} is not there; `make fetch CONFIG=demo.yaml` or `make demo` brings it")
    return arguments


def engine_facts(module: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """What the numbers depend on."""
    options = {name: str(one) if isinstance(one, Path) else one for name, one in vars(arguments).items()}
    return facts_of(f"engine.{module}", PACKAGES, threads=arguments.threads) | {
        "cuda": torch.version.cuda if arguments.device == "cuda" else None,
        "options": options,
    }


def task_of(arguments: argparse.Namespace, folder: Path, **more: Any) -> Task:
    """What both sides are given: of the options what a task has. Writes the training images as PNGs."""
    options = {field.name: getattr(arguments, field.name, field.default) for field in fields(Task)}
    files = {name: str(getattr(arguments, name).resolve()) for name in ("array", "weights")}
    task = Task(**{**options, **files, "pngs": str(folder / "images.pickle"), **more})
    encoded = []
    for image in np.load(task.array, mmap_mode="r")[: task.count]:
        stream = io.BytesIO()
        Image.fromarray(image.transpose(1, 2, 0)).save(stream, "png")
        encoded.append(stream.getvalue())
    Path(task.pngs).write_bytes(pickle.dumps(encoded))
    return task


def measure(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """All parts that are asked for."""
    steps = -(-POINT["images"] // arguments.batch_size)
    count = min(point_at(arguments.fraction)["images"], POINT["reals"])
    task = task_of(arguments, folder, steps=steps, count=count)
    machine = machine_of(task)
    results: dict[str, Any] = {"machine": machine}
    for part in arguments.parts:
        log.warning("%s ...", part)
        results[part] = point(arguments, task) if part == "point" else rate(part, arguments, task)
    before, after = machine["matmul"], machine_of(task)["matmul"]
    machine["matmul"] = {name: max(before[name], after[name], key=lambda m: m["flops"]) for name in before}
    add_fractions(results)
    if set(PARTS) <= results.keys() and arguments.sampling_steps == POINT_STEPS:
        results["full_point"] = full_point(results)
    return results


def machine_of(task: Task) -> dict[str, Any]:
    """Rates of matrix products (FLOP/s by dtype) and operations of one image."""
    with processes(task, ("machine",)) as found:
        return {name: found["machine"].call(name)["result"] for name in ("matmul", "network")}


def rate(part: str, arguments: argparse.Namespace, task: Task) -> dict[str, Any]:
    """Images a second of training, of sampling, or of the network of the scores (in float32)."""
    images, steps = arguments.sampling_images, arguments.sampling_steps
    features = {"count": arguments.feature_images}
    method, warm_up, options = {
        "training": ("train", {"steps": arguments.warm_up}, {"steps": arguments.steps}),
        "sampling": ("sample", {"count": images, "steps": 2}, {"count": images, "steps": steps}),
        "features": ("features", features, features),
    }[part]
    with processes(task) as sides:
        for side in sides.values():
            side.call(f"start_{part}")
            side.call(method, **warm_up)
        found = compared(in_turn(sides, method, arguments.rounds, **options))
        if part != "features":
            dtypes = {name: side.call("dtypes")["result"] for name, side in sides.items()}
            found["dtype"] = {name: dtypes[name][method] for name in SIDES}
    return found | ({"steps": steps} if part == "sampling" else {})


def compared(answers: dict[str, list[dict]]) -> dict[str, Any]:
    """Images a second of each side, and ours over the reference's round by round: medians and spread."""
    rates = {name: [one["result"]["images"] / one["seconds"] for one in answers[name]] for name in SIDES}
    ratios = [ours / reference for ours, reference in zip(rates["ours"], rates["reference"], strict=True)]
    peaks = {name: max(one["peak_gb"] for one in answers[name]) for name in SIDES}
    sides = {name: {**spread(rates[name]), "peak_gb": peaks[name]} for name in SIDES}
    return {**sides, "ratio": spread(ratios)}


def spread(values: list[float]) -> dict[str, Any]:
    """Median, least and most, and the values."""
    return {"median": statistics.median(values), "least": min(values), "most": max(values), "rounds": values}


def point(arguments: argparse.Namespace, task: Task) -> dict[str, Any]:
    """Seconds of every stage of a point: the sides take turns stage by stage."""
    counts = point_at(arguments.fraction)
    drawn = {"count": counts["samples"], "steps": arguments.sampling_steps}
    stages = {
        "training": {"start_training": {}, "train": {"steps": -(-counts["images"] // task.batch_size)}},
        "sampling": {"start_sampling": {}, "sample": drawn},
        "scores": {"score": {"reals": counts["reals"]}},
    }
    with processes(task) as sides:
        seconds = {name: {"start": side.start_seconds} for name, side in sides.items()}
        last = {}
        for stage, calls in stages.items():
            for name, side in sides.items():
                answers = [side.call(method, **options) for method, options in calls.items()]
                seconds[name][stage] = sum(answer["seconds"] for answer in answers)
                last[name] = {"peak_gb": answers[-1]["peak_gb"], **answers[-1]["result"]}
    return {"fraction": arguments.fraction, "counts": counts, **summed(seconds, last)}


def summed(seconds: dict[str, dict[str, float]], facts: dict[str, dict] | None = None) -> dict[str, Any]:
    """Seconds of the stages of each side with their sums and further facts, and the ratio of the sums."""
    sides = {
        name: {"seconds": seconds[name], "sum": sum(seconds[name].values()), **(facts or {}).get(name, {})}
        for name in SIDES
    }
    return {**sides, "ratio": sides["reference"]["sum"] / sides["ours"]["sum"]}


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
    return {"counts": POINT, **summed(seconds)}


def add_fractions(results: dict[str, Any]) -> None:
    """To each side's training and sampling: its FLOP/s as a share of the measured matrix products."""
    matmul, network = results["machine"]["matmul"], results["machine"]["network"]
    steps = results.get("sampling", {}).get("steps", 0)
    work = {"training": network["training"], "sampling": steps * network["forward"]}
    for part in work.keys() & results.keys():
        for name in SIDES:
            found, most = results[part][name], matmul[results[part]["dtype"][name]]["flops"]
            found["flops"] = found["median"] * work[part]
            found["fraction_of_matmul"] = found["flops"] / most


if __name__ == "__main__":
    main()
