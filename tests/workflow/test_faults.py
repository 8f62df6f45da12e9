"""The short form of `python -m benchmarks.faults`: what happens to the disk, the files, the clock."""

import os
import re
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest

from shapednoise.workflow.locks import exclusive_lock

POINT = "pictures/sdm/s0.40/published/tiny/seed42"
RESULTS = "results/tiny"
WEIGHTS = f"{RESULTS}/models/{POINT}/unet/diffusion_pytorch_model.safetensors"
TABLE = f"{RESULTS}/tables/experiments/cifar10_sdm.csv"
CHECKPOINTS = f"{RESULTS}/checkpoints/training/{POINT}"
DAY = 24 * 3600


def one(workspace, pattern: str) -> str:
    """The one file of a pattern below the results, relative to the workspace."""
    [path] = workspace.path.glob(f"{RESULTS}/{pattern}")
    return str(path.relative_to(workspace.path))


@pytest.fixture
def samples(workspace) -> str:
    return one(workspace, f"samples/{POINT}/*/samples.npy")


@pytest.fixture
def features(workspace) -> str:
    return one(workspace, f"features/{POINT}/*/random.npz")


def the_error(output: str) -> str:
    """The one line that is said; no traceback."""
    assert "Traceback" not in output
    lines = {line for line in output.splitlines() if line.startswith("error: ")}
    assert len(lines) == 1, output[-3000:]
    return lines.pop()


@contextmanager
def mounted(place: Path, *options: str):
    """A file system at a folder, for as long as the block; skips the test where that is not allowed."""
    place.mkdir(parents=True, exist_ok=True)
    if (
        os.geteuid()
        or subprocess.run(["mount", *options, place], check=False, capture_output=True).returncode
    ):
        pytest.skip("mounting a file system needs root")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def test_a_full_disk_stops_no_training_and_a_sampling_with_one_line(workspace, samples):
    """No checkpoint, no shard and no log can be written."""
    before = {file: (workspace.path / file).read_bytes() for file in (WEIGHTS, samples)}
    for file in before:
        (workspace.path / file).unlink()
    workspace.set("engine.checkpoint_steps", 2)
    small = ("-t", "tmpfs", "-o", "size=32k", "tmpfs")
    logs = workspace.path / RESULTS / "logs"
    with mounted(workspace.path / RESULTS / "checkpoints", *small), mounted(logs, *small):
        (logs / "full").write_bytes(bytes(32 * 1024))
        done = workspace.snakemake(samples)
        assert not list(logs.rglob("*.log")) or not any(log.stat().st_size for log in logs.rglob("*.log"))
    assert "no checkpoint of step 2: " in done.stdout, done.stdout[-3000:]
    assert (workspace.path / WEIGHTS).read_bytes() == before[WEIGHTS]
    assert done.returncode != 0
    error = the_error(done.stdout)
    assert "No space left on device" in error and "000000000.npz; " in error and "make room" in error
    assert not (workspace.path / samples).exists()
    workspace.run(samples)
    assert (workspace.path / samples).read_bytes() == before[samples]


def test_a_read_only_results_folder_is_one_line(workspace):
    results = workspace.path / "results"
    (workspace.path / TABLE).unlink()
    with mounted(results, "--bind", results):
        subprocess.run(["mount", "-o", "remount,ro,bind", results], check=True)
        done = workspace.snakemake(TABLE)
    assert done.returncode != 0
    assert the_error(done.stdout).startswith(f"error: Read-only file system: {RESULTS}/config.json; ")


def test_features_with_turned_bytes_are_named_and_made_again(workspace, features):
    """The date is the old one, so that nobody but the reader can notice."""
    scores = one(workspace, f"scores/{POINT}/*/*.json")
    path, before = workspace.path / features, (workspace.path / features).read_bytes()
    date, content = path.stat().st_mtime, bytearray(before)
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    os.utime(path, (date, date))
    (workspace.path / scores).unlink()
    done = workspace.snakemake(scores)
    assert done.returncode != 0 and not (workspace.path / scores).exists()
    error = the_error(done.stdout)
    assert error.startswith(f"error: {features} is damaged ") and error.endswith("; delete it and run again")
    path.unlink()
    workspace.run(features)
    assert path.read_bytes() == before


def test_samples_that_are_cut_off_are_named_and_drawn_again(workspace, samples, features):
    before = [(workspace.path / file).read_bytes() for file in (samples, features)]
    os.truncate(workspace.path / samples, 5000)
    done = workspace.snakemake(features)
    assert done.returncode != 0
    error = the_error(done.stdout)
    assert error.startswith(f"error: {samples} is damaged ") and error.endswith("; delete it and run again")
    (workspace.path / samples).unlink()
    workspace.run(features)
    assert [(workspace.path / file).read_bytes() for file in (samples, features)] == before


def test_a_second_run_in_the_same_folder_is_refused_and_harms_nothing(workspace):
    """The first one's training waits for a lock that this process holds, so that it is under way."""
    before = (workspace.path / WEIGHTS).read_bytes()
    (workspace.path / WEIGHTS).unlink()
    with exclusive_lock(workspace.path / CHECKPOINTS / "lock", "the training"):
        first = subprocess.Popen(
            workspace.command(WEIGHTS), cwd=workspace.path, env=workspace.environment(),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        for line in first.stdout:
            if "which holds the lock on the training of" in line:
                break
        second = workspace.snakemake(WEIGHTS)
        assert first.poll() is None
    output, _ = first.communicate(timeout=120)
    assert first.returncode == 0, output[-3000:]
    assert second.returncode != 0
    assert "Directory cannot be locked" in second.stdout and "Traceback" not in second.stdout
    assert (workspace.path / WEIGHTS).read_bytes() == before


def test_a_clock_that_is_set_back_reruns_nothing_and_hides_no_edit(workspace):
    """All that was written until now is dated in the future."""
    for path in workspace.path.rglob("*"):
        if path.is_file():
            date = path.stat().st_mtime + DAY
            os.utime(path, (date, date))
    before = (workspace.path / TABLE).read_bytes()
    script = workspace.path / "scripts" / "table.py"
    script.write_text(script.read_text() + "\n# edited after the clock was set back\n")
    output = workspace.run(TABLE)
    assert "the clock was set back" in output
    assert re.findall(r"^(?:local)?rule (\w+):", output, re.MULTILINE) == ["table"]
    assert (workspace.path / TABLE).read_bytes() == before
    again = workspace.run(TABLE, "--dry-run")
    assert "Nothing to be done" in again and "the clock" not in again
