"""The drift R_t = S_t^-1 S_u of a shape that changes with time (Eq. 8 and 12 of SDM)."""

from collections.abc import Iterable

import pandas as pd
import torch

from shapednoise.noise.shape import make_shape


def drift_table(
    noise: str, operator: str, schedule: str, strengths: Iterable[float], steps: Iterable[int],
    timesteps: int = 1000, beta_start: float = 1e-4, beta_end: float = 0.02,
) -> pd.DataFrame:  # fmt: skip
    """Spectral norm of R_t - I for each step of `leading` spacing, for each strength.

    Gains do not depend on the axis, so any unit vector serves. Columns: noise, strength, steps,
    timestep, deviation.
    """
    betas = torch.linspace(beta_start, beta_end, timesteps, dtype=torch.float64)
    rows = []
    for strength in strengths:
        gains = make_shape(operator, strength, schedule, [1.0, 0.0, 0.0]).gains(betas)
        for count in steps:
            stride = timesteps // count
            visited = torch.arange(stride, stride * count, stride)
            deviations = (gains[visited - stride] / gains[visited] - 1).abs().amax(1)
            for timestep, deviation in zip(visited.tolist(), deviations.tolist(), strict=True):
                rows.append((noise, strength, count, timestep, deviation))
    return pd.DataFrame(rows, columns=["noise", "strength", "steps", "timestep", "deviation"])
