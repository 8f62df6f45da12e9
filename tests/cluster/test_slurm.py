"""Runs through profiles/slurm on a real SLURM: from config to figure, and interrupted in every way."""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pandas as pd
import pytest

from tests.cluster.slurm import Slurm, output, why_not
from tests.workspace import Workspace, make_workspace

pytestmark = [pytest.mark.cluster, pytest.mark.slow]
PROFILE = ("--workflow-profile", "profiles/slurm", "--max-threads", "1")
SOON = ("--slurm-init-seconds-before-status-checks", "2")
SITE = "cluster: {every_job: {slurm_partition: main}, gpu_job: {gpu_model: h200}}\n"
MODEL = "pictures/ddpm/s0.00/published/tiny/seed42"
SAMPLES = f"{MODEL}/ancestral5-leading-small-published-whitened-n12"
SCORES = f"results/tiny/scores/{SAMPLES}/random-ref16.json"
RUNS: list[subprocess.Popen] = []
CHECKPOINTS = f"results/tiny/checkpoints/training/{MODEL}"


@pytest.fixture
def cluster(tmp_path_factory):
    """The cluster; a machine has only one."""
    if reason := why_not():
        pytest.skip(f"no SLURM: {reason}")
    slurm = Slurm(tmp_path_factory.mktemp("slurm"))
    try:
        slurm.start()
        yield slurm
    finally:
        slurm.stop()
        for run in RUNS:  # that a failed test has left
            if run.poll() is None:
                os.killpg(run.pid, signal.SIGKILL)


