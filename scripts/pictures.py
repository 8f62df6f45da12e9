"""Pictures of a sample set: a grid, and a strip and a GIF of the way from noise to image."""

import argparse
from pathlib import Path

import numpy as np

from shapednoise.data.images import load_images
from shapednoise.errors import UserError
from shapednoise.figures.pictures import save_gif, save_grid, save_strip
from shapednoise.workflow.cli import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=Path, required=True, help="sample set (.npy)")
    parser.add_argument("--trajectory", type=Path, required=True, help="its trajectory (.npz)")
    parser.add_argument("--grid", type=Path, required=True, help="6 x 6 grid to write (.png)")
    parser.add_argument("--strip", type=Path, required=True, help="denoising strip to write (.png)")
    parser.add_argument("--gif", type=Path, required=True, help="denoising animation to write (.gif)")
    arguments = parser.parse_args()

    images = load_images(arguments.samples)
    with np.load(arguments.trajectory) as trajectory:
        if not trajectory["frames"].size:
            raise UserError(f"{arguments.trajectory} has no frames; delete it and sample again")
        save_grid(images, arguments.grid)
        save_strip(trajectory["frames"], trajectory["timesteps"], arguments.strip)
        save_gif(trajectory["frames"], arguments.gif)


run(main)
