"""Print how long each stage of a finished run took, from the benchmark files of its jobs."""

import argparse
from pathlib import Path

import pandas as pd

from shapednoise.workflow.cli import run
from shapednoise.workflow.plan import seconds_of_jobs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, help="results folder")
    arguments = parser.parse_args()

    seconds = pd.Series(seconds_of_jobs(arguments.results))
    stages = seconds.groupby(lambda job: job.split("/")[0]).agg(["count", "sum"])
    stages = stages.sort_values("sum", ascending=False)
    print(f"{'stage':<26}{'jobs':>5}{'seconds':>10}")
    for stage, (jobs, total) in stages.iterrows():
        print(f"{stage:<26}{jobs:>5.0f}{total:>10.1f}")
    print(f"{'all':<26}{stages['count'].sum():>5.0f}{stages['sum'].sum():>10.1f}")


run(main)
