"""The sharpness of every image of sample sets that start from the same noise."""

import argparse
import json
from pathlib import Path

from shapednoise.analysis.sharpness import sharpness_table
from shapednoise.data.images import load_images
from shapednoise.files import atomic_path
from shapednoise.workflow.cli import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=Path, nargs="+", required=True, help="sample sets (.npy)")
    parser.add_argument("--strengths", type=float, nargs="+", required=True, help="their strengths")
    parser.add_argument(
        "--sampler", type=json.loads, default={}, help="settings of their sampler, for the record (JSON)"
    )
    parser.add_argument("--output", type=Path, required=True, help="table to write (.csv)")
    arguments = parser.parse_args()

    pairs = zip(arguments.strengths, arguments.samples, strict=True)
    table = sharpness_table({strength: load_images(path) for strength, path in pairs})
    table = table.assign(**{f"sampler.{name}": value for name, value in arguments.sampler.items()})
    with atomic_path(arguments.output) as temporary:
        table.to_csv(temporary, index=False)


run(main)
