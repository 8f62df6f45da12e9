"""The two marginals of the forward process, its loss and its support."""

from functools import partial
from itertools import pairwise

import numpy as np
import pytest
import torch
from diffusers import DDPMScheduler
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from shapednoise.noise.process import ShapedProcess, linear_betas
from shapednoise.noise.reverse_step import ancestral, ddim, dpm_solver, reverse_step
from shapednoise.noise.shape import make_shape
from tests.unit.noise.shapes import (
    BETAS,
    SHAPES,
    SINGULAR,
    ZERO,
    any_description,
    constant,
    has_noise,
    in_modes,
    principal_axes,
)

STEEP = torch.linspace(0.05, 0.6, 8, dtype=torch.float64)
SIZE = (4, 5)
CHAINS = st.lists(st.integers(0, 999), min_size=1, max_size=5, unique=True).map(
    lambda times: [*sorted(times, reverse=True), -1]
)


def process(description, exact=True, betas=BETAS) -> ShapedProcess:
    return ShapedProcess(make_shape(**description), betas, exact)


@pytest.mark.parametrize("name", SHAPES)
def test_exact_marginal_is_that_of_single_steps(name):
    """Monte-Carlo mean and variance of eight steps of Eq. 2 against the marginal of Eq. 3."""
    exact = process(SHAPES[name] | {"strength": 0.8}, betas=STEEP)
    gains = exact.shape.gains(STEEP, SIZE)
    generator = torch.Generator().manual_seed(1)
    x0 = torch.randn(1, 3, *SIZE, generator=generator, dtype=torch.float64)
    count = 20_000
    x = x0.expand(count, -1, -1, -1)
    for t, beta in enumerate(STEEP):
        white = torch.randn(x.shape, generator=generator, dtype=torch.float64)
        x = (1 - beta).sqrt() * x + beta.sqrt() * exact.shape.apply(white, gains[t : t + 1])
    signal, variance = exact.marginal(len(STEEP) - 1, SIZE)
    noise = in_modes(exact.shape, x - signal * x0, principal_axes())
    expected = variance[exact.shape.modes(3, SIZE)].numpy()
    # a mean of n independent numbers; of squares (2/n at most) for the variance; 60 modes, 5 deviations
    np.testing.assert_allclose(noise.mean(0).abs(), 0, atol=5 * (expected.max() / count) ** 0.5)
    np.testing.assert_allclose(noise.abs().square().mean(0), expected, rtol=5 * (2 / count) ** 0.5)


@settings(deadline=None)
@given(any_description(largest_share=1.0), CHAINS, st.sampled_from(["fixed_small", "ddim"]))
def test_steps_along_any_chain_give_back_the_marginals(description, chain, kind):
    """Drawing x_t from its marginal and stepping, given x_0, leaves the exact marginal of x_u."""
    assume(has_noise(description, SIZE))
    shaped = process(description)
    mean, variance = shaped.marginal(chain[0], SIZE)
    for t, u in pairwise(chain):
        if kind == "ddim":
            step = reverse_step(shaped, "exact", lambda m, t=t, u=u: ddim(m, t, u, 0.7), t, u, SIZE)
        else:
            step = reverse_step(shaped, "exact", lambda m, t=t, u=u: ancestral(m, t, u, kind), t, u, SIZE)
        mean, variance = step.x0 + step.xt * mean, step.xt**2 * variance + step.noise**2
        signal, expected = shaped.marginal(u, SIZE)
        noisy = shaped.marginal(t, SIZE)[1] > 0
        np.testing.assert_allclose(mean.expand(len(noisy))[noisy], signal, rtol=1e-9)
        np.testing.assert_allclose(variance, expected, rtol=1e-9, atol=1e-14)


@settings(deadline=None)
@given(any_description(), CHAINS, st.sampled_from(["published", "equations", "exact"]))
def test_ddim_with_eta_one_is_ancestral(description, chain, reading):
    shaped = process(description, exact=reading == "exact")
    for t, u in pairwise(chain):
        if t == 0:  # the last ancestral step adds no noise by definition, and there is none to add
            continue
        one, other = (
            reverse_step(shaped, reading, solver, t, u, SIZE)
            for solver in (
                lambda m, t=t, u=u: ddim(m, t, u, 1.0),
                lambda m, t=t, u=u: ancestral(m, t, u, "fixed_small"),
            )
        )
        for name in ("x0", "xt", "noise"):
            np.testing.assert_allclose(getattr(one, name), getattr(other, name), atol=1e-7)


