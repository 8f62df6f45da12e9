"""Optimal variances and noise of the data's spectrum, run for real in a copy of the project."""

import json

import numpy as np
import pandas as pd
import pytest

from shapednoise.noise.denoising_variance import DenoisingVariance
from shapednoise.noise.pipeline import ShapedDDPMPipeline
from shapednoise.noise.schedulers import ShapedDDPMScheduler

RESULTS = "results/tiny"


@pytest.mark.slow
def test_optimal_variances_are_measured_and_sampled_with(workspace):
    """Of the trained network, and in closed form; the existing models are not trained again."""
    samplers = [
        {"variance": "optimal"},
        {"variance": "optimal_scalar", "variance_from": "spectrum"},
        {"variance": "optimal", "method": "ddim", "eta": 0.5, "clipped_steps": 0},
    ]
    workspace.set("recipes.tiny.denoising", {"images": 20, "timesteps": 5})
    points = {"dataset": "pictures", "noises": ["sdm"], "strengths": [-0.4, 0.0], "seeds": [42]}
    workspace.set("experiments.optimal", points | {"samplers": samplers})
    workspace.set("figures.optimal", {"kind": "sampler_bars", "experiment": "optimal", "metric": "fid"})
    workspace.overlay["targets"] = ["optimal"]
    planned = workspace.planned()
    assert (planned["train"], planned["denoising_variance"], planned["sample"]) == (0, 2, 6)
    workspace.run()
    results = workspace.path / RESULTS
    table = pd.read_csv(results / "tables/experiments/optimal.csv")
    assert len(table) == 6 and np.isfinite(table.fid).all() and table.fid.nunique() == 6
    folder = "pictures/sdm/s-0.40/published/tiny/seed42"
    measured = json.loads((results / f"denoising/{folder}/s-0.40.json").read_text())
    assert len(measured["timesteps"]) == 5 and np.ptp(measured["ratios"]) > 0
    # from plain diffusers code
    pipeline = ShapedDDPMPipeline.from_pretrained(results / "models" / folder)
    pipeline.scheduler = ShapedDDPMScheduler.from_config(
        pipeline.scheduler.config, variance_type="optimal", denoising_variance=measured
    )
    pipeline.save_pretrained(workspace.path / "saved")
    again = ShapedDDPMPipeline.from_pretrained(workspace.path / "saved")
    assert isinstance(again.scheduler.denoising, DenoisingVariance)
    assert np.isfinite(again(2, num_inference_steps=3, output_type="np").images).all()


@pytest.mark.slow
def test_noise_of_the_datas_spectrum_and_a_blur_are_trained_and_sampled(workspace):
    exact = [{"reading": "exact"}]
    for name, noise, strength in (("snr", "equal_snr", 0.5), ("blur", "blurring", 2.0)):
        workspace.set(f"experiments.{name}", {
            "dataset": "pictures", "noises": [noise], "strengths": [0.0, strength], "seeds": [42],
            "samplers": exact,
        })  # fmt: skip
        workspace.set(f"figures.{name}", {"kind": "u_curve", "experiment": name, "metric": "fid"})
    workspace.overlay["targets"] = ["snr", "blur"]
    workspace.run()
    for name in ("snr", "blur"):
        table = pd.read_csv(workspace.path / RESULTS / f"tables/experiments/{name}.csv")
        assert len(table) == 2 and np.isfinite(table.fid).all()
    workspace.set("experiments.blur.samplers", [{}])
    assert "blurring blurs, which the reading exact knows alone" in workspace.snakemake("-n").stdout
