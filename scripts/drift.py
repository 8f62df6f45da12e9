"""The drift S_t^-1 S_{t-1} of a noise shape for several strengths and numbers of steps (Eq. 12)."""

import argparse
from pathlib import Path

from shapednoise.analysis.drift import drift_table
from shapednoise.config.training import ScheduleSettings
from shapednoise.files import atomic_path
from shapednoise.noise.process import linear_betas
from shapednoise.workflow.cli import json_from, run, settings_from


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="name of the noise variant")
    parser.add_argument(
        "--shapes",
        type=json_from(list),
        required=True,
        help="its shapes, one a strength (list in JSON)",
    )
    parser.add_argument(
        "--schedule", type=settings_from(ScheduleSettings), required=True, help="variance schedule (JSON)"
    )
    parser.add_argument("--steps", type=int, nargs="+", required=True, help="numbers of steps")
    parser.add_argument("--output", type=Path, required=True, help="table to write (.csv)")
    arguments = parser.parse_args()

    betas = linear_betas(**arguments.schedule.for_diffusers())
    table = drift_table(arguments.name, arguments.shapes, arguments.steps, betas)
    with atomic_path(arguments.output) as temporary:
        table.to_csv(temporary, index=False)


run(main)
