"""Several users, clones and machines on one results folder."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.workspace import Workspace, make_workspace

TABLE = "tables/hyperparameters/cifar10_sdm.csv"


def wait_for(what, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.1)


def times(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


@pytest.fixture
def clones(tmp_path, repository, inception_weights) -> list[Workspace]:
    """Two copies of the project with the same results folder elsewhere."""
    both = [make_workspace(tmp_path / name, repository, inception_weights) for name in ("one", "other")]
    for clone in both:
        clone.set("results", str(tmp_path / "results"))
    return both


def test_the_second_run_on_a_results_folder_is_told_who_has_it_and_touches_nothing(clones, tmp_path):
    one, other = clones
    results = tmp_path / "results"
    lock, table = results / ".run.lock.holder", results / TABLE
    running = subprocess.Popen(
        one.command(str(table)), cwd=one.path, env=one.environment(), stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        wait_for(lock.exists)
        os.kill(running.pid, signal.SIGSTOP)  # in the middle of its run; its job goes on
        wait_for(table.exists)
        time.sleep(1)  # the job ends
        before = times(results)
        refused = other.snakemake(str(table), "--forceall")
        [line] = [line for line in refused.stdout.splitlines() if line.startswith("error: ")]
        who = json.loads(lock.read_text())
        assert f", process {running.pid}, since " in who
        assert line == (
            f"error: {results} is being written by {who}; wait until that run is done, "
            "or give `results` in the config another folder"
        )
        assert refused.returncode != 0 and "Traceback" not in refused.stdout
        assert times(results) == before
        assert "Job stats" in other.run(str(table), "--forceall", "--dry-run")
    finally:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
    other.run(str(table), "--forceall")  # at once
    one.run("--unlock")
    one.run(str(table), "--forceall")
