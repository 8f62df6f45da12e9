"""The power spectra of noises at the last timestep, measured on noise images and in theory."""

import argparse
from pathlib import Path

import numpy as np

from shapednoise.analysis.spectra import spectra_table
from shapednoise.config.training import ScheduleSettings
from shapednoise.files import atomic_path, read_json
from shapednoise.noise.process import linear_betas
from shapednoise.noise.shape import with_axis
from shapednoise.workflow.cli import json_from, run, settings_from


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pca", type=Path, required=True, help="principal colour axes (.json)")
    parser.add_argument(
        "--points",
        type=json_from(list),
        required=True,
        help="JSON list of [noise, strength, shape without axis]",
    )
    parser.add_argument(
        "--schedule", type=settings_from(ScheduleSettings), required=True, help="variance schedule (JSON)"
    )
    parser.add_argument("--size", type=int, required=True, help="height and width in pixels")
    parser.add_argument("--images", type=int, required=True, help="noise images that are measured")
    parser.add_argument("--output", type=Path, required=True, help="table to write (.csv)")
    arguments = parser.parse_args()

    axes = np.array(read_json(arguments.pca)["axes"])
    points = [(noise, strength, with_axis(shape, axes[0])) for noise, strength, shape in arguments.points]
    betas = linear_betas(**arguments.schedule.for_diffusers())
    table = spectra_table(points, axes, (arguments.size, arguments.size), betas, arguments.images)
    with atomic_path(arguments.output) as temporary:
        table.to_csv(temporary, index=False)


run(main)
