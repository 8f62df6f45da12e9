"""A grey data set with noise in a band: made from the clean one, and scored against it."""

import json

import numpy as np

from tests.workspace import IMAGES, SIZE, make_workspace

SAMPLES = "grey_band/ddpm/s0.00/published/tiny/seed42/ancestral5-leading-small-published-whitened-n12"


def test_a_corrupted_data_set_is_made_from_the_clean_one_and_scored_against_it(
    tmp_path, repository, inception_weights
):
    fresh = make_workspace(tmp_path / "fresh", repository, inception_weights)
    experiment = {"dataset": "grey_band", "noises": ["ddpm"], "strengths": [0.0], "seeds": [42]}
    fresh.set("experiments.grey", experiment)
    fresh.run("data/grey_band/images.npy")
    clean, corrupted = (np.load(fresh.path / "data" / name / "images.npy") for name in ("grey", "grey_band"))
    assert clean.shape == corrupted.shape == (IMAGES, 1, SIZE, SIZE)
    assert (clean.dtype, corrupted.dtype) == (np.uint8, np.float16)
    assert 0.05 < (corrupted - (clean / 127.5 - 1)).var() < 0.3 and corrupted.max() > 1
    manifest = json.loads((fresh.path / "data" / "grey_band" / "manifest.json").read_text())
    assert (manifest["corrupts"], manifest["band"], manifest["seed"]) == ("grey", [0.2, 0.3], 0)
    assert manifest["clean"]["source"] == "file grey.gz" and manifest["clean"]["channels"] == 1

    plan = fresh.run(f"results/tiny/scores/{SAMPLES}/random-ref16.json", "--dry-run", "--printshellcmds")
    assert "features/data/grey/random-ref16.npz" in plan and '"reference": "grey"' in plan
    assert "features/data/grey_band" not in plan

    fresh.set("datasets.grey_band.band", [0.3, 0.4])
    assert dict(fresh.planned("data/grey_band/images.npy")) == {"corrupt": 1}
