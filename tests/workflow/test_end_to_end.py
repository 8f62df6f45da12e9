"""From config to figures with no network: every output is there and is what it says it is."""

import hashlib
import json

import numpy as np
import pandas as pd
import pytest
import yaml
from huggingface_hub import ModelCard
from PIL import Image
from safetensors.torch import load_file

from shapednoise.noise.pipeline import ShapedDDPMPipeline

SAMPLER = "ancestral5-leading-small-published-whitened-n12"
EXPECTED = [("ddpm", 0.0), ("hdm", -0.4), ("hdm", 0.4), ("sdm", -0.4), ("sdm", 0.4)]
POINTS = ["sdm/s-0.40", "ddpm/s0.00", "hdm/s0.40"]


@pytest.fixture(scope="module")
def results(finished_run):
    return finished_run.path / "results" / "tiny"


def place(point: str) -> str:
    return f"pictures/{point}/published/tiny/seed42"


FIGURES = ["fig1", "fig2a", "fig2c", "fig2f", "fig3", "figB2", "figT", "figR", "figS1", "figS2", "figS3",
           "figP", "figX5"]  # fmt: skip


@pytest.mark.parametrize("figure", FIGURES)
def test_figures_are_vector_and_picture(results, figure):
    assert (results / "figures" / f"{figure}.pdf").read_bytes().startswith(b"%PDF")
    with Image.open(results / "figures" / f"{figure}.png") as picture:
        assert picture.width > 500 and len(picture.convert("L").getcolors(256)) > 10


def test_the_table_has_all_scores_of_every_point(results):
    table = pd.read_csv(results / "tables" / "scores.csv")
    assert sorted(zip(table.noise, table.strength, strict=True)) == EXPECTED
    for metric in ("fid", "kid", "is", "precision", "recall", "f_score", "density", "coverage"):
        for column in (metric, f"{metric}_se", f"{metric}_low", f"{metric}_high"):
            assert np.isfinite(table[column]).all(), column
    assert table.fid_infinity.isna().all() and (table.fid_infinity_missing.str.len() > 0).all()
    assert table.warnings.str.contains("only 12 generated images").all()
    assert set(table.extractor) == {"random"} and set(table["extraction.batch_size"]) == {16}
    assert (table.fid > 0).all()
    assert table[["precision", "recall"]].stack().between(0, 1).all()
    assert set(table.generated_images) == {12} and set(table.real_images) == {16}
    assert set(table["sampler.steps"]) == {5}


@pytest.mark.parametrize("point", POINTS)
def test_a_trained_point_is_a_diffusers_pipeline(results, point):
    folder = results / "models" / place(point)
    operator, strength = point.split("/s")
    pipeline = ShapedDDPMPipeline.from_pretrained(folder)
    shape = pipeline.scheduler.config["shape"]
    assert shape["operator"] == operator and shape.get("strength", 0.0) == float(strength)
    axis = json.loads((results / "pca" / "pictures.json").read_text())["axes"][0]
    assert shape.get("axis") == (None if operator == "ddpm" else axis)
    assert load_file(folder / "unet" / "diffusion_pytorch_model.safetensors")
    curve = pd.read_csv(folder / "training.csv")
    assert curve.step.iloc[-1] == 9 and np.isfinite(curve.loss).all()
    provenance = json.loads((folder / "provenance.json").read_text())
    assert {"git", "versions", "hardware", "seconds", "fingerprint", "training", "seed"} <= set(provenance)


@pytest.mark.parametrize("point", POINTS)
def test_samples_are_uint8_with_their_pictures(results, point):
    folder = results / "samples" / place(point) / SAMPLER
    samples = np.load(folder / "samples.npy")
    assert samples.shape == (12, 3, 16, 16) and samples.dtype == np.uint8
    for name in ("grid.png", "strip.png", "denoising.gif"):
        Image.open(folder / name).verify()
    trajectory = np.load(folder / "trajectory.npz")
    np.testing.assert_array_equal(trajectory["frames"][-1], samples[:8])


