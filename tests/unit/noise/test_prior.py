"""A shaped scheduler says when it is started from white noise, and never when from its prior."""

import math
import warnings

import pytest
import torch
from scipy.stats import multivariate_normal

from shapednoise import ShapedDDIMScheduler, ShapedDDPMScheduler, ShapedDPMSolverScheduler
from tests.unit.noise.shapes import SHAPES, SINGULAR

# but for the one whose prior is white
ALL = {name: SHAPES[name] for name in SHAPES if name != "white_to_blue"} | {"singular": SINGULAR}
KINDS = (ShapedDDPMScheduler, ShapedDDIMScheduler, ShapedDPMSolverScheduler)


def start(scheduler, x) -> None:
    scheduler.set_timesteps(5)
    t = scheduler.timesteps[0]
    scheduler.step(torch.zeros_like(x), t, x)


@pytest.mark.parametrize("name", ["sdm", "hdm", "powerlaw", "product"])
def test_the_log_odds_are_those_of_two_gaussians(name):
    """The prior's covariance is S S^T, S the matrix that shapes each of the unit images."""
    scheduler = ShapedDDPMScheduler(shape=SHAPES[name])
    unit = torch.eye(3 * 4 * 3, dtype=torch.float64).reshape(-1, 3, 4, 3)
    rows = scheduler.prior(unit).flatten(1).numpy()
    x = torch.randn(2, 3, 4, 3, dtype=torch.float64)
    flat = x.flatten(1).numpy()
    shaped = multivariate_normal(cov=rows.T @ rows).logpdf(flat)
    white = multivariate_normal(cov=torch.eye(36).numpy()).logpdf(flat)
    assert scheduler.log_odds_of_white(x) == pytest.approx((white - shaped).sum(), rel=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ALL)
def test_white_noise_is_reported_once(kind, name):
    scheduler = kind(shape=ALL[name], reading="exact")
    white = torch.randn(32, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    with pytest.warns(UserWarning, match="start from scheduler.prior") as caught:
        for _ in range(3):
            start(scheduler, white)
    reported = [one for one in caught if one.category is UserWarning]
    assert len(reported) == 1 and reported[0].filename == __file__


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", ALL)
def test_a_true_prior_never_is(name, dtype):
    """Of 300 priors of small images no more than exp(-c) have log odds above c; the threshold is 13.8."""
    scheduler = ShapedDDPMScheduler(shape=ALL[name])
    generator = torch.Generator().manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for size in ((2, 2), (4, 4), (8, 8)):
            if name == "singular" and size == (2, 2):
                continue  # has no frequency in its bands but the mean
            priors = scheduler.prior(torch.randn(300, 3, *size, generator=generator)).to(dtype)
            odds = [scheduler.log_odds_of_white(prior[None]) for prior in priors]
            for c in (0.5, 2, 4):
                bound = math.exp(-c)
                assert sum(value > c for value in odds) <= 300 * bound + 4 * math.sqrt(300 * bound)
            start(scheduler, priors)


def test_other_timesteps_and_white_schedulers_do_not_look():
    white = torch.randn(32, 3, 16, 16)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        start(ShapedDDPMScheduler(), white)
        scheduler = ShapedDDPMScheduler(shape=SHAPES["sdm"])
        scheduler.set_timesteps(5)
        scheduler.step(white, scheduler.timesteps[1], white)
