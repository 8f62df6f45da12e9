"""Both configs plan what they promise."""

import re
import subprocess
import sys

import pytest


def plan(repository, tmp_path, *arguments: str) -> dict[str, int]:
    """Jobs a rule of a dry-run in an empty folder."""
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--snakefile", str(repository / "Snakefile"),
         "--directory", str(tmp_path), "--cores", "all", "--dry-run", *arguments],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    output = done.stdout + done.stderr
    assert done.returncode == 0, output[-3000:]
    stats = output.split("Job stats:")[1].split("total")[0]
    return {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", stats, re.MULTILINE)}


def test_the_config_plans_the_full_reproduction(repository, tmp_path):
    jobs = plan(repository, tmp_path)
    assert jobs["download"] == jobs["canonical"] == jobs["pca"] == jobs["features_data"] == 3
    # CIFAR-10: 10 strengths x 3 seeds + 3 baselines + 10 HDM; 11 each for CIFAR-100 and CelebA-64
    assert jobs["train"] == jobs["sample"] == jobs["features_samples"] == jobs["scores"] == 65
    assert jobs["figure_u_curve"] == 5 and jobs["table"] == 4
    tables = ("weights", "drift", "spectrum", "theory", "spectra", "readings")
    kinds = ("drift", "forward_noise", "sample_grids", "theory", "spectra", "readings", "noise_gallery")
    for rule in (*tables, *(f"figure_{kind}" for kind in kinds)):
        assert jobs[rule] == 1
    assert jobs["figure_precision_recall"] == 1


def test_the_demo_plans_three_points(repository, tmp_path):
    jobs = plan(repository, tmp_path, "--configfile", str(repository / "demo.yaml"))
    assert jobs["train"] == jobs["sample"] == jobs["scores"] == 3
    assert jobs["download"] == 1


@pytest.mark.parametrize(
    ("target", "trained"), [("fig2a", 33), ("fig2b", 21), ("fig2d", 11), ("figB2", 0), ("figT", 0)]
)
def test_every_figure_is_a_target(repository, tmp_path, target, trained):
    assert plan(repository, tmp_path, target).get("train", 0) == trained


def test_what_figures_share_is_one_job(repository, tmp_path):
    assert plan(repository, tmp_path, "fig2a", "fig2b", "fig2c", "fig2f", "fig3")["train"] == 43


def test_fetch_gets_everything_from_outside(repository, tmp_path):
    assert plan(repository, tmp_path, "fetch") == {"fetch": 1, "download": 5, "weights": 1}
