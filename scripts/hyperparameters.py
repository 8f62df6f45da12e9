"""The published hyperparameters beside those of an experiment."""

import argparse
import json
from pathlib import Path

from shapednoise.claims.published import hyperparameters_table
from shapednoise.files import atomic_path
from shapednoise.workflow.cli import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--experiment",
        type=json.loads,
        required=True,
        help="what claims.published.hyperparameters_table takes (JSON)",
    )
    parser.add_argument("--output", type=Path, required=True, help="table to write (.csv)")
    arguments = parser.parse_args()

    table = hyperparameters_table(arguments.experiment)
    with atomic_path(arguments.output) as temporary:
        table.to_csv(temporary, index=False)


run(main)
