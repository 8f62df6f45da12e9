"""The three readings of the forward process: marginals, posteriors, and where they coincide."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from shapednoise.noise.process import ShapedProcess
from shapednoise.noise.schedulers import ShapedDDPMScheduler
from shapednoise.noise.shape import make_shape

BETAS = torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)
DATA = np.array([0.69, 0.05])  # variances of the data along and across the axis
STEEP = torch.linspace(0.05, 0.6, 8, dtype=torch.float64)


def process(axis, strength=-0.4, exact=True, betas=BETAS, schedule="beta", operator="sdm"):
    return ShapedProcess(make_shape(operator, strength, schedule, axis), betas, exact)


@pytest.mark.parametrize("operator", ["sdm", "hdm"])
def test_exact_marginal_is_that_of_single_steps(axis, operator):
    """Monte-Carlo mean and covariance of eight steps of Eq. 2 against the marginal of Eq. 3."""
    exact = process(axis, strength=0.8, betas=STEEP, operator=operator)
    gains = exact.shape.gains(STEEP)
    generator = torch.Generator().manual_seed(1)
    x0 = torch.tensor([0.5, -0.2, 0.9], dtype=torch.float64)[None, :, None, None]
    x = x0.expand(400_000, 3, 1, 1)
    for t, beta in enumerate(STEEP):
        white = torch.randn(x.shape, generator=generator, dtype=torch.float64)
        x = (1 - beta).sqrt() * x + beta.sqrt() * exact.shape.apply(white, gains[t : t + 1])
    pixels = x[:, :, 0, 0]
    v = torch.tensor(axis, dtype=torch.float64)
    along, across = exact.variances(len(STEEP) - 1)
    expected = across * torch.eye(3, dtype=torch.float64) + (along - across) * torch.outer(v, v)
    signal = exact.alpha_products[-1].sqrt()
    np.testing.assert_allclose(pixels.mean(0), signal * x0[0, :, 0, 0], atol=0.006)
    np.testing.assert_allclose(torch.cov(pixels.T), expected, atol=0.016)


@pytest.mark.parametrize("chain", [[999, 500, 3, -1], [999, 980, 960, 20, 0, -1], [700, 699, -1]])
@pytest.mark.parametrize("exact", [True, False])
def test_posteriors_along_any_chain_give_back_the_marginals(axis, chain, exact):
    """Drawing x_t from its marginal and stepping by q(x_u | x_t, x_0) leaves the marginal of x_u."""
    shaped = process(axis, exact=exact)
    if not exact:  # with a constant shape `published` is the exact process as well
        shaped = process(axis, exact=False, schedule="constant")
    mean = shaped.alpha_products[chain[0]].sqrt().expand(2)
    variance = shaped.variances(chain[0])
    for t, u in pairwise(chain):
        mean_0, mean_t, extra, _ = shaped.posterior(t, u)
        mean, variance = mean_0 + mean_t * mean, mean_t**2 * variance + extra
        signal = shaped.alpha_products[u].sqrt() if u >= 0 else torch.tensor(1.0)
        np.testing.assert_allclose(mean, signal.expand(2), rtol=1e-10)
        np.testing.assert_allclose(variance, shaped.variances(u), rtol=1e-10, atol=1e-14)


def test_exact_marginal_of_white_noise_is_ddpm():
    exact = process(None, 0.0, operator="ddpm")
    np.testing.assert_allclose(exact.noise_gains, 1, rtol=1e-12)


def test_exact_marginal_lags_behind_the_published_one(axis):
    """s(t) grows with t, so the accumulated noise of an antisqueezed process is less than S_t says."""
    exact, published = process(axis), process(axis, exact=False)
    assert bool((exact.noise_gains[1:, 0] < published.noise_gains[1:, 0]).all())
    assert bool((exact.noise_gains[:, 0] > 1).all())


def scheduler(axis, reading, schedule, strength, steps, operator="sdm"):
    made = ShapedDDPMScheduler(
        operator=operator,
        strength=strength,
        strength_schedule=schedule,
        axis=axis,
        reading=reading,
        clip_sample=False,
    )
    made.alphas_cumprod = made.process.alpha_products  # diffusers keeps float32; compare in float64
    made.one = made.one.double()
    made.set_timesteps(steps)
    return made


@pytest.mark.parametrize("operator", ["sdm", "hdm"])
@pytest.mark.parametrize("strength", [-0.6, 0.4])
def test_readings_agree_for_a_constant_shape_without_clamp(axis, operator, strength):
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(2, 3, 4, 4, generator=generator, dtype=torch.float64)
    ends = []
    for reading in ("published", "equations", "exact"):
        made = scheduler(axis, reading, "constant", strength, 50, operator)
        x = made.prior(start)
        for t in made.timesteps:
            output = torch.tanh(3 * x) + 0.1  # any function of x will do as the network
            x = made.step(output, t, x, generator=torch.Generator().manual_seed(int(t))).prev_sample
        ends.append(x)
    assert torch.allclose(ends[0], ends[1], atol=1e-10)
    assert torch.allclose(ends[0], ends[2], atol=1e-10)


def test_equations_arrive_in_the_coordinates_of_the_next_timestep(axis):
    """One step of `equations` is one of `published` times S_u S_t^-1 (Eq. 7 against the code)."""
    published = scheduler(axis, "published", "beta", -0.4, 50)
    equations = scheduler(axis, "equations", "beta", -0.4, 50)
    x, output = torch.randn(2, 2, 3, 4, 4, dtype=torch.float64)
    for t, u in [(980, 960), (20, 0), (0, 0)]:
        steps = [
            made.step(output, t, x, generator=torch.Generator().manual_seed(0)).prev_sample
            for made in (published, equations)
        ]
        moved = published.shape_noise(published.process.whiten(steps[0], t), u)
        assert torch.allclose(moved, steps[1], atol=1e-12)


def sampled_variances(axis, reading, steps) -> np.ndarray:
    """Variances along and across v of samples of Gaussian data, drawn with the analytic denoiser.

    For Gaussian data E[n_t | x_t] is linear, with one gain a mode, so no network is needed.
    """
    schedule = "beta" if reading == "exact" else "constant"
    made = scheduler(axis, reading, schedule, -0.4, steps)
    generator = torch.Generator().manual_seed(3)
    x = made.prior(torch.randn(20_000, 3, 1, 1, generator=generator, dtype=torch.float64))
    for t in made.timesteps.tolist():
        alpha, noise = made.process.alpha_products[t], made.process.variances(t)
        gain = noise / (1 - alpha).sqrt() / (alpha * torch.tensor(DATA) + noise)
        x = made.step(made.process.shape.apply(x, gain[None]), t, x, generator=generator).prev_sample
    covariance = np.cov(x[:, :, 0, 0].numpy().T)
    along = np.array(axis) @ covariance @ np.array(axis)
    return np.array([along, (np.trace(covariance) - along) / 2])


@pytest.mark.slow
@pytest.mark.parametrize("reading", ["published", "exact"])
def test_gaussian_data_is_sampled_back_as_steps_grow(axis, reading):
    """50 steps with the small variance lose some of it, 1000 steps nearly nothing."""
    few, many = (np.abs(sampled_variances(axis, reading, n) / DATA - 1) for n in (50, 1000))
    assert few.max() > 0.15
    assert many.max() < 0.06
    assert bool((many < few).all())
