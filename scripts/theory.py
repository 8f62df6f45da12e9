"""What each strength and sampler makes of Gaussian data with a data set's spectrum, in closed form."""

import argparse
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter

from shapednoise.analysis.theory import theory_tables
from shapednoise.config.sampling import SamplerSettings
from shapednoise.config.training import ScheduleSettings
from shapednoise.files import atomic_path, read_json
from shapednoise.noise.shape import with_axis
from shapednoise.workflow.cli import json_from, run, settings_from


def main() -> None:
    arguments = parse()
    axis = read_json(arguments.pca)["axes"][0]
    shapes = [with_axis(shape, axis) for shape in arguments.shapes]
    spectrum = np.load(arguments.spectrum)
    tables = theory_tables(
        arguments.name, shapes, arguments.samplers, arguments.shown, arguments.schedule, spectrum
    )
    for table, path in zip(tables, arguments.output, strict=True):
        with atomic_path(path) as temporary:
            table.to_csv(temporary, index=False)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spectrum", type=Path, required=True, help="power spectrum of the data set (.npy)")
    parser.add_argument("--pca", type=Path, required=True, help="principal colour axes (.json)")
    parser.add_argument("--name", required=True, help="name of the noise variant")
    parser.add_argument(
        "--shapes",
        type=json_from(list),
        required=True,
        help="its shapes without axis, one a strength (JSON list)",
    )
    parser.add_argument(
        "--samplers",
        type=json_from(TypeAdapter(list[SamplerSettings]).validate_python),
        required=True,
        help="sampling settings (JSON list)",
    )
    parser.add_argument(
        "--shown", type=float, nargs="+", required=True, help="strengths whose variances are kept"
    )
    parser.add_argument(
        "--schedule", type=settings_from(ScheduleSettings), required=True, help="variance schedule (JSON)"
    )
    parser.add_argument(
        "--output", type=Path, nargs=2, required=True, help="tables to write (.csv): distances, variances"
    )
    return parser.parse_args()


run(main)
