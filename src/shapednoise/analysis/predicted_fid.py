"""The table of predicted FIDs: the scores of distorted real images beside the closed-form distances."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from shapednoise.analysis.theory import predict_sampler
from shapednoise.config.sampling import SamplerSettings


def predicted_fid_table(
    scores: Sequence[Mapping[str, Any]],
    spectrum: np.ndarray,
    pca: Mapping[str, Any],
    schedule: Mapping[str, Any],
) -> pd.DataFrame:
    """What the sampler alone does to each score, the best FID first.

    Args:
        scores: Of each set of distorted images (analysis/distort.py), with `noise`, `strength`, `shape` and
            `sampler`; that of undistorted ones has the sampler None.
        spectrum: L_m of the data, (C, H, W) (analysis/spectrum.py).
        pca: The colours' principal `axes`, C unit rows (analysis/pca.py).
        schedule: beta_start, beta_end and num_train_timesteps.

    Returns:
        A row a set, with noise, strength, the sampler's settings, every score with its interval, the
        DISTANCES and shares of `Prediction.row`. Undistorted images have no sampler, and no distance.
    """
    rows = []
    for score in scores:
        shape, sampler = score["shape"], score["sampler"] or {}
        found = {key: value for key, value in score.items() if not isinstance(value, dict | list)}
        if sampler:
            found |= predict_sampler(spectrum, pca, shape, SamplerSettings(**sampler), schedule).row()
        rows.append({"noise": score["noise"], "strength": score["strength"], **sampler, **found})
    return pd.DataFrame(rows).dropna(axis="columns", how="all").sort_values("fid", ignore_index=True)
