"""Recompute the sha256 of the files of results folders and name those that are not what was recorded.

It finds rot and mix-ups; it is no protection against forgery, since the record lies beside the files.
"""

import argparse
from pathlib import Path

from shapednoise.errors import UserError
from shapednoise.workflow.checksums import NAME, differences, record
from shapednoise.workflow.cli import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, nargs="*", help=f"folders; all below results/ with a {NAME}")
    parser.add_argument("--record", action="store_true", help="record them as they are")
    arguments = parser.parse_args()
    found = 0
    recorded = (path for place in ("*", "reference/*") for path in Path("results").glob(f"{place}/{NAME}"))
    for folder in arguments.results or sorted(path.parent for path in recorded):
        if not folder.is_dir():
            raise UserError(f"there is no folder {folder}; name a results folder")
        if arguments.record:
            record(folder)
        lines = list(differences(folder))
        print("\n".join([*lines, f"{folder}: {len(lines) or 'no'} files are not as recorded"]))
        found += len(lines)
    if found:
        raise UserError(f"{found} files are not as recorded; get them again, or delete them and run again")


run(main)
