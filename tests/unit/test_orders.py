"""How fast each sampler becomes exact on Gaussian data with the analytic denoiser, in closed form."""

import math
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
import torch

from benchmarks.orders import SAMPLERS, error, falling_spectrum
from shapednoise.noise.process import ShapedProcess
from shapednoise.noise.reverse_step import ddim, dpm_solver, reverse_step
from shapednoise.noise.shape import make_shape
from tests.unit.noise.shapes import BETAS, SHAPES

SIZE = (6, 5)
SPECTRUM = falling_spectrum(SIZE)


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("name", SHAPES)
def test_exact_samplers_converge_for_every_shape(sampler, name):
    """First order at least: five times the steps, a third of the error or less."""
    few, many = (error(sampler, SHAPES[name], "exact", steps, SPECTRUM) for steps in (100, 500))
    assert many < few / 3
    assert many < 0.15 * math.sqrt(SPECTRUM.sum()) / 3


@pytest.mark.parametrize("name", SHAPES)
def test_steps_of_the_optimal_variance_are_exact_however_few(name):
    """One number a step is not, but better than the small variance."""
    exact = [error("ancestral, optimal variance", SHAPES[name], "exact", n, SPECTRUM) for n in (10, 50, 1000)]
    np.testing.assert_allclose(exact, 0, atol=1e-4)
    one, small = (
        error(f"ancestral, {kind}", SHAPES[name], "exact", 50, SPECTRUM)
        for kind in ("one optimal number", "small variance")
    )
    assert 1e-3 < one < small


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("reading", ["published", "equations"])
def test_the_other_readings_keep_an_error_that_steps_do_not_remove(sampler, reading):
    """Where the shape changes with time they neglect S_t^-1 S_u; where it does not, they converge."""
    varying, constant = (
        [error(sampler, shape, reading, steps, SPECTRUM) for steps in (100, 250, 500)]
        for shape in (SHAPES["sdm"], SHAPES["sdm"] | {"schedule": "constant"})
    )
    assert varying[2] > max(0.1, 0.9 * varying[1] - 0.05)
    assert constant[2] < constant[0] / 3


@pytest.mark.parametrize(("solver", "order"), [("ddim", 1), ("dpm_solver", 2)])
@pytest.mark.parametrize("name", SHAPES)
def test_orders_of_the_deterministic_samplers(solver, order, name):
    """Against the solution of each mode's probability-flow ODE, which keeps x_t over its deviation.

    For Gaussian data with variance L, x_u / x_t = sqrt((A_u L + V_u) / (A_t L + V_t)).
    """
    process = ShapedProcess(make_shape(**SHAPES[name]), BETAS, exact=True)
    data = torch.tensor(0.3, dtype=torch.float64)

    def deviation(t):
        signal, variance = process.marginal(t, SIZE)
        return (signal**2 * data + variance).sqrt()

    def solved(steps: int) -> torch.Tensor:
        times = [round(t) for t in np.linspace(900, 100, steps + 1)]
        x, last, before = deviation(times[0]), None, None
        for t, u in pairwise(times):
            signal, variance = process.marginal(t, SIZE)
            x0 = signal * data / (signal**2 * data + variance) * x
            chosen = {"ddim": partial(ddim, eta=0.0), "dpm_solver": partial(dpm_solver, before=before)}
            step = reverse_step(process, "exact", partial(chosen[solver], t=t, u=u), t, u, SIZE)
            x = step.x0 * x0 + step.xt * x + (step.previous * last if last is not None else 0)
            last, before = x0, t
        return (x / deviation(times[-1]) - 1).abs().max()

    coarse, fine = solved(80), solved(400)
    assert math.log(coarse / fine) / math.log(5) == pytest.approx(order, abs=0.3)
    assert fine < {1: 0.01, 2: 1e-4}[order]
