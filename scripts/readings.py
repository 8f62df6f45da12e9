"""How far the readings of the process lie apart on the principal axis: marginals and reverse steps."""

import argparse
from pathlib import Path

from shapednoise.analysis.readings import readings_table
from shapednoise.config.training import ScheduleSettings
from shapednoise.files import atomic_path
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

    table = readings_table(arguments.name, arguments.shapes, arguments.steps, arguments.schedule)
    with atomic_path(arguments.output) as temporary:
        table.to_csv(temporary, index=False)


run(main)
