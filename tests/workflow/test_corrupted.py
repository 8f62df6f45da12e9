"""A grey data set with noise in a band: made from the clean one, and scored against it."""

import json

import numpy as np
import pandas as pd

from shapednoise.data.images import load_images
from shapednoise.noise.bands import LARGEST_RADIUS
from tests.workspace import IMAGES, SIZE, make_workspace

SAMPLES = "grey_band/ddpm/s0.00/published/tiny/seed42/ancestral5-leading-small-published-whitened-n12"


def test_a_corrupted_data_set_is_made_from_the_clean_one_and_scored_against_it(
    tmp_path, repository, inception_weights
):
    fresh = make_workspace(tmp_path / "fresh", repository, inception_weights)
    experiment = {"dataset": "grey_band", "noises": ["ddpm"], "strengths": [0.0], "seeds": [42]}
    fresh.set("experiments.grey", experiment)
    fresh.run("data/grey_band/size16-grey/images.npy")
    clean, corrupted = (
        np.load(fresh.path / "data" / name / "size16-grey" / "images.npy") for name in ("grey", "grey_band")
    )
    assert clean.shape == corrupted.shape == (IMAGES, 1, SIZE, SIZE)
    assert (clean.dtype, corrupted.dtype) == (np.uint8, np.float16)
    assert 0.05 < (corrupted - (clean / 127.5 - 1)).var() < 0.3 and corrupted.max() > 1
    manifest = json.loads((fresh.path / "data" / "grey_band" / "size16-grey" / "manifest.json").read_text())
    assert (manifest["corrupts"], manifest["band"], manifest["seed"]) == ("grey", [0.2, 0.3], 0)
    assert manifest["clean"]["source"] == "file grey.gz" and manifest["clean"]["channels"] == 1

    plan = fresh.run(f"results/tiny/scores/{SAMPLES}/random-ref16.json", "--dry-run", "--printshellcmds")
    assert "features/data/grey/random-ref16.npz" in plan and '"reference": "grey"' in plan
    assert "features/data/grey_band" not in plan

    grey = [{"noise": "powerlaw", "strength": -0.3}]
    fresh.overlay["figures"]["figT"] |= {"dataset": "grey_band", "noise": "powerlaw", "experiment": None}
    for figure in ("figS1", "figS2"):
        fresh.overlay["figures"][figure] |= {"dataset": "grey_band", "points": grey}
    planned = fresh.planned("figT", "figS1", "figS2")
    assert planned["spectrum"] == planned["theory"] == planned["closed_form"] == 1 and planned["figure"] == 3

    fresh.set("datasets.grey_band.band", [0.3, 0.4])
    done = fresh.snakemake("data/grey_band/size16-grey/images.npy", "--dry-run")
    assert done.returncode != 0
    assert "made with datasets.grey_band.band [0.2, 0.3], the config says [0.3, 0.4]" in done.stdout
    (fresh.path / "data/grey_band/size16-grey/manifest.json").unlink()
    assert dict(fresh.planned("data/grey_band/size16-grey/images.npy")) == {"corrupt": 1}


def test_selective_omission_from_config_to_figure(tmp_path, repository, inception_weights):
    """A model with no noise in the corrupted band draws nothing there; both are scored on clean data."""
    fresh = make_workspace(tmp_path / "fresh", repository, inception_weights)
    experiment = {"dataset": "grey_band", "recipe": "tiny", "seeds": [42]}
    fresh.set("experiments.omission3", experiment)
    fresh.set("noises.omit3", {"low_band": [0, 0.2], "high_band": [0.3, 0.75]})
    fresh.set("figures.figO.experiments", ["omission3"])
    fresh.run("figO")
    results = fresh.path / "results" / "tiny"
    for suffix in ("pdf", "png"):
        assert (results / "figures" / f"figO.{suffix}").stat().st_size > 1000
    table = pd.read_csv(results / "tables" / "experiments" / "omission3.csv")
    assert sorted(zip(table.noise, table.strength, strict=True)) == [("ddpm", 0.0), ("omit3", 1.0)]
    assert set(table.reference) == {"grey"} and np.isfinite(table.fid).all()
    sampler = "ancestral5-leading-small-published-data-n12"
    places = {"white": "ddpm/s0.00", "omitting": "omit3/s1.00"}
    shares = {
        name: power_share(
            results / "samples" / "grey_band" / place / "published" / "tiny" / "seed42" / sampler
        )
        for name, place in places.items()
    }
    assert shares["omitting"] < shares["white"] / 3


def power_share(folder) -> float:
    """The share of the samples' power that lies in the corrupted band."""
    images = load_images(folder / "samples.npy") / 127.5 - 1
    frequency = np.fft.fftfreq(SIZE)
    radius = np.hypot(frequency[:, None], frequency)
    assert radius.max() <= LARGEST_RADIUS
    power = (np.abs(np.fft.fft2(images)) ** 2).mean((0, 1)) * (radius > 0)
    return float(power[(radius >= 0.2) & (radius < 0.3)].sum() / power.sum())
