"""A tracker shows what the results have, and changes none of them."""

import json
import logging
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from shapednoise.errors import UserError
from shapednoise.files import read_json, sha256_of_path
from shapednoise.log import TRACKERS, Log, square_of
from shapednoise.workflow.layout import Model

PATH = Model("pictures", "ddpm", "s0.00", "published", "tiny", 0).path
TRAINING = {
    "unet": {"channels": [8], "layers_per_block": 1, "norm_groups": 4},
    "batch_size": 20,
    "warmup_steps": 2,
    "epochs": 20,  # 60 steps of 60 images: rows at steps 50 and 60
}
SAMPLER = {"images": 10, "steps": 2, "method": "ddim", "spacing": "trailing"}


INSTALLED = [
    pytest.param(each, marks=pytest.mark.skipif(not find_spec(each), reason="not installed"))
    for each in TRACKERS
]


def run_script(script: str, folder: Path, tracker: str, *options, hidden: str = "") -> str:
    """Standard error of a script; hidden: a package that cannot be imported."""
    hide = f"import sys, runpy; sys.modules[{hidden!r}] = None; sys.argv.pop(0)"
    command = f"{hide}; runpy.run_path(sys.argv[0], run_name='__main__')"
    done = subprocess.run(
        [sys.executable, *(["-c", command] if hidden else []), f"scripts/{script}.py",
         *("--checkpoints", folder / "checkpoints", "--threads", "1"),
         *("--engine", json.dumps({"tracker": tracker}), *options)],
        text=True, capture_output=True, check=False,
        env={k: v for k, v in os.environ.items() if not k.startswith(("WANDB", "TRACKIO"))},
    )  # fmt: skip
    assert done.returncode == (2 if hidden else 0), done.stderr
    return done.stderr


def options_of_training(folder: Path) -> list:
    images = np.random.default_rng(0).integers(0, 256, (60, 1, 8, 8), np.uint8)
    np.save(folder / "images.npy", images)
    (folder / "manifest.json").write_text(json.dumps({"sha256_of_pixels": "0"}))
    (folder / "pca.json").write_text(json.dumps({"axes": [[1.0]]}))
    return [
        *("--images", folder / "images.npy", "--manifest", folder / "manifest.json", "--seed", "0"),
        *(
            "--pca",
            folder / "pca.json",
            "--shape",
            '{"operator": "ddpm"}',
            "--training",
            json.dumps(TRAINING),
        ),
        *("--output", folder / "models" / PATH),
    ]


def trained_and_sampled(folder: Path, tracker: str) -> Path:
    """A results folder with a model and a sample set of it."""
    folder.mkdir()
    run_script("train", folder, tracker, *options_of_training(folder))
    samples = folder / "samples" / PATH / "ddim2"
    run_script(
        *("sample", folder, tracker, "--model", folder / "models" / PATH, "--sampler", json.dumps(SAMPLER)),
        *("--samples", samples / "samples.npy", "--trajectory", samples / "trajectory.npz"),
        *("--provenance", samples / "provenance.json"),
    )
    return folder


@pytest.fixture(scope="module")
def untracked(tmp_path_factory, repository):
    return trained_and_sampled(tmp_path_factory.mktemp("untracked") / "results", "none")


@pytest.mark.slow
@pytest.mark.parametrize("tracker", INSTALLED)
def test_results_and_fingerprints_are_those_of_a_run_without_a_tracker(tmp_path, untracked, tracker):
    results = trained_and_sampled(tmp_path / "results", tracker)
    for kind in ("models", "samples"):
        [mine], [theirs] = ([*(each / kind).rglob("provenance.json")] for each in (results, untracked))
        assert read_json(mine)["fingerprint"] == read_json(theirs)["fingerprint"]
    for file in (f"models/{PATH}/unet", f"samples/{PATH}/ddim2/samples.npy"):
        assert sha256_of_path(results / file) == sha256_of_path(untracked / file)
    assert not (untracked / "trackers").exists()
    if tracker == "tensorboard":
        shows_what_the_results_have(results)
    elif tracker == "wandb":
        assert len([*(results / "trackers" / PATH).rglob("offline-run-*/*.wandb")]) == 2
    else:
        assert (results / "trackers" / "trackio" / "results.db").stat().st_size


def read_back(folder: Path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # noqa: PLC0415

    return EventAccumulator(str(folder)).Reload()


def shows_what_the_results_have(results: Path) -> None:
    curves, table = (
        read_back(results / "trackers" / PATH),
        pd.read_csv(results / "models" / PATH / "training.csv"),
    )
    assert list(table.step) == [50, 60]
    for name in ("loss", "gradient_norm", "learning_rate", "images_per_second"):
        shown = curves.Scalars(name)
        assert [event.step for event in shown] == [50, 60]
        np.testing.assert_allclose([event.value for event in shown], table[name], rtol=1e-6)
    [shown] = read_back(results / "trackers" / PATH / "ddim2").Images("samples")
    assert (shown.height, shown.width) == (24, 24)  # 3 x 3 of the 10


def test_a_training_that_is_resumed_replaces_the_rows_that_it_repeats(tmp_path):
    for steps, loss in (((50, 100), 1.0), ((100, 150), 2.0)):
        log = Log(logging.getLogger("test"))
        log.track("tensorboard", tmp_path / "models" / PATH)
        for step in steps:
            log.row({"step": step, "loss": loss})
        log._tracker.writer.close()
    shown = read_back(tmp_path / "trackers" / PATH).Scalars("loss")
    assert [(event.step, event.value) for event in shown] == [(50, 1.0), (100, 2.0), (150, 2.0)]


def test_a_tracker_that_fails_is_a_warning(tmp_path, caplog):
    (tmp_path / "trackers").write_text("no folder")
    log = Log(logging.getLogger("test"))
    log.track("tensorboard", tmp_path / "models" / PATH)
    log.row({"step": 50, "loss": 1.0})
    log.row({"step": 100, "loss": 1.0})
    [said] = caplog.messages
    assert "the tracker failed and gets no more" in said and "trackers" in said


@pytest.mark.parametrize("tracker", TRACKERS)
def test_a_tracker_that_is_not_installed_is_said(tmp_path, monkeypatch, tracker):
    monkeypatch.setitem(sys.modules, tracker, None)
    says = f"config: engine.tracker: {tracker} is not installed; `pip install {tracker}` or write none"
    with pytest.raises(UserError, match=f"^{says}$"):
        Log(logging.getLogger("test")).track(tracker, tmp_path)


@pytest.mark.slow
def test_it_is_said_before_the_training(tmp_path):
    said = run_script("train", tmp_path, "wandb", *options_of_training(tmp_path), hidden="wandb")
    assert said.splitlines()[-1].startswith("error: config: engine.tracker: wandb is not installed; ")
    assert "train:" not in said and not (tmp_path / "models").exists()


def test_the_first_images_are_laid_out_by_rows():
    images = np.arange(70 * 2 * 3, dtype=np.uint8).reshape(70, 1, 2, 3)
    square = square_of(images)
    assert square.shape == (8 * 2, 8 * 3, 3) and (square[..., 0] == square[..., 2]).all()
    np.testing.assert_array_equal(square[2:4, 3:6, 0], images[9, 0])
    np.testing.assert_array_equal(square_of(np.repeat(images[:5], 3, 1))[:2, 3:, 1], images[1, 0])
