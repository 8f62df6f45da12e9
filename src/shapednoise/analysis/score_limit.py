"""How the learned score tends to the data's score as the noise vanishes (SAGD, full support).

On Gaussian data with variances L_m everything is known. For x = sqrt(A) x_0 + sqrt(1 - A) n with
noise of gain h on a mode, V = (1 - A) h^2, the best prediction of the noise is
E[n | x] = sqrt(1 - A) h^2 / (A L + V) x, and the score that it stands for is

    score(x) = -E[n | x] / (sqrt(1 - A) h^2) = -x / (A L + V),    the data's own being -x / L.

Modes without noise have no such score: what is learned is the score of the projected data.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch

from shapednoise.noise.process import ShapedProcess
from shapednoise.noise.shape import make_shape, with_data

LEVELS = tuple(10.0**power for power in range(-10, 0))


def score_limit_table(
    spectrum: np.ndarray,
    pca: Mapping[str, Any],
    points: Sequence[tuple[str, float, Mapping[str, Any]]],
    levels: Sequence[float] = LEVELS,
) -> pd.DataFrame:
    """The relative error of the score for each noise and noise level 1 - A.

    Args:
        spectrum: L_m of the data, (C, H, W) (analysis/spectrum.py).
        pca: The colours' principal `axes`, C unit rows (analysis/pca.py).
        points: Noise, strength and description for make_shape without its axis; at full strength.
        levels: 1 - A, between 0 and 1.

    Returns:
        Columns noise, strength, level; `error`, the root of E|learned - data's|^2 / E|data's|^2 over all
        modes that the data have, with x from the data; `support`, the share of them with noise;
        `error_on_support`, over those, NaN where there are none.
    """
    rows = []
    for noise, strength, description in points:
        shape = make_shape(**with_data(description, pca["axes"], spectrum))
        for level in levels:
            process = ShapedProcess(shape, torch.tensor([level], dtype=torch.float64), exact=False)
            errors = _errors(process, spectrum)
            rows.append({"noise": noise, "strength": strength, "level": level, **errors})
    return pd.DataFrame(rows)


def _errors(process: ShapedProcess, data: np.ndarray) -> dict[str, float]:
    size = data.shape[-2:]
    modes = process.shape.modes(len(data), size)
    signal, variances = process.marginal(0, size)
    variance = variances[modes].expand(*data.shape).numpy()
    data, variance = data[data > 0], variance[data > 0]  # no data, no score
    supported = variance > 0
    learned = np.where(supported, 1 / (float(signal) ** 2 * data + variance), 0)
    squares = data * (learned - 1 / data) ** 2  # of the scores' difference, mean over the data
    on_support = (
        np.sqrt(squares[supported].sum() / (1 / data)[supported].sum()) if supported.any() else np.nan
    )
    return {
        "error": float(np.sqrt(squares.sum() / (1 / data).sum())),
        "support": float(supported.mean()),
        "error_on_support": float(on_support),
    }
