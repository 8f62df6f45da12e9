"""Several users, clones and machines on one results folder."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from tests.workspace import Workspace, make_workspace

TABLE = "tables/hyperparameters/cifar10_sdm.csv"


def wait_for(what, seconds: float = 600) -> None:
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
    holder, table = results / ".run.lock.holder", results / TABLE
    running = subprocess.Popen(
        one.command(str(table)), cwd=one.path, env=one.environment(), stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        wait_for(holder.exists)
        os.killpg(running.pid, signal.SIGSTOP)  # with the jobs that it may have started
        before = times(results)
        refused = other.snakemake(str(table), "--forceall")
        [line] = [line for line in refused.stdout.splitlines() if line.startswith("error: ")]
        who = json.loads(holder.read_text())
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


@pytest.fixture
def copied(finished_run, tmp_path, repository, inception_weights) -> Workspace:
    """A copy of the project with its archives, and the results of a finished run without its history."""
    fresh = make_workspace(tmp_path / "copy", repository, inception_weights)
    shutil.copytree(finished_run.path / "results", fresh.path / "results", copy_function=shutil.copy)
    scramble(fresh.path / "results")
    return fresh


def scramble(folder: Path) -> None:
    """Times in no order, as of a plain copy by several processes."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    random.Random(0).shuffle(files)
    now = time.time()
    for place, file in enumerate(files):
        os.utime(file, (now - 1000 + place, now - 1000 + place))


def adopt(workspace: Workspace, *arguments: str) -> subprocess.CompletedProcess:
    workspace.command()  # writes the overlay
    return subprocess.run(
        [sys.executable, "scripts/adopt.py", "overlay.yaml", *arguments], cwd=workspace.path, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        env={**workspace.environment(), "PYTHONPATH": "src"},
    )  # fmt: skip


@pytest.mark.parametrize("data", ["prepared", "not prepared"])
def test_copied_results_are_adopted_and_later_edits_seen(copied, finished_run, data):
    if data == "prepared":
        shutil.copytree(finished_run.path / "data", copied.path / "data", dirs_exist_ok=True)
        scramble(copied.path / "data")
    assert copied.planned()["train"] == 5
    done = adopt(copied)
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-1] == "adopted 5 models and 5 sample sets in results/tiny"
    assert not copied.planned()
    scramble(copied.path / "src")
    assert not copied.planned()
    copied.set("strengths.grid", [-0.4, -0.2, 0.0, 0.4])
    assert copied.planned()["train"] == 2
    copied.set("recipes.tiny.training.learning_rate", 2e-4)
    assert copied.planned()["train"] == 7


def test_what_is_not_there_is_made_by_the_next_run(copied):
    shutil.rmtree(copied.path / "results/tiny/models/pictures/sdm/s0.40")
    shutil.rmtree(copied.path / "results/tiny/samples/pictures/sdm/s0.40")
    done = adopt(copied)
    assert done.returncode == 0, done.stdout
    assert "adopted 4 models and 4 sample sets in results/tiny; 1 and 1 are yet to be made" in done.stdout
    planned = copied.planned("results/tiny/samples/pictures/sdm/s0.40/published/tiny/seed42/"
                             "ancestral5-leading-small-published-whitened-n12/grid.png")  # fmt: skip
    assert planned == {"train": 1, "sample": 1, "pictures": 1}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda w: w.set("recipes.tiny.training.epochs", 4), "was made by other settings: recipes.tiny"),
        (lambda w: w.set("strengths.grid", [-0.4, -0.2, 0.0, 0.4]), "other settings: strengths.grid"),
        (
            lambda w: w.edit("src/shapednoise/diffusion/training.py", "LOG_STEPS = 50", "LOG_STEPS = 25"),
            "models/pictures/ddpm/s0.00/published/tiny/seed42: other code",
        ),
        (
            lambda w: w.edit("scripts/sample.py", "sharing = engine.points_per_gpu", "sharing = 1"),
            "seed42/ancestral5-leading-small-published-whitened-n12: other model or code",
        ),
        (
            lambda w: w.edit(
                "results/tiny/models/pictures/hdm/s0.40/published/tiny/seed42/provenance.json",
                '"strength": 0.4', '"strength": 0.3',
            ),
            "models/pictures/hdm/s0.40/published/tiny/seed42: other noise",
        ),
        (lambda w: (w.path / "results/tiny/config.json").unlink(), "copy the whole results folder"),
    ],
    ids=["recipe", "strengths", "trainer", "sampler", "noise", "no config"],
)  # fmt: skip
def test_what_other_settings_or_code_made_is_refused(copied, change, said):
    change(copied)
    before = times(copied.path / "results")
    done = adopt(copied)
    assert done.returncode == 2 and said in done.stdout, done.stdout
    assert len([line for line in done.stdout.splitlines() if line.startswith("error: ")]) == 1
    assert times(copied.path / "results") == before and not (copied.path / ".snakemake").exists()


def test_models_of_other_images_are_refused(copied):
    archive = copied.path / "data" / "pictures.zip"
    with zipfile.ZipFile(archive) as pack:
        pictures = {name: pack.read(name) for name in pack.namelist()}
    with zipfile.ZipFile(archive, "w") as pack:
        for name, content in zip(reversed(pictures), pictures.values(), strict=True):
            pack.writestr(name, content)
    done = adopt(copied)
    assert done.returncode == 2
    assert "models/pictures/sdm/s-0.40/published/tiny/seed42: other images" in done.stdout
    assert copied.planned()["train"] == 5


def test_data_that_other_results_depend_on_is_not_touched_nor_are_leftovers_results(workspace):
    """Arrays may be too large to be compared by content. The leftovers' command takes nothing either."""
    images = workspace.path / "data" / "pictures" / "size16" / "images.npy"
    before = images.stat().st_mtime_ns
    assert adopt(workspace, "--check").returncode == 0
    assert adopt(workspace).returncode == 0
    assert images.stat().st_mtime_ns == before
    (workspace.path / "results/tiny/checkpoints/compiled").mkdir(parents=True, exist_ok=True)
    (workspace.path / "results/tiny/checkpoints/compiled/code").touch()
    subprocess.run(
        [sys.executable, "scripts/clean_cache.py", "--days", "0"], cwd=workspace.path, check=True,
        env={**workspace.environment(), "PYTHONPATH": "src"},
    )  # fmt: skip
    assert not (workspace.path / "results/tiny/checkpoints").exists()
    assert not workspace.planned()
