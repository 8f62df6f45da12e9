"""Gather the scores of sample sets in one tidy table."""

import argparse
from pathlib import Path

import pandas as pd

from shapednoise.errors import UserError
from shapednoise.files import atomic_path, read_json
from shapednoise.workflow.cli import run

KEYS = ["dataset", "noise", "strength", "seed"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scores", type=Path, nargs="+", required=True, help="scores (.json)")
    parser.add_argument("--output", type=Path, required=True, help="table to write (.csv)")
    arguments = parser.parse_args()

    rows = [read_json(file) for file in arguments.scores]
    for row, file in zip(rows, arguments.scores, strict=True):
        if not isinstance(row, dict) or not {*KEYS, "warnings"} <= set(row):
            raise UserError(
                f"{file} holds no scores of a sample set; give those that scripts/scores.py writes"
            )
        row["warnings"] = " ".join(row["warnings"])
        if row.get("network") in file.parts:  # of all strengths: s = 0 is a ddpm of each noise's own network
            row["network"] = f"{file.parts[file.parts.index(row['network']) - 1]}/{row['network']}"
    table = pd.json_normalize(rows).sort_values(KEYS, kind="stable")
    with atomic_path(arguments.output) as temporary:
        table.to_csv(temporary, index=False)


run(main)
