"""Gather the scores of an experiment, or of all that the targets need, in one tidy table."""

import argparse
from pathlib import Path

import pandas as pd

from shapednoise.config.load import parse_config
from shapednoise.files import atomic_path, read_json
from shapednoise.workflow.cli import run
from shapednoise.workflow.layout import score_files, wanted_score_files


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="config.json of the results folder")
    parser.add_argument("--experiment", help="name of the experiment; all wanted ones if it is left out")
    parser.add_argument("--output", type=Path, required=True, help="table to write (.csv)")
    arguments = parser.parse_args()

    config = parse_config(read_json(arguments.config))
    name = arguments.experiment
    files = score_files(config, name) if name else wanted_score_files(config)
    rows = [read_json(arguments.config.parent / file) for file in files]
    for row in rows:
        row["warnings"] = " ".join(row["warnings"])
    table = pd.json_normalize(rows).sort_values(["dataset", "noise", "strength", "seed"], kind="stable")
    with atomic_path(arguments.output) as temporary:
        table.to_csv(temporary, index=False)


run(main)