@settings(deadline=None)
@given(any_description(), CHAINS)
def test_all_readings_are_one_for_a_constant_shape(description, chain):
    description = constant(description)
    published, exact = (process(description, exact=exact) for exact in (False, True))
    solvers = {
        "ancestral": lambda m, t, u, before: ancestral(m, t, u, "fixed_large"),
        "ddim": lambda m, t, u, before: ddim(m, t, u, 0.5),
        "dpm_solver": dpm_solver,
    }
    noisy = exact.noise_gains(SIZE).values[0] > 0
    for solver in solvers.values():
        before = None
        for t, u in pairwise(chain):
            steps = [
                reverse_step(shaped, reading, partial(solver, t=t, u=u, before=before), t, u, SIZE)
                for shaped, reading in (
                    (published, "published"),
                    (published, "equations"),
                    (exact, "exact"),
                )
            ]
            for name in ("x0", "xt", "noise", "previous"):
                first, second, third = (getattr(step, name).expand(len(noisy))[noisy] for step in steps)
                np.testing.assert_allclose(second, first, rtol=1e-9, atol=1e-10)
                np.testing.assert_allclose(third, first, rtol=1e-9, atol=1e-10)
            before = t


def test_exact_marginal_of_white_noise_is_ddpm():
    np.testing.assert_allclose(process(ZERO["ddpm"]).noise_gains(SIZE).values, 1, rtol=1e-12)


def test_exact_marginal_lags_behind_the_published_one():
    """s(t) grows with t, so the accumulated noise of an antisqueezed process is less than S_t says."""
    exact, published = (process(SHAPES["sdm"], e).noise_gains(SIZE).values for e in (True, False))
    assert bool((exact[1:, 0] < published[1:, 0]).all())
    assert bool((exact[:, 0] > 1).all())


@pytest.mark.parametrize("kind", ["epsilon", "sample", "v_prediction"])
def test_noise_and_targets_are_added_as_in_diffusers(kind):
    """To the last bit: a checkpoint trained here and one trained by diffusers' loop see the same x_t."""
    plain = DDPMScheduler(prediction_type=kind)
    shape = make_shape(**SHAPES["product"])
    shaped = ShapedProcess(shape, linear_betas(1e-4, 0.02, 1000), False, kind)
    x0, white = torch.randn(2, 5, 3, 8, 8)
    t = torch.tensor([0, 10, 500, 998, 999])
    noise = shaped.shape_noise(white, t)
    assert torch.equal(shaped.add_noise(x0, noise, t), plain.add_noise(x0, noise, t))
    expected = {"epsilon": noise, "sample": x0, "v_prediction": plain.get_velocity(x0, noise, t)}[kind]
    assert torch.equal(shaped.target(x0, noise, t), expected)


def test_the_loss_of_a_full_shape_is_the_mean_squared_error():
    a, b = torch.randn(2, 4, 3, 6, 6)
    shaped = process(SHAPES["powerlaw"])
    assert torch.equal(shaped.loss(a, b, torch.arange(4)), torch.nn.functional.mse_loss(a, b))


def test_a_singular_shape_learns_nothing_outside_its_support():
    """Neither x_t nor the loss depend on modes that have no noise; on the others it is a mean."""
    shaped = process(constant(SINGULAR))
    t = torch.tensor([5, 900])
    x0, other, target, error = torch.randn(4, 2, 3, 8, 8, dtype=torch.float64)
    outside = other - shaped.project(other, t)
    assert outside.abs().max() > 0.1
    noise = shaped.shape_noise(other, t)
    assert torch.allclose(
        shaped.add_noise(x0 + outside, noise, t), shaped.add_noise(x0, noise, t), atol=1e-12
    )
    loss = shaped.loss(target + error, target, t)
    assert torch.allclose(loss, shaped.loss(target + error + 100 * outside, target, t))
    inside = shaped.project(error, t)
    fraction = float(shaped.noise_gains((8, 8)).support_fraction[0])
    assert 0.2 < fraction < 0.8
    assert loss.item() == pytest.approx(float((inside**2).mean()) / fraction)


@pytest.mark.parametrize("name", [*SHAPES, "singular"])
def test_gradients_flow_through_the_process(name):
    shaped = process(SINGULAR if name == "singular" else SHAPES[name])
    white = torch.randn(2, 3, 4, 4, requires_grad=True)
    t = torch.tensor([3, 900])
    noise = shaped.shape_noise(white, t)
    shaped.loss(shaped.add_noise(white, noise, t), noise.detach() * 0.5, t).backward()
    assert white.grad is not None and bool(torch.isfinite(white.grad).all())
    assert white.grad.abs().max() > 0


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("name", [*SHAPES, "singular"])
def test_noise_target_and_loss_never_wait_for_the_gpu(name):
    shaped = process(SINGULAR | {"schedule": "constant"} if name == "singular" else SHAPES[name])
    x0, white = torch.randn(2, 4, 3, 8, 8, device="cuda")
    t = torch.tensor([0, 10, 500, 999], device="cuda")

    def step():
        noise = shaped.shape_noise(white, t)
        return shaped.loss(shaped.add_noise(x0, noise, t), shaped.target(x0, noise, t), t)

    step()  # buffers go to the device once
    torch.cuda.set_sync_debug_mode("error")
    try:
        step()
    finally:
        torch.cuda.set_sync_debug_mode("default")
