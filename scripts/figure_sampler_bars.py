"""Draw a score of every sampler of an experiment, side by side, at a few strengths."""

import argparse
from pathlib import Path

import pandas as pd

from shapednoise.figures.sampler_bars import sampler_bars
from shapednoise.figures.style import save
from shapednoise.workflow.cli import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", type=Path, required=True, help="scores of the experiment (.csv)")
    parser.add_argument("--metric", required=True, help="column to draw")
    parser.add_argument("--dataset", required=True, help="title of the data set")
    parser.add_argument("--output", type=Path, nargs="+", required=True, help="figures to write (.pdf, .png)")
    arguments = parser.parse_args()

    table = pd.read_csv(arguments.table)
    save(sampler_bars(table, arguments.metric, arguments.dataset), arguments.output)


run(main)
