"""The drift R_t = S_t^-1 S_u of a shape that changes with time (Eq. 8 and 12 of SDM)."""

from collections.abc import Iterable

import pandas as pd
import torch

from shapednoise.noise.shape import Operator, StrengthSchedule, make_shape


def drift_table(
    noise: str,
    operator: Operator,
    schedule: StrengthSchedule,
    strengths: Iterable[float],
    steps: Iterable[int],
    betas: torch.Tensor,
) -> pd.DataFrame:
    """R_t - 1 on the principal axis v, for each step of `leading` spacing and each strength.

    On v the drift is largest, so |R_t - 1| is the spectral norm of R_t - I. Gains do not depend on
    the direction of v. betas: (T,). Columns: noise, strength, steps, timestep; `deviation`, that of
    one step; `accumulated`, that of all steps from the first one down to this timestep.
    """
    parts = []
    for strength in strengths:
        on_axis = make_shape(operator, strength, schedule, [1.0, 0.0, 0.0]).gains(betas)[:, 0]
        for count in steps:
            stride = len(betas) // count
            visited = torch.arange(stride, stride * count, stride).flip(0)
            drift = on_axis[visited - stride] / on_axis[visited]
            columns = {"timestep": visited, "deviation": drift - 1, "accumulated": drift.cumprod(0) - 1}
            part = pd.DataFrame({name: values.numpy() for name, values in columns.items()})
            parts.append(part.assign(noise=noise, strength=strength, steps=count))
    return pd.concat(parts, ignore_index=True)
