"""Draw what isotropic, squeezed and antisqueezed noise do to a cloud and an image (Figure 1 of SDM)."""

import argparse
from pathlib import Path

import numpy as np

from shapednoise.data.images import check_index, load_images
from shapednoise.figures.forward_noise import forward_noise
from shapednoise.figures.style import save
from shapednoise.files import read_json
from shapednoise.workflow.cli import json_from, run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, required=True, help="canonical array (.npy)")
    parser.add_argument("--pca", type=Path, required=True, help="principal colour axes (.json)")
    parser.add_argument("--name", required=True, help="name of the noise variant")
    parser.add_argument(
        "--shape", type=json_from(dict), required=True, help="noise shape without its axis (JSON)"
    )
    parser.add_argument("--signal", type=float, required=True, help="A_t, the data's share of the variance")
    parser.add_argument("--image", type=int, required=True, help="index of the image shown")
    parser.add_argument("--output", type=Path, nargs="+", required=True, help="figures to write (.pdf, .png)")
    arguments = parser.parse_args()

    images = load_images(arguments.images)
    check_index(images, arguments.image, arguments.images)
    figure = forward_noise(
        images,
        np.array(read_json(arguments.pca)["axes"]),
        arguments.name,
        arguments.shape,
        arguments.signal,
        arguments.image,
    )
    save(figure, arguments.output)


run(main)
