"""Do to runs what machines and users do to them, run again, and compare with an undisturbed run.

Hermetic: synthetic pictures, small models, a random Inception network. One run is undisturbed. Others are
interrupted at random moments, by signals to all processes, to Snakemake alone, to a job alone; the same
command is given again, until it is through. Then disks are filled or made read-only, files damaged, the
clock is set back, and a second run started beside the first. Every row must end with the scores, tables,
samples and weights of the undisturbed run, byte for byte, and with nothing half-written.

    python -m benchmarks.faults --kills 30 --markdown table.md
"""

import argparse
import os
import platform
import signal
import tempfile
from importlib.metadata import version
from pathlib import Path

from benchmarks.faults.clock import clock_trials
from benchmarks.faults.damage import damage_trials
from benchmarks.faults.disks import disk_trials
from benchmarks.faults.kills import kill_trials
from benchmarks.faults.runs import HEADER, Row, prepare
from benchmarks.faults.second import second_run
from shapednoise.workflow.provenance import git_state

GROUPS = {
    "kills": kill_trials,
    "disks": disk_trials,
    "damage": damage_trials,
    "clock": clock_trials,
    "second": second_run,
}


def main() -> None:
    arguments = parse()
    for signum in (signal.SIGINT, signal.SIGTERM):  # either ends all that was started; shells ignore the
        signal.signal(signum, signal.default_int_handler)  # first for what runs in the background
    rows, machine = [], made_on()
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        bench = prepare(Path(name), arguments.kills, arguments.seed)
        print(f"undisturbed: {bench.seconds:.0f} s, {len(bench.expected)} files are compared", flush=True)
        for group in arguments.only or GROUPS:
            for row in GROUPS[group](bench):
                print(" | ".join(row.cells()), flush=True)
                rows.append(row)
    unequal = sum(bool(row.wrong) for row in rows)
    print(f"{len(rows)} faults, {unequal} of them not equal")
    if arguments.markdown:
        arguments.markdown.write_text(markdown(rows, machine, bench.seconds), encoding="utf-8")
    raise SystemExit(1 if unequal else 0)


def markdown(rows: list[Row], machine: str, seconds: float) -> str:
    """The table, and what it was made on."""
    lines = [HEADER, ["---"] * len(HEADER), *(row.cells() for row in rows)]
    table = "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
    return f"{machine} The undisturbed run took {seconds:.0f} s.\n\n{table}\n"


def made_on() -> str:
    """Hardware, versions and commit, in one line."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("snakemake", "torch", "diffusers", "numpy"))
    commit = str(git_state()["commit"])[:7]
    return (
        f"{os.cpu_count()} processor cores ({platform.machine()}), Linux {platform.release().split('-')[0]}, "
        f"Python {platform.python_version()}, {versions}, commit {commit}."
    )


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--kills", type=int, default=30, help="at random moments, all kinds equally often")
    parser.add_argument("--only", nargs="+", choices=list(GROUPS), help="nothing but these")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--markdown", type=Path, help="file to write the table to")
    return parser.parse_args()


if __name__ == "__main__":
    main()
