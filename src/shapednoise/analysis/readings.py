"""How far the readings `published`, `equations` and `exact` of one process lie apart on the axis v."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
import torch

from shapednoise.config.noise import Reading
from shapednoise.config.training import ScheduleSettings
from shapednoise.noise.schedulers import ShapedDDPMScheduler
from shapednoise.noise.shape import with_axis

READINGS: tuple[Reading, ...] = ("published", "equations", "exact")
SIZE = (1, 1)  # one pixel: its one frequency is the mean


def readings_table(
    noise: str, shapes: Iterable[Mapping[str, Any]], steps: Sequence[int], schedule: ScheduleSettings
) -> pd.DataFrame:
    """The readings on the principal axis, at the timesteps that so many `leading` steps visit.

    Columns: noise, strength, steps, timestep; `marginal`, sqrt(V_exact / V_published) - 1 with V the
    variance of the noise in x_t; `published` and `equations`, the variance of the noise that one
    ancestral step (fixed_small) from there adds, over that of `exact`. The last step adds none. Gains
    do not depend on the direction of v.
    """
    parts = []
    for description in shapes:
        shape = with_axis(description, [1.0, 0.0, 0.0])
        for count in steps:
            part = pd.DataFrame(_columns(shape, count, schedule))
            part = part.assign(noise=noise, strength=description.get("strength", 0.0), steps=count)
            parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _columns(shape: Mapping[str, Any], steps: int, schedule: ScheduleSettings) -> dict[str, Any]:
    schedulers = {reading: _scheduler(shape, reading, steps, schedule) for reading in READINGS}
    added = {reading: _added(scheduler) for reading, scheduler in schedulers.items()}
    visited = schedulers["exact"].timesteps[:-1]
    gains = {name: schedulers[name].process.noise_gains(SIZE).values[visited, 0] for name in READINGS}
    return {
        "timestep": visited.numpy(),
        "marginal": (gains["exact"] / gains["published"] - 1).numpy(),
        "published": (added["published"] / added["exact"]).numpy(),
        "equations": (added["equations"] / added["exact"]).numpy(),
    }


def _added(scheduler: ShapedDDPMScheduler) -> torch.Tensor:
    """Variance of the noise that each step but the last one adds on v."""
    return torch.stack([step.noise[0] ** 2 for _, step in scheduler.coefficients(SIZE)[:-1]])


def _scheduler(
    shape: Mapping[str, Any], reading: Reading, steps: int, schedule: ScheduleSettings
) -> ShapedDDPMScheduler:
    scheduler = ShapedDDPMScheduler(**schedule.for_diffusers(), shape=shape, reading=reading)
    scheduler.set_timesteps(steps)
    return scheduler
