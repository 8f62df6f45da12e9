"""Closed-form theory: what a sampler makes of Gaussian data, mode by mode, without any training.

Data are taken as Gaussian and stationary: modes m = (principal colour axis, spatial frequency) with
the variance L_m of the training set. The best denoiser is then linear, E[x_0 | x_t] = k x_t with
k = sqrt(A_t) L / (A_t L + V_t), V_t the noise variance that training used. Every sampler's step is
linear too (noise/reverse_step.py), so the covariance of (x_t, x_0 of the step before) of each mode follows
a recursion from the prior's to the samples' variance v_m. Clamps are ignored.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from shapednoise.analysis.distances import Prediction
from shapednoise.analysis.modes import directions, radial_mean, rings
from shapednoise.config.noise import marginal_of
from shapednoise.config.sampling import SamplerSettings
from shapednoise.diffusion.sampling import sampling_scheduler
from shapednoise.errors import UserError
from shapednoise.log import progress
from shapednoise.noise.denoising_variance import DenoisingVariance
from shapednoise.noise.process import ShapedProcess
from shapednoise.noise.schedulers import AnyShaped, ShapedDDPMScheduler
from shapednoise.noise.shape import Size, with_data


def predict(scheduler: AnyShaped, spectrum: np.ndarray) -> Prediction:
    """What a scheduler makes of Gaussian data.

    Args:
        scheduler: A shaped scheduler, its timesteps set.
        spectrum: L_m of the data, float64 (C, H, W).
    """
    process, size = scheduler.process, spectrum.shape[-2:]
    modes = process.shape.modes(len(spectrum), size)
    data = torch.from_numpy(spectrum).double()
    variance = _prior_variance(process, size)[modes]  # of x
    covariance, last = torch.zeros_like(data), torch.zeros_like(data)  # with, and of, the x_0 before
    for t, step in scheduler.coefficients(size):
        x0, xt, previous = (_on_modes(c, modes) for c in (step.x0, step.xt, step.previous))
        noise = _on_modes(step.noise, scheduler.noise_modes(len(spectrum), size))
        signal, added = process.marginal(t, size)
        signal = _on_modes(signal, modes)
        k = (signal * data / (signal**2 * data + added[modes])).nan_to_num(0)  # without data and noise
        a = x0 * k + xt
        following = a**2 * variance + 2 * a * previous * covariance + previous**2 * last + noise**2
        covariance = k * (a * variance + previous * covariance)
        variance, last = following, k**2 * variance
    return Prediction(variance.numpy(), spectrum)


def predict_sampler(
    spectrum: np.ndarray,
    pca: Mapping[str, Any],
    shape: Mapping[str, Any],
    sampler: SamplerSettings,
    schedule: Mapping[str, Any],
) -> Prediction:
    """`predict` of the scheduler that the workflow makes of these settings.

    Args:
        spectrum: L_m of the data, (C, H, W).
        pca: The colours' principal `axes`, C unit rows (analysis/pca.py).
        shape: The noise's description for make_shape, without its axis.
        sampler: How it samples.
        schedule: beta_start, beta_end and num_train_timesteps.

    Raises:
        UserError: The spectrum is of another number of channels than the axes.
    """
    if len(spectrum) != len(pca["axes"]):
        raise UserError(
            f"the spectrum is of {len(spectrum)} channels, the principal axes of {len(pca['axes'])}; "
            "make both from one data set"
        )
    trained = ShapedDDPMScheduler(
        **schedule, shape=with_data(shape, pca["axes"], spectrum), reading=marginal_of(sampler.reading)
    )
    of_data = DenoisingVariance.of_data(pca, spectrum) if sampler.optimal else None
    return predict(sampling_scheduler(trained, sampler, denoising=of_data), np.array(spectrum))


def _prior_variance(process: ShapedProcess, size: Size) -> Tensor:
    return process.noise_gains(size).values[process.last] ** 2


def _on_modes(values: Tensor, modes: Tensor) -> Tensor:
    return values[modes] if values.ndim else values


def theory_table(
    spectrum: np.ndarray,
    pca: Mapping[str, Any],
    noise: str,
    shapes: Sequence[Mapping[str, Any]],
    samplers: Sequence[Mapping[str, Any]],
    shown: Sequence[float],
    schedule: Mapping[str, Any],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What every shape and sampler makes of Gaussian data of this spectrum.

    Args:
        spectrum: L_m of the data, (C, H, W) (analysis/spectrum.py).
        pca: The colours' principal `axes`, C unit rows (analysis/pca.py).
        noise: Name of the noise variant.
        shapes: Its descriptions for make_shape without their axis, one a strength.
        samplers: SamplerSettings as dictionaries.
        shown: Strengths whose variances are wanted mode by mode.
        schedule: beta_start, beta_end and num_train_timesteps.

    Returns:
        A row a shape and sampler, with the DISTANCES; `share` and `share_v`, Prediction's variance_ratio and
        variance_ratio_v. And for the strengths `shown` a row a direction and ring: `radius` (cycles per
        pixel), `data`, the mean L_m, and `ratio`, the mean v_m / L_m (NaN where the data have a mode without
        variance).
    """
    spectrum = np.array(spectrum)  # in memory, writable
    distances, variances = [], []
    pairs = [(shape, SamplerSettings(**sampler)) for shape in shapes for sampler in samplers]
    for shape, sampler in progress(pairs, desc="theory", unit="prediction"):
        prediction = predict_sampler(spectrum, pca, shape, sampler, schedule)
        strength = shape.get("strength", 0.0)
        names = {"noise": noise, "strength": strength, **sampler.in_theory()}
        distances.append(names | prediction.row())
        if strength in shown:
            variances += [names | row for row in _variance_rows(prediction)]
    return pd.DataFrame(distances), pd.DataFrame(variances)


def _variance_rows(prediction: Prediction) -> Iterator[dict[str, Any]]:
    radius, index = rings(prediction.data.shape[-2:])
    there = prediction.data > 0
    ratios = np.divide(prediction.samples, prediction.data, np.full(there.shape, np.nan), where=there)
    for direction, axes in directions(len(prediction.data)):
        means = radial_mean(prediction.data[axes], index), radial_mean(ratios[axes], index)
        for r, data, ratio in zip(radius, *means, strict=True):
            yield {"direction": direction, "radius": r, "data": data, "ratio": ratio}
