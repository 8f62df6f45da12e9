"""Runs that are interrupted at random moments, until they are through."""

import itertools
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator

from benchmarks.faults.runs import Bench, Row, Run, Trial, faults_of, saying, trial, wait_for, what_it_did

KILLS = {
    "SIGINT to all (Ctrl-C)": (signal.SIGINT, "all"),
    "SIGTERM to Snakemake": (signal.SIGTERM, "Snakemake"),
    "SIGKILL to Snakemake": (signal.SIGKILL, "Snakemake"),
    "SIGKILL to all (power cut)": (signal.SIGKILL, "all"),
    "SIGTERM to a job": (signal.SIGTERM, "job"),
    "SIGKILL to a job": (signal.SIGKILL, "job"),
}


def kill_trials(bench: Bench) -> Iterator[Row]:
    """Runs that are killed again and again until they are through, until there were so many kills."""
    kinds = list(itertools.islice(shuffled(list(KILLS), bench.choose), bench.kills))
    while kinds:
        with trial(bench, bench.fetched) as made:
            rows = killed_run(made, kinds, max(20, bench.seconds / 4), bench.choose)
        yield from rows


def shuffled(kinds: list[str], choose: random.Random) -> Iterator[str]:
    while True:
        yield from choose.sample(kinds, len(kinds))


def killed_run(made: Trial, kinds: list[str], longest: float, choose: random.Random) -> list[Row]:
    """One run, killed until it is through or no kinds are left, which are taken from the list.

    longest: seconds between two kills, and the run goes on by about ten less.
    """
    rows: list[Row] = []
    run = made.start()
    while kinds:
        if over(run, choose.uniform(3, longest)) or not (victim := victim_of(run, kinds[0], choose)):
            break
        if rows:
            rows[-1].rerun = what_it_did(run) + ", then the next fault"
        rows.append(strike(run, kinds.pop(0), victim))
        run.mark()
        if run.ended:
            if "power cut" in rows[-1].fault:
                made.close()  # of the earlier runs too
            run = made.again(rows[-1])
    made.finish(*rows, run=run)
    return rows


def over(run: Run, seconds: float) -> bool:
    """Whether the run ends within so many seconds."""
    try:
        run.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def victim_of(run: Run, kind: str, choose: random.Random) -> int | None:
    """The process that a kill is for; None where the run is over before there is one."""
    if KILLS[kind][1] != "job":
        return run.process.pid
    wait_for(lambda: run.ended or run.jobs())
    jobs = run.jobs()
    return choose.choice(sorted(jobs)) if jobs else None


def strike(run: Run, kind: str, victim: int) -> Row:
    """Send the signal, and see what becomes of the run."""
    signum, whom = KILLS[kind]
    jobs = run.jobs()
    busy = jobs.get(victim) or " and ".join(sorted(jobs.values())) or "between jobs"
    row = Row(kind, f"{busy}, {time.monotonic() - run.began:.0f} s")
    before = len(run.text)
    (os.killpg if whom == "all" else os.kill)(victim, signum)
    if whom == "job":
        wait_for(lambda: run.ended or "Trying to restart" in run.text[before:])
    else:
        run.wait()
    row.code = run.process.returncode if run.ended else None
    if not run.ended:
        row.user = "nothing"
    row.said = saying(run.text[before:])
    row.wrong = faults_of(run.text[before:])
    return row
