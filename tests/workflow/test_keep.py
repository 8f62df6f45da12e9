"""What the config does not keep is removed once nothing needs it, and is made again when something does."""

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.points import make_project, starts_of_jobs

POINT = "pictures/ddpm/s0.00/published/tiny/seed42"
SAMPLES = f"{POINT}/ancestral5-leading-small-published-whitened-n12"
GRID, SCORES = f"samples/{SAMPLES}/grid.png", f"scores/{SAMPLES}/random-ref16.json"
TARGETS = ("fig2f", f"results/tiny/{GRID}")
LARGE = ("*.safetensors", "samples.npy", "trajectory.npz", "random.npz")
NOTHING = {"models": False, "samples": False, "features": False}


def large_files(results: Path) -> list[str]:
    """Of the point whose files are made anew."""
    folders = [results / kind / POINT for kind in ("models", "samples", "features")]
    return sorted(file.name for folder in folders for name in LARGE for file in folder.rglob(name))


@pytest.mark.parametrize("keep", [NOTHING, {"models": False}, {"samples": False}, {"features": False}])
def test_what_is_kept_is_no_reason_to_rerun(workspace, keep):
    workspace.set("keep", keep)
    assert not workspace.planned()


def test_a_point_that_is_not_kept_ends_with_the_same_scores_and_figures(workspace):
    results = workspace.path / "results" / "tiny"
    wanted = [results / file for file in ("figures/fig2f.png", GRID)]
    before = [file.read_bytes() for file in wanted]
    scores = json.loads((results / SCORES).read_text())
    assert len(large_files(results)) == len(LARGE)
    for kind in ("models", "samples", "features", "scores"):
        shutil.rmtree(results / kind / "pictures" / "ddpm")
    workspace.set("keep", NOTHING)
    workspace.run(*TARGETS)
    assert [file.read_bytes() for file in wanted] == before
    assert json.loads((results / SCORES).read_text()) == scores
    assert large_files(results) == []
    assert not [file for file in (results / "checkpoints").rglob("*") if file.is_file()]
    assert not workspace.planned(*TARGETS)

    workspace.set("keep", {})  # what is gone is not missed until something needs it
    assert not workspace.planned(*TARGETS)
    workspace.set("experiments.cifar10_sdm.samplers", [{}, {"steps": 3}])
    planned = workspace.planned("fig2f")
    assert planned["train"] == 1  # of the three models, the one without weights
    assert planned["sample"] == planned["scores"] == 3 + 1  # its sample set is drawn again, too


def test_a_file_that_is_asked_for_by_its_name_stays(workspace):
    results = workspace.path / "results" / "tiny"
    features = f"features/{SAMPLES}/random.npz"
    (results / features).unlink()
    workspace.set("keep", NOTHING)
    assert workspace.planned(f"results/tiny/{features}") == Counter(features_samples=1)
    workspace.run(f"results/tiny/{features}")
    assert (results / features).is_file()


def test_a_point_that_was_begun_is_finished_first(tmp_path):
    """Fifty trainings are ready, in a project whose jobs do nothing; one is at a time on the GPU."""
    project = tmp_path / "project"
    make_project(project)
    rules = [rule for _, rule in starts_of_jobs(project) if rule not in ("hyperparameters", "model_card")]
    whole = ["train", "sample", "pictures", "features_samples", "scores"]
    assert rules == (whole + whole)[: len(rules)]
