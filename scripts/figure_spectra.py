"""Draw the power spectra of noises, measured and in theory."""

import argparse
from pathlib import Path

import pandas as pd

from shapednoise.figures.spectra import spectra_figure
from shapednoise.figures.style import save
from shapednoise.workflow.cli import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", type=Path, required=True, help="spectra of the noises (.csv)")
    parser.add_argument("--output", type=Path, nargs="+", required=True, help="figures to write (.pdf, .png)")
    arguments = parser.parse_args()

    save(spectra_figure(pd.read_csv(arguments.table)), arguments.output)


run(main)
