"""Draw how far the readings of the process lie apart."""

import argparse
from pathlib import Path

import pandas as pd

from shapednoise.figures.readings import readings_figure
from shapednoise.figures.style import save
from shapednoise.workflow.cli import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", type=Path, required=True, help="the readings on the principal axis (.csv)")
    parser.add_argument("--output", type=Path, nargs="+", required=True, help="figures to write (.pdf, .png)")
    arguments = parser.parse_args()

    save(readings_figure(pd.read_csv(arguments.table)), arguments.output)


run(main)
