"""Draw the closed-form theory: distances against the strength, and variances by frequency."""

import argparse
from pathlib import Path

import pandas as pd

from shapednoise.figures.style import save
from shapednoise.figures.theory import theory_figure
from shapednoise.workflow.cli import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--distances", type=Path, required=True, help="distance of each sampler (.csv)")
    parser.add_argument("--variances", type=Path, required=True, help="variances by frequency (.csv)")
    parser.add_argument("--measured", type=Path, nargs="*", help="scores of an experiment, or none (.csv)")
    parser.add_argument("--dataset", required=True, help="title of the data set")
    parser.add_argument("--output", type=Path, nargs="+", required=True, help="figures to write (.pdf, .png)")
    arguments = parser.parse_args()

    distances, variances = pd.read_csv(arguments.distances), pd.read_csv(arguments.variances)
    measured = pd.read_csv(arguments.measured[0]) if arguments.measured else None
    save(theory_figure(distances, variances, arguments.dataset, measured), arguments.output)


run(main)
