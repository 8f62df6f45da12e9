"""Closed-form theory: what a sampler makes of Gaussian data, mode by mode, without any training.

Data are taken as Gaussian and stationary: modes m = (principal colour axis, spatial frequency) with
the variance L_m of the training set. The best denoiser is then linear, E[x_0 | x_t] = k x_t with
k = sqrt(A_t) L / (A_t L + V_t), V_t the noise variance that training used. Every sampler's step is
linear too (noise/steps.py), so the covariance of (x_t, x_0 of the step before) of each mode follows
a recursion from the prior's, and the Gaussian Frechet distance in pixel space is
sum_m (sqrt v_m - sqrt L_m)^2, v_m the variance of the samples. Clamps are ignored.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from shapednoise.analysis.modes import directions, radial_mean, rings
from shapednoise.config.noise import marginal_of
from shapednoise.config.sampling import SamplerSettings
from shapednoise.config.training import ScheduleSettings
from shapednoise.diffusion.sampling import sampling_scheduler
from shapednoise.log import progress
from shapednoise.noise.process import ShapedProcess
from shapednoise.noise.schedulers import AnyShaped, ShapedDDPMScheduler
from shapednoise.noise.shape import Size


@dataclass(frozen=True)
class Prediction:
    """Variances of the samples v and of the data L, of each (principal axis, frequency): (C, H, W)."""

    samples: np.ndarray
    data: np.ndarray

    @property
    def distance(self) -> float:
        """The Gaussian Frechet distance, sum over modes of (sqrt v - sqrt L)^2."""
        return float(((np.sqrt(self.samples) - np.sqrt(self.data)) ** 2).sum())

    @property
    def share(self) -> float:
        """The variance that the samples have of the data's, sum of v over sum of L."""
        return float(self.samples.sum() / self.data.sum())


def predict(scheduler: AnyShaped, spectrum: np.ndarray) -> Prediction:
    """What this scheduler, its timesteps set, makes of Gaussian data with this spectrum (C, H, W)."""
    process, size = scheduler.process, spectrum.shape[-2:]
    modes = process.shape.modes(len(spectrum), size)
    data = torch.from_numpy(spectrum).double()
    variance = _prior_variance(process, size)[modes]  # of x
    covariance, last = torch.zeros_like(data), torch.zeros_like(data)  # with, and of, the x_0 before
    for t, step in scheduler.coefficients(size):
        x0, xt, noise, previous = (_on_modes(c, modes) for c in (step.x0, step.xt, step.noise, step.previous))
        signal, added = process.marginal(t, size)
        k = signal * data / (signal**2 * data + added[modes])
        a = x0 * k + xt
        following = a**2 * variance + 2 * a * previous * covariance + previous**2 * last + noise**2
        covariance = k * (a * variance + previous * covariance)
        variance, last = following, k**2 * variance
    return Prediction(variance.numpy(), spectrum)


def _prior_variance(process: ShapedProcess, size: Size) -> Tensor:
    return process.noise_gains(size).values[process.last] ** 2


def _on_modes(values: Tensor, modes: Tensor) -> Tensor:
    return values[modes] if values.ndim else values


Shape = Mapping[str, Any]


def theory_tables(
    noise: str,
    shapes: Sequence[Shape],
    samplers: Sequence[SamplerSettings],
    shown: Sequence[float],
    schedule: ScheduleSettings,
    spectrum: np.ndarray,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The theory of every shape, with its axis, under every sampler, on data of this spectrum (C, H, W).

    First table, a row a shape and sampler: `distance`, the Gaussian Frechet distance; `share` and
    `share_v`, the variance that samples have of the data's, over all modes and on the principal axis.
    Second table, for the strengths `shown`: the rows of `variance_rows`.
    """
    distances, variances = [], []
    pairs = [(shape, sampler) for shape in shapes for sampler in samplers]
    for shape, sampler in progress(pairs, desc="theory", unit="prediction"):
        found = predict(_scheduler(shape, sampler, schedule), spectrum)
        strength = shape.get("strength", 0.0)
        names = {"noise": noise, "strength": strength, **sampler.in_theory()}
        share_v = float(found.samples[0].sum() / found.data[0].sum())
        row = {"distance": found.distance, "share": found.share, "share_v": share_v}
        distances.append(names | row)
        if strength in shown:
            variances += [names | row for row in variance_rows(found)]
    return pd.DataFrame(distances), pd.DataFrame(variances)


def variance_rows(found: Prediction) -> Iterator[dict[str, Any]]:
    """By direction and ring: `radius` (cycles per pixel), `data` the mean L_m, `ratio` the mean v_m / L_m."""
    radius, index = rings(found.data.shape[-2:])
    ratios = found.samples / found.data
    for direction, axes in directions(len(found.data)):
        means = zip(
            radius, radial_mean(found.data[axes], index), radial_mean(ratios[axes], index), strict=True
        )
        for r, data, ratio in means:
            yield {"direction": direction, "radius": r, "data": data, "ratio": ratio}


def _scheduler(shape: Shape, sampler: SamplerSettings, schedule: ScheduleSettings):
    trained = ShapedDDPMScheduler(
        **schedule.for_diffusers(), shape=shape, reading=marginal_of(sampler.reading)
    )
    return sampling_scheduler(trained, sampler)
