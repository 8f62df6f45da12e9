"""Scores that are shared without models: taken over if settings, code and trainings are the present ones."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from shapednoise.diffusion.training import training_facts
from shapednoise.files import read_json, write_json
from shapednoise.noise.shape import with_data
from shapednoise.workflow.code import code_digest, code_digests, stage_name
from shapednoise.workflow.layout import Layout
from shapednoise.workflow.project import load_project_config
from shapednoise.workflow.shared_scores import SharedScores

AXES = [[0.6, 0.0, 0.8], [0.0, 1.0, 0.0], [-0.8, 0.0, 0.6]]
TRAIN = stage_name("train", "noise.operators.squeezed")
PREDICTED = "scores/predicted/cifar10/undistorted-n1000/inception-ref4000.json"


@pytest.fixture
def config(repository, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return load_project_config(repository, [repository / "study.yaml"])


@pytest.fixture
def shared(config) -> Path:
    """The scores of one training of four, of more code than scores depend on, and its data's axes."""
    layout, folder = Layout(config), Path("shared")
    write_json(folder / "config.json", config.model_dump(mode="json"))
    for stage in (TRAIN, "features", "table"):
        write_json(folder / "code" / f"{stage}.json", code_digests(stage))
    for each, file in zip(layout.sample_sets("study_sdm"), layout.scores("study_sdm"), strict=True):
        if each.model.seed == 42:
            write_json(folder / Path(file).relative_to(config.results), {"fid": 90.0})
            model = each.model
    shape = with_data(config.shape_of_network(model.noise, model.network), AXES, None)
    facts = training_facts(config.recipes[model.recipe].training, shape, model.marginal, 42, "pixels")
    record = json.loads(json.dumps(facts)) | {"fingerprint": {"code": code_digest(TRAIN)}}
    write_json(folder / "models" / model.path / "provenance.json", record)
    write_json(folder / PREDICTED, {"fid": 30.0})
    write_json(Path(layout.pca("cifar10")), {"axes": AXES})
    write_json(Path(layout.manifest("cifar10")), {"sha256_of_pixels": "pixels"})
    return folder


def test_scores_of_the_present_config_are_taken_and_nothing_is_written_over(config, shared):
    found = SharedScores(config, shared)
    assert found.changed_settings() == found.changed_code() == found.differences_of_models() == []
    assert set(found.needed()) == {
        "results/study/pca/cifar10.json",
        "results/study/spectrum/cifar10.npy",
        *(f"results/study/features/data/cifar10/inception-ref{count}{end}" for count in (5000, 4000)
          for end in (".npz", "-neighbours.npy")),
    }  # fmt: skip
    mine = Path(config.results, found.scores[0])
    write_json(mine, {"fid": 1.0})
    assert found.take() == 8 + 1
    assert read_json(mine) == {"fid": 1.0} and read_json(Path(config.results, PREDICTED)) == {"fid": 30.0}
    code = {file.stem for file in Path(config.results, "code").iterdir()}
    assert code == {TRAIN, "features"}  # what tables are made by may change


def test_grids_are_wanted_of_models_that_are_here(config, shared):
    before = len(Layout(config).grids())
    SharedScores(config, shared).take()
    [model] = Path(config.results, "models").rglob("provenance.json")
    grids = Layout(config).grids()
    trained = "/".join(model.parent.parts[-5:])  # from the noise to the seed
    assert len(grids) < before and not any(f"/{trained}/" in grid for grid in grids)
    write_json(model.parent / "model_index.json", {})
    assert len(Layout(config).grids()) == before


def test_axes_may_differ_by_the_rounding_of_another_machine(config, shared):
    pca = Path(Layout(config).pca("cifar10"))
    write_json(pca, {"axes": [[0.6 + 2e-16, 1e-17, 0.8], *AXES[1:]]})
    assert read_json(pca)["axes"] != AXES
    assert SharedScores(config, shared).differences_of_models() == []
    write_json(pca, {"axes": [[0.6 + 1e-6, 0.0, 0.8], *AXES[1:]]})
    [line] = SharedScores(config, shared).differences_of_models()
    assert line.endswith("seed42: other noise")


def test_other_code_settings_or_trainings_are_named(config, shared):
    write_json(shared / "code" / "features.json", {"scripts/features.py": "0"})
    assert SharedScores(config, shared).changed_code() == ["code of features is another one"]
    write_json(Path(Layout(config).manifest("cifar10")), {"sha256_of_pixels": "others"})
    [line] = SharedScores(config, shared).differences_of_models()
    assert line.endswith("seed42: other images")
    theirs = read_json(shared / "config.json")
    theirs["recipes"]["study"]["training"]["epochs"] = 3
    theirs["seeds"]["study"] = [42]  # fewer seeds are no other scores
    write_json(shared / "config.json", theirs)
    assert SharedScores(config, shared).changed_settings() == ["recipes.study"]


def test_a_folder_without_a_wanted_score_is_refused(tmp_path, repository):
    """Snakemake without targets would make the whole study."""
    overlay = tmp_path / "other.yaml"
    overlay.write_text(
        f"results: {tmp_path}/results\nseeds: {{study: [1], study_two: [1]}}\ntargets: [figY1]\n"
    )
    done = subprocess.run(
        [sys.executable, "scripts/adopt.py", "study.yaml", overlay, "--check", "--scores",
         repository / "results" / "reference" / "study"],
        cwd=repository, text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2 and done.stderr.endswith("study has no score that this config wants\n")
