"""Jobs that are interrupted go on where they were, and end with what the undisturbed ones end with."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

MODEL = "pictures/ddpm/s0.00/published/tiny/seed42"
WEIGHTS = f"results/tiny/models/{MODEL}/unet/diffusion_pytorch_model.safetensors"
LOG = f"results/tiny/logs/train/{MODEL}.log"
CHECKPOINTS = f"results/tiny/checkpoints/training/{MODEL}"


def start(workspace, *arguments: str) -> subprocess.Popen:
    """Snakemake in a process group of its own, as a terminal starts it."""
    (workspace.path / LOG).unlink(missing_ok=True)
    return subprocess.Popen(
        workspace.command(*arguments), cwd=workspace.path, env=workspace.environment(),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip


def wait_for(what, seconds: float = 120):
    """The first true value of what()."""
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.1)
    return found


def checkpoints(workspace) -> list[Path]:
    return sorted((workspace.path / CHECKPOINTS).glob("[0-9]*.pt"))  # not one that is being written


def process_of_training(workspace) -> int:
    """The process id that the training itself has noted in its lock."""
    holder = json.loads((workspace.path / CHECKPOINTS / "lock.holder").read_text())
    return int(re.search(r"process (\d+)", holder)[1])


@pytest.fixture
def long_training(workspace):
    """A copy of the finished run, whose models now want a few hundred steps."""
    workspace.set("recipes.tiny.training.epochs", 60)
    workspace.set("engine.checkpoint_steps", 20)
    return workspace


@pytest.fixture(scope="module")
def undisturbed(finished_run, tmp_path_factory) -> bytes:
    """The weights that such a training ends with."""
    workspace = finished_run.copy(tmp_path_factory.mktemp("undisturbed") / "copy")
    workspace.set("recipes.tiny.training.epochs", 60)
    workspace.run(WEIGHTS)
    return (workspace.path / WEIGHTS).read_bytes()


def test_ctrl_c_leaves_a_checkpoint_and_a_rerun_continues(long_training, undisturbed):
    """Ctrl-C reaches the whole process group, as on a terminal."""
    workspace = long_training
    running = start(workspace, WEIGHTS)
    wait_for(lambda: checkpoints(workspace))
    os.killpg(running.pid, signal.SIGINT)
    output, _ = running.communicate(timeout=120)
    assert running.returncode != 0, output[-3000:]
    assert "run again to continue from there" in (workspace.path / LOG).read_text(), output[-3000:]
    assert checkpoints(workspace) and not (workspace.path / WEIGHTS).exists()
    assert not [path for path in workspace.path.rglob("*") if "partial" in path.name]

    workspace.run(WEIGHTS)
    assert "continuing from step" in (workspace.path / LOG).read_text()
    assert not (workspace.path / CHECKPOINTS).exists()
    assert (workspace.path / WEIGHTS).read_bytes() == undisturbed


@pytest.mark.parametrize(
    ("signum", "said"),
    [(signal.SIGKILL, "Killed"), (signal.SIGTERM, "interrupted after step"), (signal.SIGUSR1, "interrupted")],
)
def test_a_training_that_is_ended_from_outside_is_retried_in_the_same_run(
    long_training, undisturbed, signum, said
):
    """By the system for want of memory, or by a cluster before its limit."""
    workspace = long_training
    running = start(workspace, WEIGHTS, "--retries", "1")
    wait_for(lambda: checkpoints(workspace))
    os.kill(process_of_training(workspace), signum)
    output, _ = running.communicate(timeout=240)
    assert running.returncode == 0, output[-3000:]
    assert said in output
    assert "Trying to restart job" in output
    assert "continuing from step" in (workspace.path / LOG).read_text()
    assert (workspace.path / WEIGHTS).read_bytes() == undisturbed


def test_after_an_edit_of_the_code_the_checkpoint_is_named_and_not_used(long_training, undisturbed):
    workspace = long_training
    running = start(workspace, WEIGHTS)
    wait_for(lambda: checkpoints(workspace))
    os.killpg(running.pid, signal.SIGINT)
    running.communicate(timeout=120)
    workspace.edit("src/shapednoise/diffusion/training.py", "LOG_STEPS = 50", "LOG_STEPS = 25")
    workspace.run(WEIGHTS)
    log = (workspace.path / LOG).read_text()
    assert "was made by other code and is not used" in log
    assert "training starts from step 0" in log
    assert (workspace.path / WEIGHTS).read_bytes() == undisturbed


def test_a_second_process_on_a_point_waits_and_then_has_nothing_to_do(workspace):
    """The command of the workflow's own training, started twice by hand."""
    plan = workspace.run(WEIGHTS, "--forcerun", "train", "--dry-run", "--printshellcmds")
    [line] = [line for line in plan.splitlines() if "python scripts/train.py" in line]
    job = f"{sys.executable} " + line.partition("python ")[2].partition(" 2>&1")[0]
    job = job.replace('"epochs":3.0', '"epochs":60.0').replace(f"models/{MODEL}", "models/by_hand")
    environment = {**workspace.environment(), "PYTHONPATH": "src"}
    running = [
        subprocess.Popen(
            job, shell=True, cwd=workspace.path, env=environment, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    errors = [process.communicate(timeout=240)[1] for process in running]
    assert [process.returncode for process in running] == [0, 0], errors
    first, second = sorted(errors, key=lambda text: "waiting" in text)
    assert "which holds the lock on the training of results/tiny/models/by_hand" in second
    assert "is there already, made by the same settings and code" in second
    assert "100%" in first and "waiting" not in first and "100%" not in second

    weights = workspace.path / WEIGHTS.replace(MODEL, "by_hand")
    content = weights.read_bytes()
    weights.unlink()  # as where the config does not keep them: the model is not there, then
    done = subprocess.run(
        job, shell=True, cwd=workspace.path, env=environment, capture_output=True, text=True, check=True
    )
    assert "is there already" not in done.stderr
    assert weights.read_bytes() == content


@pytest.mark.parametrize("signum", ["SIGKILL", "SIGTERM"])
def test_jobs_killed_at_random_moments_end_with_the_same_bits(repository, tmp_path, signum):
    """The short form of `python benchmarks/kill.py`, which kills 20 times."""
    done = subprocess.run(
        [
            *(sys.executable, "benchmarks/kill.py", "--kills", "2", "--signal", signum),
            *("--steps", "80", "--images", "200", "--checkpoint-steps", "3", "--threads", "1"),
        ],
        cwd=repository, text=True, capture_output=True, check=False,
        env={**os.environ, "PYTHONPATH": "src", "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the same, bit for bit" in done.stdout
