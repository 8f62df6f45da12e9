"""Draw the error of the learned score against the noise level."""

import argparse
from pathlib import Path

import pandas as pd

from shapednoise.figures.score_limit import score_limit_figure
from shapednoise.figures.style import save
from shapednoise.workflow.cli import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", type=Path, required=True, help="errors of the learned score (.csv)")
    parser.add_argument("--dataset", required=True, help="the data set's name for the title")
    parser.add_argument("--output", type=Path, nargs="+", required=True, help="figures to write (.pdf, .png)")
    arguments = parser.parse_args()

    save(score_limit_figure(pd.read_csv(arguments.table), arguments.dataset), arguments.output)


run(main)
