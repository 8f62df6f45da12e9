"""The power spectrum of a data set: the variance of each (principal colour axis, spatial frequency)."""

import argparse
from pathlib import Path

import numpy as np

from shapednoise.analysis.spectrum import power_spectrum
from shapednoise.data.images import load_images
from shapednoise.files import atomic_path, read_json
from shapednoise.workflow.cli import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, required=True, help="canonical array (.npy)")
    parser.add_argument("--pca", type=Path, required=True, help="principal colour axes (.json)")
    parser.add_argument("--output", type=Path, required=True, help="spectrum to write (.npy)")
    arguments = parser.parse_args()

    axes = np.array(read_json(arguments.pca)["axes"])
    spectrum = power_spectrum(load_images(arguments.images), axes)
    with atomic_path(arguments.output) as temporary:
        np.save(temporary, spectrum)


run(main)
