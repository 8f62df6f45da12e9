"""Draw a score against the strength (Figure 2a-e of SDM)."""

import argparse
from pathlib import Path

import pandas as pd

from shapednoise.figures.style import save
from shapednoise.figures.u_curve import u_curve
from shapednoise.workflow.cli import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", type=Path, required=True, help="scores of the experiment (.csv)")
    parser.add_argument("--metric", required=True, help="column to draw")
    parser.add_argument("--dataset", required=True, help="title of the data set")
    parser.add_argument("--operator", default="sdm", help="of the noise, for the name of its strength")
    parser.add_argument("--output", type=Path, nargs="+", required=True, help="figures to write (.pdf, .png)")
    arguments = parser.parse_args()

    table = pd.read_csv(arguments.table)
    save(u_curve(table, arguments.metric, arguments.dataset, arguments.operator), arguments.output)


run(main)
