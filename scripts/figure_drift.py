"""Draw the drift of a noise shape that changes with time (appendix B.2 of SDM)."""

import argparse
from pathlib import Path

import pandas as pd

from shapednoise.figures.drift import drift_figure
from shapednoise.figures.style import save
from shapednoise.workflow.cli import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", type=Path, required=True, help="drift of the shape (.csv)")
    parser.add_argument("--output", type=Path, nargs="+", required=True, help="figures to write (.pdf, .png)")
    arguments = parser.parse_args()

    save(drift_figure(pd.read_csv(arguments.table)), arguments.output)


run(main)
