"""Principal axes of a data set's colours: the direction that SDM and HDM squeeze."""

import argparse
from pathlib import Path

from shapednoise.analysis.pca import colour_pca
from shapednoise.data.images import load_images
from shapednoise.files import write_json
from shapednoise.workflow.cli import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, required=True, help="canonical array (.npy)")
    parser.add_argument("--output", type=Path, required=True, help="where to write the axes (.json)")
    arguments = parser.parse_args()

    write_json(arguments.output, colour_pca(load_images(arguments.images)))


run(main)
