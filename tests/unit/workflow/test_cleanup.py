"""Leftovers are removed, results are not, nor what a running process holds."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from shapednoise.errors import UserError
from shapednoise.files import files_of
from shapednoise.workflow.cleanup import clean
from tests.unit.workflow.processes import processes

MODEL = "cifar10/sdm/s-0.40/published/demo/seed42"
RESULTS = {
    "config.json", "claims.csv", "logs/train.log", f"models/{MODEL}/unet/model.safetensors",
    f"models/{MODEL}/training.csv", f"samples/{MODEL}/ancestral50/samples.npy", "tables/partial.csv",
    "figures/my.partial.pdf",
}  # fmt: skip
TRAINING = f"checkpoints/training/{MODEL}"
DRAWN = f"checkpoints/samples/{MODEL}/ancestral50"
LEFT = {
    f"{TRAINING}/000000100-0123456789abcdef.pt": 3000, f"{TRAINING}/.99999999.partial.pt": 10,
    f"{TRAINING}/lock": 0, f"{TRAINING}/lock.holder": 0,
    f"{DRAWN}/images.npy": 2000, f"{DRAWN}/.99999999.host.partial.done.json": 20, f"{DRAWN}/lock": 0,
    "checkpoints/compiled/ab/code.py": 500, "checkpoints/compiled/fxgraph/cd/ef": 50,
    f"samples/{MODEL}/ancestral50/.99999999.host.partial.samples.npy": 700,
    f"models/{MODEL[:-7]}/.partial-seed42/unet/model.safetensors": 900,
}  # fmt: skip
HOLD = "with exclusive_lock(path, 'it'): say('held')"


@pytest.fixture
def results(tmp_path) -> Path:
    """A results folder with results and with everything that a crash may leave, all eight days old."""
    folder = tmp_path / "results"
    for name, size in {**dict.fromkeys(RESULTS, 100), **LEFT}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(bytes(size))
    (folder / "checkpoints" / "features" / "empty").mkdir(parents=True)
    age(folder, days=8)
    return folder


def age(folder: Path, days: float) -> None:
    then = time.time() - 86400 * days
    for path in [folder, *folder.rglob("*")]:
        os.utime(path, (then, then))


def left(results: Path) -> set[str]:
    return set(files_of(results)) - {".run.lock", ".run.lock.holder"}


def test_what_is_old_is_removed_with_its_empty_folders_and_results_stay(results):
    cleaning = clean(results, 7)
    assert left(results) == RESULTS
    assert not (results / "checkpoints").exists()
    assert sum(cleaning.removed.values()) == sum(LEFT.values())
    assert not cleaning.skipped_locked and not cleaning.skipped_recent
    assert {path.relative_to(results).as_posix() for path in cleaning.removed} == {
        TRAINING, DRAWN, "checkpoints/compiled",
        f"samples/{MODEL}/ancestral50/.99999999.host.partial.samples.npy",
        f"models/{MODEL[:-7]}/.partial-seed42",
    }  # fmt: skip


def test_what_is_young_stays_unless_everything_is_asked_for(results):
    os.utime(results / f"{TRAINING}/000000100-0123456789abcdef.pt")
    os.utime(results / "checkpoints/compiled/ab/code.py")
    cleaning = clean(results, 7)
    assert set(cleaning.skipped_recent) == {results / TRAINING, results / "checkpoints" / "compiled"}
    kept = {name for name in LEFT if name.startswith((TRAINING, "checkpoints/compiled"))}
    assert left(results) - RESULTS - {f"{TRAINING}/lock.holder"} == kept - {f"{TRAINING}/lock.holder"}
    clean(results, 0)
    assert left(results) == RESULTS


def test_a_job_that_runs_keeps_its_own_and_what_jobs_share(results):
    with processes() as started:
        running = started.start(HOLD, results / TRAINING / "lock")
        assert running.stdout.readline()
        cleaning = clean(results, 0)
        [(folder, holder)] = cleaning.skipped_locked.items()
        assert folder == results / TRAINING and f"process {running.pid}," in holder
        assert left(results) - RESULTS == {name for name in LEFT if not name.startswith(DRAWN)}
    clean(results, 0)
    assert left(results) == RESULTS


def test_while_a_run_has_the_folder_nothing_is_removed(results):
    with processes() as started:
        running = started.start("hold_until_exit(path, str); say('held')", results / ".run.lock")
        assert running.stdout.readline()
        cleaning = clean(results, 0)
        assert f"process {running.pid}," in cleaning.skipped_locked[results]
        assert left(results) == RESULTS | set(LEFT)


def test_a_file_that_a_process_of_this_machine_is_writing_stays(results):
    name = f"tables/.{os.getpid()}.{socket.gethostname()}.partial.scores.csv"
    (results / name).touch()
    clean(results, 0)
    assert left(results) == RESULTS | {name}


def test_a_lock_that_was_left_alone_goes_at_any_age(results):
    lock = results / "checkpoints" / "features" / "empty" / "lock"
    lock.touch()
    clean(results, 1000)
    assert not lock.parent.exists()


def test_a_folder_that_is_none_of_a_run_is_refused(tmp_path):
    (tmp_path / ".1.partial.txt").touch()
    with pytest.raises(UserError, match="is no results folder"):
        clean(tmp_path, 0)
    assert (tmp_path / ".1.partial.txt").exists()


def test_the_command_cleans_all_results_folders_and_says_how_much(results, repository):
    script = repository / "scripts" / "clean_cache.py"
    environment = {**os.environ, "PYTHONPATH": str(repository / "src")}
    folder = results.rename(results.parent / "demo")
    (results / "other").mkdir(parents=True)
    folder.rename(results / "demo")
    done = subprocess.run(
        [sys.executable, script], cwd=results.parent, text=True, capture_output=True, check=True,
        env=environment,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert f"removed results/demo/{TRAINING}, 0.0 MB" in lines
    assert lines[-1] == "0.0 MB removed from 1 results folders"
    assert left(results / "demo") == RESULTS
