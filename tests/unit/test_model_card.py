"""A model's card is what the hub reads, and publishing lists before it sends."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from huggingface_hub import ModelCard
from PIL import Image

from shapednoise import ShapedDDPMPipeline, ShapedDDPMScheduler
from tests.unit.noise.shapes import SHAPES
from tests.unit.noise.test_schedulers import tiny_unet

DATASET = {"name": "cifar10", "title": "CIFAR-10", "licence": "none is stated", "hub": "uoft-cs/cifar10"}
PROVENANCE = {
    "seconds": 90.0, "git": {"commit": "abc", "edited": True}, "hardware": {"cpu": "a processor"}, "steps": 9,
    "seed": 42, "torch": "2.11", "precision": "float32", "training": {"epochs": 0.25, "batch_size": 16},
}  # fmt: skip
SCORES = {
    "strength": -0.4, "fid": 33.25, "fid_low": 32.5, "fid_high": 34.0, "recall": None,
    "generated_images": 10000, "real_images": 50000, "extractor": "inception",
    "sampler": {"steps": 50, "method": "ancestral"},
}  # fmt: skip


def run(repository, *command) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, *command], cwd=repository, text=True, capture_output=True, check=False
    )


@pytest.fixture(scope="module")
def model(repository, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    ShapedDDPMPipeline(tiny_unet(), ShapedDDPMScheduler(shape=SHAPES["sdm"])).save_pretrained(folder)
    (folder / "provenance.json").write_text(json.dumps(PROVENANCE))
    (folder / "snapshots").mkdir()
    (folder / "snapshots" / "epoch1.json").write_text("{}")
    scores, grid = folder.parent / "scores.json", folder.parent / "grid.png"
    scores.write_text(json.dumps(SCORES))
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(grid)
    done = run(repository, "scripts/model_card.py", "--model", folder, "--dataset", json.dumps(DATASET),
               "--scores", scores, "--grid", grid)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


def test_the_hub_reads_the_card(model):
    card = ModelCard.load(model / "README.md")
    card.data.to_dict()
    assert card.data.library_name == "diffusers" and card.data.datasets == ["uoft-cs/cifar10"]
    assert {"arxiv:2508.14871", "arxiv:2510.09660"} <= set(card.data.tags)
    [result] = card.data.eval_results
    assert (result.metric_type, result.metric_value, result.dataset_type) == ("fid", 33.25, "uoft-cs/cifar10")
    assert "[32.5 to 34], s = -0.4, 50 steps of ancestral, 10,000 images against 50,000" in result.metric_name
    assert "0.25 epochs, 9 steps of 16 images" in card.text and "commit abc with edits" in card.text
    assert "![The first samples, not chosen](samples.png)" in card.text and (model / "samples.png").is_file()


def test_the_card_of_a_network_of_many_strengths_tells_them_apart(repository, model, tmp_path):
    folder = shutil.copytree(model, tmp_path / "model")
    settings = folder / "scheduler" / "scheduler_config.json"
    scheduler = json.loads(settings.read_text())
    scheduler["shape"]["trained_strengths"] = [-0.4, 0.0, 0.4]
    settings.write_text(json.dumps(scheduler))
    files = [tmp_path / "squeezed.json", tmp_path / "white.json"]
    for file, strength in zip(files, (-0.4, 0.0), strict=True):
        file.write_text(json.dumps({**SCORES, "strength": strength}))
    done = run(repository, "scripts/model_card.py", "--model", folder, "--dataset", json.dumps(DATASET),
               "--scores", *files)  # fmt: skip
    assert done.returncode == 0, done.stderr
    card = ModelCard.load(folder / "README.md")
    assert card.data.model_name == "CIFAR-10, sdm at strengths -0.4, 0, 0.4"
    assert "| s = -0.4, 50 steps" in card.text and "| s = 0, 50 steps" in card.text
    assert "(batch_size=4, strength=-0.4)" in card.text


def test_publishing_lists_what_would_be_sent_and_sends_nothing(repository, model):
    done = run(repository, "scripts/publish.py", model, "--repo", "me/model")
    assert done.returncode == 0
    assert "README.md" in done.stdout and "snapshots" not in done.stdout
    assert done.stdout.splitlines()[-1].startswith("nothing was sent; --push sends these")


def test_a_model_without_a_card_is_not_published(repository, tmp_path):
    done = run(repository, "scripts/publish.py", tmp_path, "--repo", "me/model")
    assert done.returncode == 2 and "has no model_index.json; give a model of a finished run" in done.stderr


def test_a_repository_without_a_user_is_refused(repository, model):
    done = run(repository, "scripts/publish.py", model, "--repo", "me")
    assert done.returncode == 2 and done.stderr.endswith("error: --repo me: write USER/NAME\n")
