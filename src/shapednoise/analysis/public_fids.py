"""Public FIDs of one ordinary DDPM under fifteen samplers, beside what the theory expects of them.

Source: docs/Samplers.md of https://github.com/xyfJASON/Diffusion-Models-Implementations (MIT licence, Yifeng
Xu) at commit 1b20f4e: one model of CIFAR-10, 50,000 samples each, FID by torch-fidelity. Its timesteps are
taken to be evenly spaced, as `leading` has them.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from shapednoise.analysis.theory import predict_sampler
from shapednoise.config.sampling import SamplerSettings

STEPS = (10, 20, 50, 100, 1000)
FIDS = {
    ("ancestral", "fixed_small"): (41.0479, 24.5131, 15.0471, 11.2191, 5.3727),
    ("ancestral", "fixed_large"): (266.7540, 183.3468, 85.2221, 46.5454, 3.0459),
    ("ddim", "fixed_small"): (18.9559, 11.6506, 7.7011, 6.0508, 4.1892),
}


def public_fids_table(
    spectrum: np.ndarray, pca: Mapping[str, Any], schedule: Mapping[str, Any]
) -> pd.DataFrame:
    """The public FIDs with the closed form's distances for the same samplers.

    Args:
        spectrum: L_m of CIFAR-10, (C, H, W) (analysis/spectrum.py).
        pca: The colours' principal `axes`, C unit rows (analysis/pca.py).
        schedule: beta_start, beta_end and num_train_timesteps.

    Returns:
        A row a sampler, with its settings, `public_fid`, the DISTANCES and shares of `Prediction.row`.
    """
    rows = []
    for (method, variance), fids in FIDS.items():
        for steps, fid in zip(STEPS, fids, strict=True):
            sampler = SamplerSettings(method=method, variance=variance, steps=steps)
            prediction = predict_sampler(spectrum, pca, {"operator": "ddpm"}, sampler, schedule)
            rows.append(sampler.in_theory() | {"public_fid": fid} | prediction.row())
    return pd.DataFrame(rows)
