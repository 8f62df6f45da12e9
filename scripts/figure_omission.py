"""Draw what models learn from data with noise in a known band (selective omission, SAGD)."""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from shapednoise.data.images import load_images, to_uint8
from shapednoise.figures.omission import SIDE, omission
from shapednoise.figures.style import save
from shapednoise.workflow.cli import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=Path, nargs="+", required=True, help="scores, one a band (.csv)")
    parser.add_argument("--bands", nargs="+", required=True, help="name of each band")
    parser.add_argument("--shown", required=True, help="name of the band whose pictures are shown")
    parser.add_argument("--metric", required=True, help="column to draw")
    parser.add_argument("--clean", type=Path, required=True, help="clean images (.npy)")
    parser.add_argument("--corrupted", type=Path, required=True, help="corrupted images (.npy)")
    parser.add_argument(
        "--samples", type=Path, nargs=2, required=True, help="sample sets, isotropic and band-pass (.npy)"
    )
    parser.add_argument("--output", type=Path, nargs="+", required=True, help="figures to write (.pdf, .png)")
    arguments = parser.parse_args()

    named = zip(arguments.tables, arguments.bands, strict=True)
    scores = pd.concat([pd.read_csv(table).assign(group=band) for table, band in named])
    files = (arguments.clean, arguments.corrupted, *arguments.samples)
    pictures = [first_pictures(file) for file in files]
    figure = omission(scores, arguments.bands, arguments.metric, arguments.shown, pictures)
    save(figure, arguments.output)


def first_pictures(file: Path) -> np.ndarray:
    """The first images of an array, as uint8."""
    return to_uint8(torch.from_numpy(np.array(load_images(file)[: SIDE**2]))).numpy()


run(main)
