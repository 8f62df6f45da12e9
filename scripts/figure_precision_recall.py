"""Draw precision against recall with contours of equal F-score (Figure 2f of SDM)."""

import argparse
from pathlib import Path

import pandas as pd

from shapednoise.figures.precision_recall import precision_recall
from shapednoise.figures.style import save
from shapednoise.workflow.cli import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", type=Path, required=True, help="scores of the experiment (.csv)")
    parser.add_argument("--dataset", required=True, help="title of the data set")
    parser.add_argument("--output", type=Path, nargs="+", required=True, help="figures to write (.pdf, .png)")
    arguments = parser.parse_args()

    save(precision_recall(pd.read_csv(arguments.table), arguments.dataset), arguments.output)


run(main)