def test_claims_of_a_tiny_run_are_not_run_but_for_those_without_training(results):
    claims = pd.read_csv(results / "claims.csv").set_index("id")
    assert len(claims) == 21
    decided = set(claims.index[claims.verdict != "not run"])
    assert decided == {"C11"}  # the rest is about the papers' data sets
    assert 'here dataset.name is "pictures", published "cifar10"' in claims.note["C1"]
    text = " ".join((results / "claims.md").read_text().split())
    assert "| cifar10_sdm | training.epochs | 10 | published code | **3.0** |" in text
    curves = pd.read_csv(results / "tables" / "curves" / "cifar10_sdm.csv").set_index("metric")
    assert curves.optimum.between(-0.4, 0.4).all() and {"fid", "kid", "precision"} <= set(curves.index)


def test_predicted_scores_share_the_features_of_the_reference(results):
    table = pd.read_csv(results / "tables" / "predicted_fid" / "figP.csv")
    assert sorted(table.noise) == ["ddpm", "ddpm", "sdm", "sdm", "undistorted"]
    assert set(table.generated_images) == {10} and set(table.real_images) == {16}
    assert table.fid.is_monotonic_increasing and np.isfinite(table[["kid", "fid_low", "recall"]]).all(
        axis=None
    )
    shaped = table[table.noise != "undistorted"]
    assert (shaped[["distance", "kl", "standardised"]] > 0).all(axis=None)
    assert set(shaped.steps) == {3, 5}
    assert [file.name for file in (results / "features/data/pictures").glob("*.npz")] == ["random-ref16.npz"]


def test_the_snapshot_of_the_config_is_complete(results, finished_run):
    snapshot = json.loads((results / "config.json").read_text())
    assert snapshot["name"] == "tiny"
    assert snapshot["recipes"]["paper"]["training"]["epochs"] == 10
    assert set(yaml.safe_load((finished_run.path / "config.yaml").read_text())) <= set(snapshot)


def test_every_job_has_its_log_and_its_benchmark(results):
    for kind in ("logs", "benchmarks"):
        rules = {path.name.split(".")[0] for path in (results / kind).iterdir()}
        assert {"train", "sample", "features_samples", "features_data", "scores", "table", "pca"} <= rules


def test_nothing_partial_and_no_checkpoint_is_left(finished_run):
    left = [path for path in finished_run.path.rglob("*") if "partial" in path.name or path.suffix == ".pt"]
    assert not left


def test_nothing_is_left_to_do(finished_run):
    assert not finished_run.planned()


def test_the_data_set_says_where_it_came_from(finished_run):
    folder = finished_run.path / "data" / "pictures" / "size16"
    manifest = json.loads((folder / "manifest.json").read_text())
    archive, pixels = finished_run.path / "data" / "pictures.zip", np.load(folder / "images.npy")
    assert manifest["source"] == "file pictures.zip"
    assert manifest["sha256_of_archive"] == hashlib.sha256(archive.read_bytes()).hexdigest()
    in_order = pixels.transpose(0, 2, 3, 1).tobytes()
    assert manifest["sha256_of_pixels"] == hashlib.sha256(in_order).hexdigest()
    assert (manifest["images"], manifest["classes"], manifest["crop"], manifest["size"]) == (
        60,
        None,
        None,
        16,
    )
    assert {"licence", "part", "channels", "verified"} <= set(manifest)


def test_every_model_has_a_card_that_the_hub_reads(finished_run):
    results = finished_run.path / "results" / "tiny"
    for noise, strength in EXPECTED:
        folder = results / "models" / place(f"{noise}/s{strength:.2f}")
        card = ModelCard.load(folder / "README.md")
        assert card.data.library_name == "diffusers"
        assert card.data.model_name == f"Pictures, {noise} at strength {strength:g}"
        assert {"fid", "kid", "precision"} <= {result.metric_type for result in card.data.eval_results}
        Image.open(folder / "samples.png").verify()
    assert not finished_run.planned("cards")
