"""The plan names the jobs of a run, and what they cost."""

import re
import subprocess
import sys

import pytest


def plan(repository, folder, *arguments: str) -> subprocess.CompletedProcess:
    """The plan made in an empty folder."""
    return subprocess.run(
        [sys.executable, str(repository / "scripts" / "plan.py"), *arguments],
        cwd=folder, text=True, capture_output=True, check=False,
    )  # fmt: skip


def test_the_plan_of_a_figure(repository, tmp_path):
    done = plan(repository, tmp_path, "fig2a", "--gpus", "3")
    assert done.returncode == 0, done.stderr
    assert re.search(r"^ +train +39 ", done.stdout, re.MULTILINE)
    assert re.search(r"^ +features_data +1 ", done.stdout, re.MULTILINE)
    assert "wall time on 3 GPUs: " in done.stdout and "GB of checkpoints" in done.stdout
    assert re.search(
        r"^storage: all else .* GB, features .* GB, models 15.. GB, samples .* GB; below results",
        done.stdout,
        re.MULTILINE,
    )
    assert "not kept" not in done.stdout
    assert not list(tmp_path.glob("results"))


def test_what_is_not_kept_is_said(repository, tmp_path):
    (tmp_path / "site.yaml").write_text("keep: {models: false, features: false}")
    done = plan(repository, tmp_path, "fig2a")
    assert re.search(r"^storage: all else \S+ GB, samples \S+ GB; below", done.stdout, re.MULTILINE)
    assert re.search(r"^not kept .*: features \S+ GB, models \S+ GB$", done.stdout, re.MULTILINE)


def test_a_site_says_what_it_has(repository, tmp_path):
    (tmp_path / "site.yaml").write_text("cluster: {gpus: 7, gpu_tflops: 9, longest_minutes: 5}")
    done = plan(repository, tmp_path, "fig2a")
    assert "wall time on 7 GPUs" in done.stdout and "rates: cluster.gpu_tflops: 9" in done.stdout
    assert re.search(r"longer than 5 minutes: \d+ jobs, in up to \d+ tries", done.stdout)


def test_without_a_gpu_hours_are_of_processors(repository, tmp_path):
    done = plan(repository, tmp_path, "--gpus", "0", "--configfile", str(repository / "demo.yaml"))
    assert re.search(r"^ +train +1 ", done.stdout, re.MULTILINE)
    assert "GPU" not in done.stdout
    [wall] = re.findall("wall time, one job after the other: .*", done.stdout)
    short = plan(
        repository, tmp_path, "--short", "--gpus", "0", "--configfile", str(repository / "demo.yaml")
    )
    [line] = short.stdout.splitlines()
    assert f" jobs, estimated {wall}; memory: at most " in line and re.search(r"files: \d+\.\d GB", line)


@pytest.mark.parametrize("target", ["demo", "demo-sagd", "demo-steps", "study", "paper"])
def test_make_says_what_a_run_will_take_before_it_is_run(repository, target):
    said, run = (
        set(re.search(rf"{command}(.*)", made(repository, target))[1].split())
        for command in (r"plan\.py --short --gpus 2", "snakemake --cores all")
    )
    assert said == run - {"--", "--logger", "rich"}


@pytest.mark.parametrize("target", ["bench", "bench-quality", "bench-points", "test"])
def test_make_says_how_long_other_work_takes(repository, target):
    [command] = [line for line in made(repository, target).splitlines() if line.startswith("sed ")]
    done = subprocess.run(command, shell=True, cwd=repository, text=True, capture_output=True, check=True)
    assert re.fullmatch(rf"{target}: .*; about [^;]+\n", done.stdout)


def made(repository, target: str) -> str:
    """The commands that make would run."""
    command = ["make", "--dry-run", "-o", ".venv/.ready", target, "GPUS=2", "STEP=figY1"]
    return subprocess.run(command, cwd=repository, text=True, capture_output=True, check=True).stdout


def test_a_config_that_is_wrong_is_named(repository, tmp_path):
    (tmp_path / "site.yaml").write_text("cluster: {gpu_job: {gres: 'gpu:1', gpu: 1}}")
    done = plan(repository, tmp_path)
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert line.startswith("error: config: cluster: ") and "keep one of the two ways" in line


def test_a_figure_that_is_not_there_is_named(repository, tmp_path):
    done = plan(repository, tmp_path, "fig2aa")
    assert done.returncode == 2
    assert done.stderr == "error: there is no figure 'fig2aa'; did you mean 'fig2a'?\n"


@pytest.mark.parametrize(("target", "runs"), [("paper", False), ("study", False), ("dry-run", True)])
def test_a_config_is_not_silently_left_out(repository, target, runs):
    command = ["make", "--dry-run", "-o", ".venv/.ready", target, "CONFIG=demo.yaml"]
    done = subprocess.run(command, cwd=repository, text=True, capture_output=True, check=False)
    assert ("--configfile demo.yaml" in done.stdout) == runs
    assert ("has a config of its own" in done.stderr) == (not runs) == (done.returncode != 0)


def test_an_overlay_with_a_key_twice_is_named(repository, tmp_path):
    overlay = tmp_path / "mine.yaml"
    overlay.write_text("seeds: {one: [1]}\nseeds: {one: [2]}\n")
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--snakefile", str(repository / "Snakefile"), "-n",
         "--configfile", str(overlay)],
        cwd=tmp_path, text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert f"error: {overlay} is no valid YAML (line 2: seeds is there twice); correct it" in done.stderr
