"""How the learned score tends to the data's score as the noise vanishes, on Gaussian data."""

import argparse
from pathlib import Path

import numpy as np

from shapednoise.analysis.score_limit import score_limit_table
from shapednoise.files import atomic_path, read_json
from shapednoise.noise.shape import with_axis
from shapednoise.workflow.cli import json_from, run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spectrum", type=Path, required=True, help="power spectrum of the data set (.npy)")
    parser.add_argument("--pca", type=Path, required=True, help="principal colour axes (.json)")
    parser.add_argument(
        "--points",
        type=json_from(list),
        required=True,
        help="JSON list of [noise, strength, shape without axis]",
    )
    parser.add_argument("--output", type=Path, required=True, help="table to write (.csv)")
    arguments = parser.parse_args()

    axis = read_json(arguments.pca)["axes"][0]
    points = [(noise, strength, with_axis(shape, axis)) for noise, strength, shape in arguments.points]
    table = score_limit_table(points, np.load(arguments.spectrum))
    with atomic_path(arguments.output) as temporary:
        table.to_csv(temporary, index=False)


run(main)
