"""How far the readings `published`, `equations` and `exact` of one process lie apart on the axis v.

A reading is a formulation of the reverse process (docs/noise.md).
"""

from collections.abc import Mapping, Sequence
from typing import Any, get_args

import pandas as pd
import torch

from shapednoise.config.noise import Reading
from shapednoise.noise.schedulers import ShapedDDPMScheduler
from shapednoise.noise.shape import with_data

SIZE = (1, 1)  # one pixel: its one frequency is the mean


def readings_table(
    noise: str, shapes: Sequence[Mapping[str, Any]], steps: Sequence[int], schedule: Mapping[str, Any]
) -> pd.DataFrame:
    """The readings on the principal axis, at the timesteps that `leading` spacing visits.

    Gains do not depend on the direction of v.

    Args:
        noise: Name of the noise variant.
        shapes: Its descriptions for make_shape without their axis, one a strength.
        steps: Numbers of reverse steps, at least 2.
        schedule: beta_start, beta_end and num_train_timesteps.

    Returns:
        Columns noise, strength, steps, timestep; `marginal`, sqrt(V_exact / V_published) - 1 with V the
        variance of the noise in x_t; `published` and `equations`, the variance of the noise that one
        ancestral step (fixed_small) from there adds, over that of `exact`. The last step adds none.
    """
    parts = []
    for description in shapes:
        shape = with_data(description, [[1.0, 0.0, 0.0]])
        for count in steps:
            part = pd.DataFrame(_columns(shape, count, schedule))
            part = part.assign(noise=noise, strength=description.get("strength", 0.0), steps=count)
            parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _columns(shape: Mapping[str, Any], steps: int, schedule: Mapping[str, Any]) -> dict[str, Any]:
    schedulers = {
        reading: ShapedDDPMScheduler(**schedule, shape=shape, reading=reading)
        for reading in get_args(Reading)
    }
    for scheduler in schedulers.values():
        scheduler.set_timesteps(steps)
    visited = schedulers["exact"].timesteps[:-1]
    added = {reading: _added(scheduler) for reading, scheduler in schedulers.items()}
    gains = {
        reading: scheduler.process.noise_gains(SIZE).values[visited, 0]
        for reading, scheduler in schedulers.items()
    }
    return {
        "timestep": visited.numpy(),
        "marginal": (gains["exact"] / gains["published"] - 1).numpy(),
        "published": (added["published"] / added["exact"]).numpy(),
        "equations": (added["equations"] / added["exact"]).numpy(),
    }


def _added(scheduler: ShapedDDPMScheduler) -> torch.Tensor:
    """Variance of the noise that each step but the last one adds on v."""
    return torch.stack([step.noise[0] ** 2 for _, step in scheduler.coefficients(SIZE)[:-1]])
