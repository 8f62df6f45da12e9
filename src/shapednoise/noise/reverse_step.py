"""Reverse steps, mode by mode: three samplers on one Gaussian process, in float64.

Between timesteps t and u < t (u = -1 is the clean data) every sampler here is linear in what it
knows, so a step is a few numbers a mode:

    x_u = x0 * x_0 + xt * x_t + previous * (x_0 of the step before) + noise * e.

x_0 is the prediction. A marginal is a function t -> (sqrt(A_t), V_t): signal and noise variance of
each mode. For the `exact` marginal a step is exact in the sense that each sampler claims, whatever
the shape does over time, because every mode has its own V_t:

- ancestral: draws from the posterior q(x_u | x_t, x_0) of Eq. 2-3; exact given x_0.
- DDIM: keeps every marginal for any eta; eta = 1 is the ancestral step.
- DPM-Solver++(2M): the linear part of each mode's probability-flow ODE is solved exactly in that
  mode's own half log-SNR, lambda = log sqrt(A_t / V_t); what is approximate is the linear
  extrapolation of x_0 in it, of second order as in the paper.

`published` and `equations` take the step in whitened coordinates, with the white marginal, and come
back by S_t or by S_u (Eq. 5-7 of SDM). For a shape that is constant in time all three are the same
step; for one that varies, these two neglect S_t^-1 S_u, whatever the sampler.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from shapednoise.noise import Reading, Variance
from shapednoise.noise.bases import Size
from shapednoise.noise.process import Marginal, ShapedProcess


@dataclass(frozen=True)
class Step:
    """The coefficients of one reverse step, each float64 of shape (modes,) or ().

    Attributes:
        x0: Of the predicted x_0.
        xt: Of the state x_t.
        noise: Of fresh white noise.
        previous: Of the x_0 that the step before predicted.
    """

    x0: Tensor
    xt: Tensor
    noise: Tensor
    previous: Tensor


Solver = Callable[[Marginal], Step]  # a sampler's step from one timestep to another


def ancestral(marginal: Marginal, t: int, u: int, variance: Variance) -> Step:
    """Ancestral sampling (Ho et al. 2020), for any Gaussian marginal.

    With A = A_t / A_u and V_tu = V_t - A V_u the mean of q(x_u | x_t, x_0) is
    sqrt(A_u) (V_tu / V_t) x_0 + sqrt(A) (V_u / V_t) x_t and its variance V_u V_tu / V_t, which is
    `fixed_small`; `fixed_large` takes V_tu. The step from t = 0 adds no noise. As in diffusers, a last
    step from a later t (`trailing` spacing) does add it under `fixed_large`.

    Args:
        marginal: t -> (sqrt(A_t), V_t).
        t: The timestep of the state.
        u: The timestep arrived at, below t; -1 is the clean data.
        variance: `fixed_small` or `fixed_large`.
    """
    (signal_t, var_t), (signal_u, var_u) = marginal(t), marginal(u)
    ratio = signal_t / signal_u
    var_tu = _added_between(ratio, var_t, var_u)
    added = var_tu if variance == "fixed_large" else over(var_u * var_tu, var_t)
    noise = added.sqrt() if t > 0 else torch.zeros_like(added)
    return Step(signal_u * over(var_tu, var_t), ratio * over(var_u, var_t), noise, torch.zeros_like(noise))


def ddim(marginal: Marginal, t: int, u: int, eta: float) -> Step:
    """DDIM (Song et al. 2021), for any Gaussian marginal: x_u keeps the marginal of u.

    The noise in x_t is kept, shrunk to sqrt(V_u - c^2), and fresh noise of deviation c is added;
    c = eta sqrt(V_u V_tu / V_t), so eta = 0 is deterministic and eta = 1 the ancestral step.

    Args:
        marginal: t -> (sqrt(A_t), V_t).
        t: The timestep of the state.
        u: The timestep arrived at, below t; -1 is the clean data.
        eta: In [0, 1].
    """
    (signal_t, var_t), (signal_u, var_u) = marginal(t), marginal(u)
    var_tu = _added_between(signal_t / signal_u, var_t, var_u)
    fresh = eta * over(var_u * var_tu, var_t).sqrt()
    xt = over(var_u - fresh**2, var_t).clamp(min=0).sqrt()
    return Step(_where_noise(signal_u - signal_t * xt, var_t), xt, fresh, torch.zeros_like(xt))


def dpm_solver(marginal: Marginal, t: int, u: int, before: int | None) -> Step:
    """DPM-Solver++(2M), midpoint (Lu et al. 2022), with one lambda a mode.

    The step to the clean data is of first order, and arrives at x_0.

    Args:
        marginal: t -> (sqrt(A_t), V_t).
        t: The timestep of the state.
        u: The timestep arrived at, below t; -1 is the clean data.
        before: The timestep of the step before, whose x_0 gives the second order; None: first order.
    """
    (signal_t, var_t), (signal_u, var_u) = marginal(t), marginal(u)
    xt = over(var_u, var_t).sqrt()
    # sqrt(A_u) (1 - exp(-h)), h = lambda_u - lambda_t
    weight = _where_noise(signal_u - signal_t * xt, var_t)
    zero = torch.zeros_like(weight)
    if before is None or u < 0:
        return Step(weight, xt, zero, zero)
    step, last = _half_log_snr(marginal, t, u), _half_log_snr(marginal, before, t)
    slope = weight * over(step, last) / 2
    return Step(weight + slope, xt, zero, -slope)


def reverse_step(
    process: ShapedProcess, reading: Reading, solver: Solver, t: int, u: int, size: Size
) -> Step:
    """Compute the step of a sampler under one reading, in the coordinates of the data.

    Args:
        process: The noise process; its marginal is the exact one for `exact`, else the published one.
        reading: The formulation of the reverse process.
        solver: `ancestral`, `ddim` or `dpm_solver` with everything but the marginal bound.
        t: The timestep of the state.
        u: The timestep arrived at, below t; -1 is the clean data.
        size: Height and width of the images.
    """
    if reading == "exact":
        return solver(lambda time: process.marginal(time, size))
    step = solver(process.white_marginal)
    gains = process.noise_gains(size).values
    arrival = gains[t] if reading == "published" else gains[max(u, 0)]
    back = over(arrival, gains[t])
    return Step(back * step.x0, back * step.xt, arrival * step.noise, back * step.previous)


def _added_between(ratio: Tensor, var_t: Tensor, var_u: Tensor) -> Tensor:
    """V_tu = V_t - A V_u, the variance that the steps from u to t add; never below 0 by rounding."""
    return (var_t - ratio**2 * var_u).clamp(min=0)


def _where_noise(weight: Tensor, variance: Tensor) -> Tensor:
    """The weight of x_0, and 0 on modes without noise: the process is not about them."""
    return torch.where(variance > 0, weight, 0.0)


def _half_log_snr(marginal: Marginal, t: int, u: int) -> Tensor:
    """lambda_u - lambda_t."""
    (signal_t, var_t), (signal_u, var_u) = marginal(t), marginal(u)
    ratio = over((signal_u**2 * var_t), (signal_t**2 * var_u))
    return torch.where(ratio > 0, ratio, 1.0).log() / 2


def over(numerator: Tensor, denominator: Tensor) -> Tensor:
    """The quotient; 0 where the denominator is 0, on modes without noise."""
    positive = denominator > 0
    return torch.where(positive, numerator / torch.where(positive, denominator, 1.0), 0.0)
