"""The drift R_t = S_t^-1 S_u of a shape that changes with time (Eq. 8 and 12 of SDM)."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import torch

from shapednoise.noise.process import linear_betas
from shapednoise.noise.shape import make_shape, with_data


def drift_table(
    noise: str, shapes: Sequence[Mapping[str, Any]], steps: Sequence[int], schedule: Mapping[str, Any]
) -> pd.DataFrame:
    """R_t - 1 on the principal axis v, for each step of `leading` spacing and each shape's strength.

    On v the drift of a colour shape is largest, so |R_t - 1| is the spectral norm of R_t - I. Gains do
    not depend on the direction of v.

    Args:
        noise: Name of the noise variant.
        shapes: Its descriptions for make_shape without their axis, one a strength.
        steps: Numbers of sampling steps.
        schedule: beta_start, beta_end and num_train_timesteps.

    Returns:
        Columns noise, strength, steps, timestep; `deviation`, R_t - 1 of one step; `accumulated`, that
        of all steps from the first to this timestep.
    """
    betas = linear_betas(**schedule)
    parts = []
    for description in shapes:
        shape = make_shape(**with_data(description, [[1.0, 0.0, 0.0]]))
        on_axis = shape.gains(betas, (1, 1))[:, 0]
        for count in steps:
            stride = len(betas) // count
            visited = torch.arange(stride, stride * count, stride).flip(0)
            drift = on_axis[visited - stride] / on_axis[visited]
            columns = {"timestep": visited, "deviation": drift - 1, "accumulated": drift.cumprod(0) - 1}
            part = pd.DataFrame({name: values.numpy() for name, values in columns.items()})
            strength = description.get("strength", 0.0)
            parts.append(part.assign(noise=noise, strength=strength, steps=count))
    return pd.concat(parts, ignore_index=True)
