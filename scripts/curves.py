"""Means over seeds, quadratic fits and optima of an experiment's scores, with their uncertainty."""

import argparse
from pathlib import Path

import pandas as pd

from shapednoise.analysis.curve import curves_table
from shapednoise.files import atomic_path
from shapednoise.workflow.cli import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", type=Path, required=True, help="scores of the experiment (.csv)")
    parser.add_argument("--output", type=Path, required=True, help="table to write (.csv)")
    arguments = parser.parse_args()

    table = curves_table(pd.read_csv(arguments.table))
    with atomic_path(arguments.output) as temporary:
        table.to_csv(temporary, index=False)


run(main)
