"""Remove what interrupted or killed runs left behind, and what torch.compile made; never results.

Checkpoints, shards and partial files that a running process holds stay, as does what is younger than
--days. All results folders below results/, or those that are named.
"""

import argparse
from pathlib import Path

from shapednoise.workflow.cleanup import Cleaning, clean, is_results
from shapednoise.workflow.cli import run


def main() -> None:
    arguments = parse()
    folders = arguments.results or sorted(filter(is_results, Path("results").glob("*/")))
    total = 0
    for folder in folders:
        cleaning = clean(folder, arguments.days)
        report(cleaning)
        total += sum(cleaning.removed.values())
    print(f"{total / 1e6:.1f} MB removed from {len(folders)} results folders")


def report(cleaning: Cleaning) -> None:
    """Print what was removed, and what was not and why."""
    for path, size in cleaning.removed.items():
        print(f"removed {path}, {size / 1e6:.1f} MB")
    for path, holder in cleaning.held.items():
        print(f"kept    {path}, in the hands of {holder}")
    for path, size in cleaning.young.items():
        print(f"kept    {path}, {size / 1e6:.1f} MB, younger than {cleaning.days:g} days")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, nargs="*", help="results folders")
    parser.add_argument("--days", type=days, default=7.0, help="keep what is younger; 0 removes everything")
    return parser.parse_args()


def days(text: str) -> float:
    if not float(text) >= 0:
        raise ValueError(text)
    return float(text)


run(main)
