"""The drift R_t = S_t^-1 S_u of a shape that changes with time (Eq. 8 and 12 of SDM)."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd
import torch

from shapednoise.noise.shape import make_shape, with_axis


def drift_table(
    noise: str, shapes: Iterable[Mapping[str, Any]], steps: Iterable[int], betas: torch.Tensor
) -> pd.DataFrame:
    """R_t - 1 on the principal axis v, for each step of `leading` spacing and each shape's strength.

    On v the drift of a colour shape is largest, so |R_t - 1| is the spectral norm of R_t - I. Gains do
    not depend on the direction of v. betas: (T,). Columns: noise, strength, steps, timestep;
    `deviation`, that of one step; `accumulated`, that of all steps from the first to this timestep.
    """
    parts = []
    for description in shapes:
        shape = make_shape(**with_axis(description, [1.0, 0.0, 0.0]))
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
