"""The benchmark's reference, an independent check of noise and sampler; and reports of made-up numbers."""

import numpy as np
import pytest
import torch
from diffusers import DDPMScheduler, UNet2DModel

from benchmarks.engine.compare import add_fractions, compared, full_point, summed
from benchmarks.engine.quality import agreement, precision
from benchmarks.engine.reference import Squeeze, reverse_step
from benchmarks.engine.report import draw, table
from benchmarks.engine.task import GREY, POINT, UNETS, diffusers_config
from shapednoise.config.training import UNetSettings
from shapednoise.diffusion.network import build_unet
from shapednoise.noise.process import ShapedProcess
from shapednoise.noise.schedulers import ShapedDDPMScheduler
from shapednoise.noise.shape import make_shape

STRENGTHS = (-0.4, 0.3)
AXES = (GREY, [2 / 7, 3 / 7, 6 / 7])
SCHEDULER = DDPMScheduler(num_train_timesteps=1000, beta_start=1e-4, beta_end=0.02)


def shape_of(strength, axis):
    return {"operator": "sdm", "strength": strength, "axis": axis}


@pytest.mark.parametrize("strength", STRENGTHS)
@pytest.mark.parametrize("axis", AXES)
def test_squeezed_noise_and_noisy_images_are_the_librarys(strength, axis):
    torch.manual_seed(0)
    clean, white = torch.rand(6, 3, 8, 8) * 2 - 1, torch.randn(6, 3, 8, 8)
    timesteps = torch.tensor([0, 1, 100, 500, 998, 999])
    process = ShapedProcess(make_shape(**shape_of(strength, axis)), SCHEDULER.betas, exact=False)
    noise = Squeeze(strength, axis, SCHEDULER.betas).noise(white, timesteps)
    expected = process.shape_noise(white, timesteps)
    assert not torch.allclose(noise, white, atol=1e-2)
    torch.testing.assert_close(noise, expected, rtol=1e-5, atol=1e-6)
    noisy = SCHEDULER.add_noise(clean, noise, timesteps)
    torch.testing.assert_close(noisy, process.add_noise(clean, expected, timesteps), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("strength", STRENGTHS)
@pytest.mark.parametrize("index", [0, 20, 49])
def test_a_published_reverse_step_is_the_librarys(strength, index):
    torch.manual_seed(1)
    x, output = torch.randn(2, 4, 3, 8, 8)
    shaped = ShapedDDPMScheduler(shape=shape_of(strength, AXES[1]), reading="published")
    for scheduler in (shaped, SCHEDULER):
        scheduler.set_timesteps(50)
    t = int(shaped.timesteps[index])
    expected = shaped.step(output, t, x, generator=torch.Generator().manual_seed(3)).prev_sample
    squeeze = Squeeze(strength, AXES[1], SCHEDULER.betas)
    found = reverse_step(SCHEDULER, squeeze, output, t, x, generator=torch.Generator().manual_seed(3))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", UNETS)
def test_both_sides_train_the_same_network(name):
    with torch.device("meta"):
        networks = (UNet2DModel(**diffusers_config(name)), build_unet(UNetSettings(**UNETS[name]), 32))
    plain, own = ([(key, one.shape) for key, one in network.state_dict().items()] for network in networks)
    assert plain == own


def answers(rate):
    return [
        {"seconds": 10 / (rate * factor), "result": {"images": 10}, "peak_gb": 1.5}
        for factor in (1, 1.1, 0.9)
    ]


def made_up() -> dict:
    part = compared({"reference": answers(4), "ours": answers(10)}) | {
        "dtype": {"reference": "fp32", "ours": "bf16"}
    }
    stages = {"start": 8.0, "training": 90.0, "sampling": 30.0, "scores": 10.0}
    seconds = {"ours": stages, "reference": {name: 3 * value for name, value in stages.items()}}
    scored = {"peak_gb": 3.0, "extracted": 120, "scores": {"fid": 1.0}}
    found = {"way": "torch.matmul", "size": 1024}
    matmul = {"fp32": {"flops": 4e11, **found}, "bf16": {"flops": 8e11, **found}}
    results = {
        "machine": {"matmul": matmul, "network": {"forward": 1.7e10, "training": 5.1e10}},
        "training": part,
        "sampling": compared({"reference": answers(0.1), "ours": answers(0.25)})
        | {"dtype": part["dtype"], "steps": 50},
        "features": compared({"reference": answers(7), "ours": answers(15)}),
        "point": {
            "fraction": 0.002,
            "counts": POINT,
            **summed(seconds, {"ours": scored, "reference": scored}),
        },
    }
    add_fractions(results)
    return results | {
        "full_point": full_point(results),
        "hardware": {"cpu": "a processor", "threads": 2},
        "options": {"device": "cpu", "unet": "paper", "batch_size": 128},
        "load_average_at_start": [0.1, 0.1, 0.1],
        "targets": {"training": 2.0, "sampling": 3.0, "point": 2.5, "fraction": 0.45},
        "git": {"commit": "abc", "edited": False},
        "seconds": 100.0,
        "command": "python -m benchmarks.engine.compare",
    }


def test_a_report_is_made_of_the_numbers(monkeypatch):
    results = made_up()
    assert results["training"]["ratio"]["median"] == pytest.approx(2.5)
    assert results["training"]["ours"]["fraction_of_matmul"] == pytest.approx(10 * 5.1e10 / 8e11)
    assert results["sampling"]["ours"]["flops"] == pytest.approx(0.25 * 50 * 1.7e10)
    assert results["point"]["ratio"] == pytest.approx(3)
    assert results["full_point"]["reference"]["seconds"]["training"] == pytest.approx(125_000)
    lines = table(results).splitlines()
    [training] = [line for line in lines if line.startswith("| training")]
    [sampling] = [line for line in lines if line.startswith("| sampling, 50 steps")]
    assert ">= 2: met" in training
    assert "2.5 (2.5 to 2.5)" in training.replace("2.50", "2.5")
    assert ">= 3: missed" in sampling
    saved = []
    monkeypatch.setattr("benchmarks.engine.report.save", lambda figure, paths: saved.append(figure))
    draw(results, [])
    share = next(ax for ax in saved[0].axes if ax.get_title().startswith("share"))
    assert [tick.get_text() for tick in share.get_xticklabels()] == ["training", "sampling"]
    assert len(share.patches) == 4 and "target 45 %" in [text.get_text() for text in share.texts]


@pytest.mark.parametrize(("factor", "agree"), [(1, True), (1.2, False)])
def test_losses_are_compared_with_the_spread_between_seeds(factor, agree):
    rng = np.random.default_rng(0)
    curves = (1 + rng.normal(0, 0.1, (2, 3, 500))) * np.linspace(1, 0.1, 500)
    losses = {"ours": (factor * curves[0]).tolist(), "reference": curves[1].tolist()}
    found = agreement(losses, 50)
    assert found["agree"] == agree
    assert np.shape(found["ours"]) == (3, 10)
    assert found["second_half"]["relative_difference"] == pytest.approx(factor - 1, abs=0.02)


def test_low_precision_is_compared_with_the_spread_between_seeds():
    found = precision({"fp32": [10.0, 11.0, 12.0], "low": [10.1, 10.9, 12.3]}, "bf16")
    assert found["mean_difference"] == pytest.approx(0.1)
    assert found["largest_difference_over_spread"] == pytest.approx(0.3)
    assert found["within_spread"]
