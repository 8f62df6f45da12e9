"""Tables of the closed-form theory: distances of each strength and sampler, variances by frequency."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from shapednoise.console import progress
from shapednoise.noise.schedulers import ShapedDDPMScheduler
from shapednoise.sample import sampling_scheduler
from shapednoise.settings.noise import marginal_of
from shapednoise.settings.sampling import SamplerSettings
from shapednoise.settings.training import ScheduleSettings
from shapednoise.tables.modes import directions, radial_mean, rings
from shapednoise.theory import Prediction, predict

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