def submit(workspace: Workspace, *targets: str) -> subprocess.Popen:
    """Start Snakemake with the profile for SLURM, as a user does on a login node."""
    (workspace.path / "site.yaml").write_text(SITE)
    shells = workspace.path / "shells.sh"  # each shell of a job starts with this
    shells.write_text(f'echo "$SLURM_JOB_ID:$HF_HUB_OFFLINE" >> {workspace.path}/shells\n')
    command = workspace.command(*targets)
    local = command.index("--cores")
    command = [*command[:local], *PROFILE, *SOON, "--configfile", "overlay.yaml"]
    run = subprocess.Popen(
        command, cwd=workspace.path, env={**workspace.environment(), "BASH_ENV": str(shells)}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    RUNS.append(run)
    return run


def gpu_jobs() -> pd.DataFrame:
    """Start and end of the jobs that were given a GPU, and how many."""
    rows = []
    for line in output("scontrol", "--oneliner", "show", "jobs").splitlines():
        job = dict(re.findall(r"(\S+?)=(\S*)", line))
        if gpus := re.fullmatch(r"(?:gres:)?gpu:h200:(\d+)", job.get("TresPerJob", "")):
            start, end = (pd.Timestamp(job[name]) for name in ("StartTime", "EndTime"))
            rows.append({"job": job["JobId"], "gpus": int(gpus[1]), "start": start, "end": end})
    return pd.DataFrame(rows)


def test_a_run_goes_from_config_to_figure_and_another_is_interrupted(
    cluster, finished_run, tmp_path, repository, inception_weights
):
    """One test of two parts, so that they follow one another on the one cluster."""
    fresh = make_workspace(tmp_path / "run", repository, inception_weights)
    a_run_from_config_to_figure(cluster, fresh, finished_run)
    interrupted_in_every_way_it_ends_with_the_same_scores(cluster, *wanted(finished_run, tmp_path))


def a_run_from_config_to_figure(cluster: Slurm, workspace: Workspace, finished_run: Workspace) -> None:
    """Two GPUs are shared out, each job is told which one is its own, and the scores are a local run's."""
    workspace.set("targets", ["fig2a"])
    running = submit(workspace)
    said, _ = running.communicate(timeout=900)
    assert running.returncode == 0, said[-5000:]

    jobs = gpu_jobs()
    assert set(jobs["gpus"]) == {1}
    assert len(jobs) == 1 + 3 + 3 + 1  # the reference's features, trainings, samplings, a group of features
    assert max(((jobs["start"] <= at) & (jobs["end"] > at)).sum() for at in jobs["start"]) == 2
    for job in jobs["job"]:
        assert cluster.devices(job) in ({"0"}, {"1"})
    assert (
        len(re.findall("has been submitted", said))
        == len(cluster.jobs())
        < len(re.findall("Finished jobid", said))
    )

    shells = {
        line.split(":")[0]: line.split(":")[1] for line in (workspace.path / "shells").read_text().split()
    }
    assert shells.pop("") == ""  # of what runs on the login node
    assert set(shells) == set(cluster.jobs()) and set(shells.values()) == {"1"}

    assert (workspace.path / "results/tiny/figures/fig2a.png").exists()
    table = "results/tiny/tables/experiments/cifar10_sdm.csv"
    found, local = (
        pd.read_csv(run.path / table).select_dtypes("number") for run in (workspace, finished_run)
    )
    pd.testing.assert_frame_equal(found, local, rtol=1e-3)  # of more threads, in other places


def wanted(finished_run: Workspace, tmp_path: Path) -> tuple[Workspace, dict]:
    """A copy of the finished run that wants a training of some seconds, and the scores that it ends with."""
    for name in ("disturbed", "undisturbed"):
        workspace = finished_run.copy(tmp_path / name)
        workspace.set("recipes.tiny.training.epochs", 150)
        workspace.set("engine.checkpoint_steps", 20)
    workspace.run(SCORES)
    return Workspace(tmp_path / "disturbed", workspace.overlay), scores(workspace)


def scores(workspace: Workspace) -> dict:
    """The scores of the model, without when and where they were made."""
    content = json.loads((workspace.path / SCORES).read_text())
    return {name: value for name, value in content.items() if name != "provenance"}


def wait_for(what, seconds: float = 300):
    """The first true value of what()."""
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, output("squeue")
        time.sleep(0.1)
    return found


def running_training() -> str | None:
    """The newest training that SLURM runs."""
    found = output("squeue", "--noheader", "--states=R", "--sort=-i", "--format=%i %k").splitlines()
    return next((line.split()[0] for line in found if "rule_train" in line), None)


class Progress:
    """A training that is stopped in the middle as often as the test wants."""

    def __init__(self, workspace: Workspace) -> None:
        self.folder, self.process = workspace.path / CHECKPOINTS, 0

    def step(self) -> int:
        """The step of the newest checkpoint."""
        return max((int(path.name.split("-")[0]) for path in self.folder.glob("[0-9]*.pt")), default=0)

    def frozen(self) -> str:
        """The job of a training that has written a checkpoint, stopped; SLURM wakes what it ends."""
        wait_for(lambda: not (self.process and Path("/proc", str(self.process)).exists()))
        before = self.step()
        wait_for(lambda: self.step() > before)
        holder = json.loads((self.folder / "lock.holder").read_text())
        self.process = int(re.search(r"process (\d+)", holder)[1])
        os.kill(self.process, signal.SIGSTOP)
        return wait_for(running_training)


def interrupted_in_every_way_it_ends_with_the_same_scores(
    cluster: Slurm, workspace: Workspace, expected: dict
) -> None:
    log = workspace.path / f"results/tiny/logs/train/{MODEL}.log"
    progress = Progress(workspace)

    running = submit(workspace, SCORES)
    orphan = progress.frozen()
    os.killpg(running.pid, signal.SIGKILL)  # the login node is gone, the job is not
    running.communicate()
    locked = submit(workspace, SCORES)
    assert "--unlock" in locked.communicate()[0] and locked.returncode != 0
    assert workspace.snakemake("--unlock").returncode == 0
    running = submit(workspace, SCORES)
    wait_for(lambda: log.exists() and "which holds the lock on the training of" in log.read_text())
    subprocess.run(["scancel", orphan], check=True)

    progress.frozen()
    cluster.lose_node()
    os.kill(progress.process, signal.SIGKILL)
    subprocess.run(
        ["pkill", "-KILL", "--full", f"{workspace.path}/Snakefile"], check=True
    )  # the job's Snakemake
    cluster.resume_node()

    job = progress.frozen()
    subprocess.run(["scontrol", "requeue", job], check=True)

    job = progress.frozen()
    subprocess.run(["scontrol", "update", f"JobId={job}", "TimeLimit=1"], check=True)

    said, _ = running.communicate(timeout=600)
    assert running.returncode == 0, said[-5000:]
    assert "continuing from step" in log.read_text()
    for ended in (orphan, job):  # by SIGTERM to the whole job, which gave them the time for a checkpoint
        [said] = (workspace.path / ".snakemake/slurm_logs").glob(f"rule_train/**/{ended}.log")
        assert "interrupted after step" in said.read_text()
    assert scores(workspace) == expected
