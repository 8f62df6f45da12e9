"""Features and scores against torch_fidelity.calculate_metrics: time, memory and equal numbers.

    python benchmarks/scores.py --weights data/weights/inception.pth --array data/cifar10/size32/images.npy \\
        [--images 2000] [--rounds 20] [--distances 10000 50000] [--output scores.json]

The first and the last `--images` images of the array are scored against each other by both. Rates are
measured in one process, batch by batch in turn, so that the machine's noise hits both alike; time and
peak memory of a whole run in a process each. `--distances` scores random features of two numbers
of generated and real images (2048 dimensions, no bootstrap), for the memory that it takes; 0 0 leaves
it out.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torch_fidelity
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from shapednoise.config.scoring import ScoringSettings
from shapednoise.diffusion.device import hardware, pick_device
from shapednoise.log import log
from shapednoise.metrics.extractors import load_extractor
from shapednoise.metrics.features import extract
from shapednoise.metrics.scores import score

THEIRS = {
    "fid": "frechet_inception_distance",
    "kid": "kernel_inception_distance_mean",
    "precision": "precision",
    "recall": "recall",
}
THEIR_BATCH = 64  # torch-fidelity's default


def main() -> None:
    """Run every part in a process of its own, print the table, write the numbers."""
    arguments = parse()
    if arguments.part:
        torch.set_num_threads(arguments.threads)
        found = PARTS[arguments.part](arguments)
        found["peak_gb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
        print(json.dumps(found))
        return
    parts = [part for part in PARTS if part != "distances" or all(arguments.distances)]
    results = {part: in_a_process(part) for part in parts}
    facts = {
        "hardware": hardware() | {"threads": arguments.threads},
        "versions": {name: version(name) for name in ("torch", "torch-fidelity", "numpy", "scipy")},
        "images": arguments.images,
        "batch_size": arguments.batch_size,
        "distances": arguments.distances,
    }
    report(facts, results)
    if arguments.output:
        arguments.output.write_text(json.dumps({**facts, **results}, indent=1))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--weights", type=Path, required=True, help="weights of Inception (.pth)")
    parser.add_argument("--array", type=Path, required=True, help="images N x C x H x W (.npy)")
    parser.add_argument("--images", type=int, default=2000, help="images of each set")
    parser.add_argument("--rounds", type=int, default=20, help="batches of each network for the rates")
    parser.add_argument("--batch-size", type=int, default=16, help="images at once, ours")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="processor threads")
    parser.add_argument("--distances", type=int, nargs=2, default=[10_000, 50_000])
    parser.add_argument("--output", type=Path, help="where to write the numbers (.json)")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    return parser.parse_args()


def in_a_process(part: str) -> dict:
    """The numbers of one part, by this script in a new process."""
    log.warning("%s ...", part)
    command = [sys.executable, __file__, *sys.argv[1:], "--part", part]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def both_sets(arguments: argparse.Namespace) -> tuple[np.ndarray, np.ndarray]:
    """The two sets of images that are compared."""
    images = np.load(arguments.array, mmap_mode="r")
    return np.array(images[: arguments.images]), np.array(images[-arguments.images :])


def rates(arguments: argparse.Namespace) -> dict:
    """Images a second of both networks, and how far their features lie apart; one round warms up."""
    device = pick_device()
    torch_fidelitys = FeatureExtractorInceptionV3("inception", ["2048"], str(arguments.weights))
    networks = {
        "theirs": (torch_fidelitys.to(device), THEIR_BATCH),
        "ours": (load_extractor(arguments.weights, device), arguments.batch_size),
    }
    images = torch.from_numpy(np.array(np.load(arguments.array, mmap_mode="r")[:THEIR_BATCH]))
    seconds: dict[str, list[float]] = {name: [] for name in networks}
    features = {}
    for index in range(arguments.rounds + 1):
        for name, (network, batch_size) in networks.items():
            began = time.perf_counter()
            with torch.inference_mode():
                parts = [network(part.to(device))[0].cpu() for part in images.split(batch_size)]
            if index:
                seconds[name].append(time.perf_counter() - began)
            features[name] = torch.cat(parts)
    found = {name: THEIR_BATCH / statistics.median(times) for name, times in seconds.items()}
    ratios = [one / other for one, other in zip(seconds["theirs"], seconds["ours"], strict=True)]
    apart = (features["ours"] - features["theirs"]).abs().max() / features["theirs"].abs().max()
    return {**found, "ratio": statistics.median(ratios), "features_apart": apart.item()}


def as_dataset(images: np.ndarray) -> torch.utils.data.Subset:
    """An array as torch-fidelity takes it."""
    return torch.utils.data.Subset(torch.from_numpy(images), range(len(images)))


def theirs(arguments: argparse.Namespace) -> dict:
    """FID, KID, precision and recall by torch_fidelity.calculate_metrics."""
    one, other = both_sets(arguments)
    began = time.perf_counter()
    found = torch_fidelity.calculate_metrics(
        input1=as_dataset(one), input2=as_dataset(other),
        cuda=torch.cuda.is_available(), batch_size=THEIR_BATCH,
        fid=True, kid=True, prc=True, kid_subset_size=settings(arguments).kid_subset_size, cache=False,
        feature_extractor="inception-v3-compat", feature_layer_prc="2048", verbose=False,
        feature_extractor_weights_path=str(arguments.weights),
    )  # fmt: skip
    seconds = time.perf_counter() - began
    return {"seconds": seconds, **{name: found[key] for name, key in THEIRS.items()}}


def ours(arguments: argparse.Namespace) -> dict:
    """Features of both sets and all scores, with and without their uncertainties."""
    one, other = both_sets(arguments)
    began = time.perf_counter()
    extractor = load_extractor(arguments.weights, pick_device())
    indices = np.arange(len(one))
    features = [extract(extractor, images, indices, arguments.batch_size) for images in (one, other)]
    extracted = time.perf_counter()
    found = score(*features, settings(arguments, bootstrap=0))
    scored = time.perf_counter()
    with_intervals = score(*features, settings(arguments))
    bounded = time.perf_counter()
    kept = {name: found[name] for name in (*THEIRS, "density", "coverage", "fid_infinity")}
    return {
        "seconds": scored - began,
        "extraction_s": extracted - began,
        "scores_s": scored - extracted,
        "scores_with_intervals_s": bounded - scored,
        "fid_se": with_intervals["fid_se"],
        **kept,
    }


def settings(arguments: argparse.Namespace, **changes: int) -> ScoringSettings:
    """The default scoring; subsets of KID no larger than the sets."""
    return ScoringSettings(kid_subset_size=min(1000, arguments.images), **changes)


def distances(arguments: argparse.Namespace) -> dict:
    """All scores of random features: seconds, and the peak memory of this process."""
    rng = np.random.default_rng(0)
    sets = [{"features": rng.random((count, 2048), np.float32)} for count in arguments.distances]
    began = time.perf_counter()
    found = score(*sets, ScoringSettings(bootstrap=0))
    kept = {name: found[name] for name in ("precision", "recall", "density", "coverage")}
    return {"seconds": time.perf_counter() - began, **kept}


PARTS = {"rates": rates, "theirs": theirs, "ours": ours, "distances": distances}


def report(facts: dict, results: dict) -> None:
    """Print the tables."""
    machine, apart = facts["hardware"], results["rates"]["features_apart"]
    print(f"{machine.get('gpu', machine['cpu'])}, {machine['threads']} threads, 2 x {facts['images']} images")
    for part in ("rates", "distances"):
        if part in results:
            print(f"{part}: " + ", ".join(f"{name} {value:.4g}" for name, value in results[part].items()))
    both = pd.DataFrame({"torch-fidelity": results["theirs"], "shapednoise": results["ours"]})
    print(both.reindex(results["ours"]).to_string(float_format="{:.6g}".format, na_rep=""))
    relative = abs(results["ours"]["fid"] / results["theirs"]["fid"] - 1)
    print(f"features apart by {apart:.1e}, FID by {relative:.1e}")


if __name__ == "__main__":
    main()
