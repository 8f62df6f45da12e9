"""Features of an image array, of a data set or of samples, by a feature extractor.

An extraction that is interrupted keeps its features in the folder of --checkpoints; the same command
continues it.
"""

import argparse
import hashlib
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch

from shapednoise.config.data import NetworkSettings
from shapednoise.config.machine import EngineSettings
from shapednoise.data.images import load_images, reference_indices
from shapednoise.diffusion.device import configure_cpu
from shapednoise.files import sha256_of_file, sha256_of_json
from shapednoise.metrics.extractors import digest_of, load_extractor
from shapednoise.metrics.features import code_of, extract, write_features
from shapednoise.resumable import ResumableArrays
from shapednoise.workflow.cli import positive, run, settings_from
from shapednoise.workflow.code import code_digest
from shapednoise.workflow.gpus import claim_device
from shapednoise.workflow.locks import exclusive_lock


def main() -> None:
    arguments = parse()
    configure_cpu(arguments.threads)
    # of the modules that were imported; files may change while this process waits
    code = code_digest("features")
    lock = nullcontext()
    if arguments.checkpoints:
        lock = exclusive_lock(arguments.checkpoints / "lock", f"the features {arguments.output}")
    with lock:
        write(arguments, code)


def write(arguments: argparse.Namespace, code: str) -> None:
    """Extract the features and write them."""
    settings: NetworkSettings = arguments.extractor
    images = load_images(arguments.images)
    wanted = "all" if arguments.count == "all" else int(arguments.count)
    indices = reference_indices(len(images), wanted, str(arguments.images))
    device = claim_device(arguments.engine.points_per_gpu)
    extractor = load_extractor(arguments.weights, device, settings)
    record = {
        "network": settings.network,
        "layer": extractor.features_list[0],
        "batch_size": settings.batch_size,
        "device": device.type,
        "torch": torch.__version__,
        "sha256_of_weights": digest_of(extractor, arguments.weights),
    }
    made_by = fingerprint(arguments.images, indices, record, [code_of(extractor), code])
    work = ResumableArrays(len(indices), arguments.checkpoints, made_by)
    arrays = extract(extractor, images, indices, settings.batch_size, work)
    write_features(arguments.output, arrays, record)
    work.remove()


def fingerprint(images: Path, indices: np.ndarray, record: dict, code: list[str]) -> str:
    """Digest of all that features depend on: pixels, which of them, network, settings, code."""
    chosen = hashlib.sha256(indices.tobytes()).hexdigest()
    return sha256_of_json([sha256_of_file(images), chosen, record, code])


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, required=True, help="array N x C x H x W (.npy)")
    parser.add_argument(
        "--extractor",
        type=settings_from(NetworkSettings),
        default=NetworkSettings(),
        help="network, layer and batch size (JSON)",
    )
    parser.add_argument("--weights", type=Path, help="weights of the network, where it takes a file")
    parser.add_argument("--count", default="all", help="use this many images, a fixed random subset")
    parser.add_argument("--threads", type=positive, default=torch.get_num_threads(), help="processor threads")
    parser.add_argument(
        "--engine",
        type=settings_from(EngineSettings),
        default=EngineSettings(),
        help="how many jobs share a GPU (JSON)",
    )
    parser.add_argument("--checkpoints", type=Path, help="folder kept until the features are complete")
    parser.add_argument("--output", type=Path, required=True, help="features to write (.npz)")
    return parser.parse_args()


run(main)
