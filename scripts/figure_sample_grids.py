"""Draw grids of samples side by side, from the same starting noise (Figure 3 of SDM)."""

import argparse
from pathlib import Path

from shapednoise.data.images import load_images
from shapednoise.figures.sample_grids import sample_grids
from shapednoise.figures.style import save
from shapednoise.workflow.cli import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=Path, nargs="+", required=True, help="sample sets (.npy)")
    parser.add_argument("--titles", nargs="+", required=True, help="one title a sample set")
    parser.add_argument("--output", type=Path, nargs="+", required=True, help="figures to write (.pdf, .png)")
    arguments = parser.parse_args()

    arrays = [load_images(path) for path in arguments.samples]
    save(sample_grids(list(zip(arguments.titles, arrays, strict=True))), arguments.output)


run(main)
