"""FID, KID, Inception Score, precision and recall from features, by torch-fidelity's own functions.

The generated set always comes first (torch-fidelity 0.4.0 and later: `input1` is the generated set,
so precision asks how much of it looks real, recall how much of the real data it covers).
"""

from typing import Any

import numpy as np
import torch
from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_isc import KEY_METRIC_ISC_MEAN, KEY_METRIC_ISC_STD, isc_features_to_metric
from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, KEY_METRIC_KID_STD, kid_features_to_metric
from torch_fidelity.metric_prc import (
    KEY_METRIC_F_SCORE,
    KEY_METRIC_PRECISION,
    KEY_METRIC_RECALL,
    prc_features_to_metric,
)

from shapednoise.console import UserError
from shapednoise.metrics.weights import NO_CLASSIFIER
from shapednoise.settings.scoring import ScoringSettings

Features = dict[str, np.ndarray]


def score(generated: Features, real: Features, settings: ScoringSettings) -> dict[str, Any]:
    """All scores of a generated set against a real one, each a float, and the numbers of images.

    generated, real: `features` (n, d) float32; generated may have `logits` (n, classes). Inception
    Score is None, with `is_missing` saying why, without them. Raises UserError for too few images.
    """
    for name, features in (("generated", generated), ("real", real)):
        count, needed = len(features["features"]), settings.images_needed()
        if count < needed:
            raise UserError(
                f"there are {count} {name} images, the scores need {needed}; "
                "raise the number of images or lower kid_subset_size"
            )
    ours, reference = (torch.from_numpy(f["features"]) for f in (generated, real))
    return {
        **_fid(ours, reference),
        **_kid(ours, reference, settings),
        **_inception_score(generated.get("logits"), settings),
        **_precision_recall(ours, reference, settings),
        "generated_images": len(ours),
        "real_images": len(reference),
    }


def _fid(ours: torch.Tensor, reference: torch.Tensor) -> dict[str, float]:
    statistics = [fid_features_to_statistics(features) for features in (ours, reference)]
    return {"fid": fid_statistics_to_metric(*statistics, verbose=False)[KEY_METRIC_FID]}


def _kid(ours: torch.Tensor, reference: torch.Tensor, settings: ScoringSettings) -> dict[str, float]:
    out = kid_features_to_metric(
        ours,
        reference,
        kid_subsets=settings.kid_subsets,
        kid_subset_size=settings.kid_subset_size,
        rng_seed=settings.seed,
        verbose=False,
    )
    return {"kid": out[KEY_METRIC_KID_MEAN], "kid_std": out[KEY_METRIC_KID_STD]}


def _inception_score(logits: np.ndarray | None, settings: ScoringSettings) -> dict[str, Any]:
    if logits is None:
        return {"is": None, "is_std": None, "is_missing": NO_CLASSIFIER}
    out = isc_features_to_metric(torch.from_numpy(logits), settings.is_splits, True, settings.seed)
    return {"is": out[KEY_METRIC_ISC_MEAN], "is_std": out[KEY_METRIC_ISC_STD], "is_missing": None}


def _precision_recall(
    ours: torch.Tensor, reference: torch.Tensor, settings: ScoringSettings
) -> dict[str, float]:
    out = prc_features_to_metric(
        ours,
        reference,
        prc_neighborhood=settings.neighbours,
        prc_batch_size=500,
        save_cpu_ram=True,  # distances in blocks; all pairs of 50,000 would be 10 GB
        verbose=False,
    )
    return {
        "precision": out[KEY_METRIC_PRECISION],
        "recall": out[KEY_METRIC_RECALL],
        "f_score": out[KEY_METRIC_F_SCORE],
    }
