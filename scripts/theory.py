"""What each strength and sampler makes of Gaussian data with a data set's spectrum, in closed form."""

import argparse
import json
from pathlib import Path

import numpy as np

from shapednoise.console import run, settings_from
from shapednoise.files import atomic_path, read_json
from shapednoise.settings.sampling import SamplerSettings
from shapednoise.settings.training import ScheduleSettings
from shapednoise.tables.theory import complete, theory_tables


def main() -> None:
    arguments = parse()
    shapes = complete(arguments.shapes, read_json(arguments.pca)["axes"][0])
    samplers = [SamplerSettings.model_validate(settings) for settings in arguments.samplers]
    spectrum = np.load(arguments.spectrum)
    tables = theory_tables(arguments.name, shapes, samplers, arguments.shown, arguments.schedule, spectrum)
    for table, path in zip(tables, arguments.output, strict=True):
        with atomic_path(path) as temporary:
            table.to_csv(temporary, index=False)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spectrum", type=Path, required=True, help="power spectrum of the data set (.npy)")
    parser.add_argument("--pca", type=Path, required=True, help="principal colour axes (.json)")
    parser.add_argument("--name", required=True, help="name of the noise variant")
    parser.add_argument(
        "--shapes", type=json.loads, required=True, help="its shapes without axis, one a strength (JSON list)"
    )
    parser.add_argument("--samplers", type=json.loads, required=True, help="sampling settings (JSON list)")
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
