"""Features of an image array, of a data set or of samples, by the FID Inception network."""

import argparse
from pathlib import Path

import numpy as np
import torch

from shapednoise.console import run
from shapednoise.data.images import load_images, reference_indices
from shapednoise.device import pick_device
from shapednoise.files import atomic_path
from shapednoise.metrics.features import extract, load_extractor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, required=True, help="array N x C x H x W (.npy)")
    parser.add_argument("--weights", type=Path, required=True, help="weights of the extractor (.pth)")
    parser.add_argument("--count", default="all", help="use this many images, a fixed random subset")
    parser.add_argument("--batch-size", type=int, default=32, help="images at once")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="processor threads")
    parser.add_argument("--output", type=Path, required=True, help="features to write (.npz)")
    arguments = parser.parse_args()

    torch.set_num_threads(arguments.threads)
    images = load_images(arguments.images)
    wanted = "all" if arguments.count == "all" else int(arguments.count)
    indices = reference_indices(len(images), wanted, str(arguments.images))
    extractor = load_extractor(arguments.weights, pick_device())
    with atomic_path(arguments.output) as temporary:
        np.savez(temporary, **extract(extractor, images, indices, arguments.batch_size))


run(main)
