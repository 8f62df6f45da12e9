"""Both configs plan what they promise."""

import re
import subprocess
import sys

import pytest
import yaml


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
    assert jobs["download"] == jobs["preprocess"] == 5
    assert jobs["features_data"] == 5 + 1  # and the reference of predicted FIDs
    assert jobs["corrupt"] == 8 and jobs["pca"] == 5 + 8
    # 3 seeds each: CIFAR-10 with 12 strengths, the baseline and 12 HDM; 13 for CIFAR-100 and for CelebA-64;
    # SAGD: 7 exponents on two data sets, 6 more on CIFAR-10, 2 models a corrupted band; 12 exact processes
    assert jobs["train"] == 3 * (25 + 13 + 13 + 2 * 7 + 6 + 8 * 2 + 12)
    # one sample set each, and: three more step counts and `equations` of the 39 models of Figure 2a,
    # the baselines under `exact` and by the clamp of SAGD, three samplers at two strengths
    more = 3 * 39 + 39 + 3 + 3 + 3 * 6
    assert jobs["sample"] == jobs["features_samples"] == jobs["scores"] == jobs["train"] + more
    assert jobs["figure"] == 28
    assert jobs["theory"] == 4 and jobs["closed_form"] == 9
    assert jobs["distort"] == jobs["features_predicted"] == jobs["scores_predicted"] == 41
    assert jobs["spectrum"] == 3
    assert jobs["table"] == jobs["curves"] == jobs["hyperparameters"] == 18
    assert jobs["weights"] == jobs["claims"] == jobs["table_of_all"] == 1


def test_the_demo_plans_one_network_and_five_points(repository, tmp_path):
    jobs = plan(repository, tmp_path, "--configfile", str(repository / "demo.yaml"))
    assert jobs["train"] == 1 and jobs["sample"] == jobs["scores"] == 5
    assert jobs["download"] == 1 and jobs["preprocess"] == 2


def test_the_demo_of_sagd_plans_a_sweep_and_one_band(repository, tmp_path):
    jobs = plan(repository, tmp_path, "--configfile", str(repository / "demo-sagd.yaml"))
    assert jobs["train"] == jobs["sample"] == jobs["scores"] == 3 + 2
    assert jobs["corrupt"] == jobs["download"] == 1 and jobs["figure"] == 2


def test_the_demo_of_steps_samples_one_network(repository, tmp_path):
    overlays = [str(repository / f"{name}.yaml") for name in ("demo", "demo-steps")]
    jobs = plan(repository, tmp_path, "--configfile", *overlays)
    assert jobs["train"] == 1 and jobs["sample"] == jobs["scores"] == 9


@pytest.mark.parametrize(
    ("target", "trained"),
    [
        ("fig2a", 39),
        ("fig2b", 75),
        ("fig2d", 39),
        ("figB2", 0),
        ("figT", 0),
        ("figS3", 0),
        ("figX1", 39),
        ("figO", 48),
    ],
)
def test_every_figure_is_a_target(repository, tmp_path, target, trained):
    assert plan(repository, tmp_path, target).get("train", 0) == trained


def test_what_figures_share_is_one_job(repository, tmp_path):
    assert plan(repository, tmp_path, "fig2a", "fig2b", "fig2c", "fig2f", "fig3")["train"] == 75


def test_fetch_gets_everything_from_outside(repository, tmp_path):
    assert plan(repository, tmp_path, "fetch") == {"fetch": 1, "download": 5, "weights": 1, "code": 1}


def test_a_thousand_points_are_planned(repository, tmp_path):
    """40 strengths, one of them 0, and 25 seeds; how long it takes is measured by benchmarks/points.py."""
    strengths = [-0.4, *(step / 100 for step in range(39))]
    overlay = {
        "name": "many", "results": "results/many", "targets": ["fig2a"],
        "strengths": {"grid": strengths}, "seeds": {"several": list(range(25))},
        "experiments": {"cifar10_sdm": {"together": None}},  # a network for every strength
    }  # fmt: skip
    (tmp_path / "many.yaml").write_text(yaml.safe_dump(overlay))
    files = [str(repository / "demo.yaml"), str(tmp_path / "many.yaml")]
    jobs = plan(repository, tmp_path, "--quiet", "rules", "--configfile", *files)
    point = ("train", "sample", "pictures", "features_samples", "scores", "model_card")
    assert {jobs[rule] for rule in point} == {1000}
    stages = jobs.pop("code")
    once = {"download", "preprocess", "pca", "weights", "features_data", "neighbours"}
    once |= {"hyperparameters", "table", "curves", "table_of_all", "claims", "figure", "all"}
    assert {rule for rule in jobs if jobs[rule] == 1} == once and sum(jobs.values()) == 6013
    assert stages < 20
