"""Remove checkpoints and partial files of interrupted runs, and what torch.compile made; never results.

Files that a running process holds stay, as do those that are younger than --days. Cleans all results folders
below results/, or those that are named.
"""

import argparse
from pathlib import Path

from shapednoise.workflow.cleanup import clean, is_results
from shapednoise.workflow.cli import run


def main() -> None:
    arguments = parse()
    folders = arguments.results or sorted(filter(is_results, Path("results").glob("*/")))
    total = 0
    for folder in folders:
        cleaning = clean(folder, arguments.days)
        for path, size in cleaning.removed.items():
            print(f"removed {path}, {size / 1e6:.1f} MB")
        for path, holder in cleaning.skipped_locked.items():
            print(f"kept    {path}, locked by {holder}")
        for path, size in cleaning.skipped_recent.items():
            print(f"kept    {path}, {size / 1e6:.1f} MB, younger than {arguments.days:g} days")
        total += sum(cleaning.removed.values())
    print(f"{total / 1e6:.1f} MB removed from {len(folders)} results folders")


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
