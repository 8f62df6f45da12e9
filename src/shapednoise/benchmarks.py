"""How long the jobs of a run took, from the benchmark files that Snakemake writes."""

import csv
from pathlib import Path

from shapednoise.console import UserError


def seconds_of_jobs(results: Path) -> dict[str, float]:
    """Wall-clock seconds by job, a path that begins with the rule's name. Raises UserError for none."""
    folder = results / "benchmarks"
    seconds = {}
    for file in sorted(folder.rglob("*.tsv")):
        with open(file, encoding="utf-8") as lines:
            *_, last = csv.DictReader(lines, delimiter="\t")
        seconds[file.relative_to(folder).as_posix().removesuffix(".tsv")] = float(last["s"])
    if not seconds:
        raise UserError(f"{results} has no benchmarks; run the workflow first")
    return seconds
