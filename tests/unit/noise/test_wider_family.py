"""Blurred signals, and noise whose spectrum is a power of the data's."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from shapednoise.noise.process import ShapedProcess
from shapednoise.noise.reverse_step import ancestral, ddim, reverse_step
from shapednoise.noise.schedulers import ShapedDDIMScheduler, ShapedDDPMScheduler
from shapednoise.noise.shape import make_shape
from tests.unit.noise.shapes import AXIS, BETAS, principal_axes

SIZE = (8, 6)
BLUR = {"operator": "blur", "strength": 3.0}
BLURS = {"blur": BLUR, "squeezed": {"operator": "sdm", "strength": -0.4, "axis": AXIS, "times": BLUR}}
STEEP = torch.linspace(0.05, 0.6, 8, dtype=torch.float64)


def process(shape: dict, betas=BETAS, exact: bool = True) -> ShapedProcess:
    return ShapedProcess(make_shape(**shape), betas, exact)


def spectrum() -> np.ndarray:
    """Variances of a random data set, (C, H, W // 2 + 1)."""
    images = np.random.default_rng(0).normal(size=(50, 3, *SIZE))
    return (np.abs(np.fft.rfft2(images, norm="ortho")) ** 2).mean(0)


def of_data(strength: float, **own) -> dict:
    axes = principal_axes().tolist()
    return {
        "operator": "spectrum",
        "strength": strength,
        "axes": axes,
        "spectrum": spectrum(),
        "width": 6,
        **own,
    }


@pytest.mark.parametrize("name", BLURS)
@pytest.mark.parametrize("kind", ["fixed_small", "ddim"])
def test_steps_along_a_chain_give_back_the_blurred_marginals(name, kind):
    shaped = process(BLURS[name])
    chain = [999, 700, 301, 300, 20, 0, -1]
    mean, variance = shaped.marginal(chain[0], SIZE)
    for t, u in pairwise(chain):
        solver = (lambda m: ddim(m, t, u, 0.7)) if kind == "ddim" else (lambda m: ancestral(m, t, u, kind))  # noqa: B023
        step = reverse_step(shaped, "exact", solver, t, u, SIZE)
        mean, variance = step.x0 + step.xt * mean, step.xt**2 * variance + step.noise**2
        signal, expected = shaped.marginal(u, SIZE)
        np.testing.assert_allclose(mean, signal.expand(mean.shape), rtol=1e-8)
        np.testing.assert_allclose(variance, expected, rtol=1e-8, atol=1e-14)


def test_the_signal_is_a_gaussian_blur_as_scipy_has_it():
    ndimage = pytest.importorskip("scipy.ndimage")
    shaped = process({**BLUR, "min_signal": 1e-4}, STEEP)
    x0 = torch.randn(2, 3, 32, 32, dtype=torch.float64)
    for t in (3, 7):
        sigma = 3.0 * np.sin((t + 1) / 8 * np.pi / 2) ** 2
        blurred = ndimage.gaussian_filter(x0.numpy(), (0, 0, sigma, sigma), mode="wrap", truncate=8)
        found = shaped.blur(x0, torch.tensor([t, t]))
        np.testing.assert_allclose(found, blurred, atol=2e-3)
        np.testing.assert_allclose(shaped.sharpen(found, t), x0, atol=1e-8)


@pytest.mark.parametrize("prediction_type", ["epsilon", "v_prediction", "sample"])
@pytest.mark.parametrize("name", BLURS)
def test_training_and_sampling_agree_about_the_blurred_image(name, prediction_type):
    """The true target, as the network's output, gives x_0 back, and the last step arrives there."""
    scheduler = ShapedDDIMScheduler(
        shape=BLURS[name], reading="exact", prediction_type=prediction_type, clip_sample=False
    )
    scheduler.set_timesteps(50)
    x0, white = torch.randn(2, 2, 3, *SIZE, dtype=torch.float64)
    for t, rounding in ((980, 2e-2), (500, 1e-3), (0, 1e-3)):  # what is left of the signal is that little
        times = torch.tensor([t, t])
        noise = scheduler.shape_noise(white, times)
        target = scheduler.training_target(x0, noise, times)
        x, found = scheduler.step(target, t, scheduler.add_noise(x0, noise, times), return_dict=False)
        np.testing.assert_allclose(found, x0, atol=rounding)
    np.testing.assert_allclose(x, x0, atol=1e-6)


def test_only_the_exact_reading_knows_a_blur():
    with pytest.raises(ValueError, match="exact"):
        ShapedDDPMScheduler(shape=BLUR)
    assert ShapedDDPMScheduler(shape={"operator": "blur", "strength": 0.0}).config.reading == "published"


def test_a_blur_that_leaves_nothing_is_refused():
    with pytest.raises(ValueError, match="min_signal"):
        process({"operator": "blur", "strength": 20.0, "min_signal": 1e-9}).noise_gains((32, 32))
    with pytest.raises(ValueError, match="0 pixels or more"):
        make_shape("blur", strength=-1.0)


def test_noise_of_the_datas_spectrum_has_equal_snr():
    shaped = process(of_data(1.0))
    white = torch.randn(20_000, 3, *SIZE, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    noise = shaped.shape_noise(white, 500)
    assert float(noise.square().mean()) == pytest.approx(1, abs=0.01)
    ratio = shaped.shape.basis.power(noise) / torch.from_numpy(spectrum())
    np.testing.assert_allclose(ratio / ratio.mean(), 1, atol=5 * (2 / len(white)) ** 0.5)
    torch.testing.assert_close(shaped.whiten(noise, 500), white)


def test_gains_of_the_spectrum_are_its_power():
    gains = process(of_data(0.5, normalize="off")).noise_gains(SIZE).values
    np.testing.assert_allclose(gains[400].view(3, 8, 4), spectrum() ** 0.25)
    falling = process(of_data(0.5, normalize="off", schedule="falling"), exact=False).noise_gains(SIZE).values
    np.testing.assert_allclose(falling[999], 1)
    np.testing.assert_allclose(
        falling[0].view(3, 8, 4), spectrum() ** (0.25 * (1 - BETAS[0] / BETAS[-1]).item())
    )


def test_a_spectrum_of_another_size_is_refused():
    with pytest.raises(ValueError, match="8 x 6, these are 8 x 8; take the spectrum of their own data"):
        process(of_data(0.5)).noise_gains((8, 8))
    with pytest.raises(ValueError, match=r"\(C, H, W // 2 \+ 1\)"):
        make_shape(**of_data(0.5) | {"width": 9})
    with pytest.raises(ValueError, match="needs the data's spectrum"):
        make_shape("spectrum", strength=0.5)


def test_white_noise_turns_blue_near_the_data():
    gains = process({"operator": "white_to_blue"}, exact=False).noise_gains((32, 32)).values
    np.testing.assert_allclose(gains[-1], 1)
    counts = torch.bincount(make_shape("white_to_blue").modes(1, (32, 32)).flatten())
    assert float((gains[0] ** 2 * counts).sum() / counts.sum()) == pytest.approx(1, abs=0.01)
    assert bool((gains[0].diff() > 0).all())
