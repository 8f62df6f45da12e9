"""Distances from every image of a data set to its nearest neighbours, for precision, recall and the like."""

import argparse
from pathlib import Path

import numpy as np
import torch

from shapednoise.diffusion.device import configure_cpu
from shapednoise.files import atomic_path
from shapednoise.metrics.features import read_features
from shapednoise.metrics.manifold import neighbor_distances
from shapednoise.workflow.cli import positive, run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--features", type=Path, required=True, help="features of the data set (.npz)")
    parser.add_argument("--threads", type=positive, default=torch.get_num_threads(), help="processor threads")
    parser.add_argument("--output", type=Path, required=True, help="distances to write (.npy)")
    arguments = parser.parse_args()

    configure_cpu(arguments.threads)
    features, _ = read_features(arguments.features, "features")
    distances = neighbor_distances(features["features"])
    with atomic_path(arguments.output) as temporary:
        np.save(temporary, distances)


run(main)
