"""Print how long each stage of a finished run took, from the benchmark files of its jobs."""

import argparse
from pathlib import Path

import pandas as pd

from shapednoise.console import UserError, run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, help="results folder")
    arguments = parser.parse_args()

    files = sorted((arguments.results / "benchmarks").rglob("*.tsv"))
    if not files:
        raise UserError(f"{arguments.results} has no benchmarks; run the workflow first")
    rules = [file.relative_to(arguments.results / "benchmarks").parts[0].split(".")[0] for file in files]
    seconds = [pd.read_csv(file, sep="\t").s.iloc[-1] for file in files]
    stages = pd.DataFrame({"stage": rules, "seconds": seconds}).groupby("stage").seconds.agg(["count", "sum"])
    stages = stages.sort_values("sum", ascending=False)
    print(f"{'stage':<26}{'jobs':>5}{'seconds':>10}")
    for stage, (jobs, total) in stages.iterrows():
        print(f"{stage:<26}{jobs:>5.0f}{total:>10.1f}")
    print(f"{'all':<26}{stages['count'].sum():>5.0f}{stages['sum'].sum():>10.1f}")


run(main)
