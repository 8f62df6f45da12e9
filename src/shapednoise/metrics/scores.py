"""All scores of a sample set from features, with their uncertainties (docs/scores.md).

FID, KID and Inception Score are torch-fidelity's own functions; precision, recall, density and
coverage are ours (manifold.py; tests hold the first two equal to torch-fidelity's), so that the
neighbours of real images are found once a data set; and so are the intervals (uncertainty.py).

The generated set always comes first (torch-fidelity 0.4.0 and later: `input1` is the generated set,
so precision asks how much of it looks real, recall how much of the real data it covers).
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.special
import torch
from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_statistics_to_metric
from torch_fidelity.metric_isc import KEY_METRIC_ISC_MEAN, KEY_METRIC_ISC_STD, isc_features_to_metric
from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, KEY_METRIC_KID_STD, kid_features_to_metric

from shapednoise.config.scoring import ScoringSettings
from shapednoise.errors import UserError
from shapednoise.metrics.manifold import Membership, membership, neighbour_distances
from shapednoise.metrics.names import METRICS
from shapednoise.metrics.resampling import (
    Frechet,
    HalfSamples,
    Interval,
    fid_infinity,
    inception_score,
    kid_terms,
)
from shapednoise.metrics.statistics import statistics
from shapednoise.metrics.weights import NO_CLASSIFIER

Features = dict[str, np.ndarray]
COMPARABLE = 2048  # images, from which on scores are usually published
FEWEST_FOR_INFINITY = 500
NO_INTERVALS = "scoring.bootstrap is 0"
NO_INFINITY = f"fewer than {FEWEST_FOR_INFINITY} generated images"


def score(
    generated: Features, real: Features, settings: ScoringSettings, no_logits: str = NO_CLASSIFIER
) -> dict[str, Any]:
    """All scores of a generated set against a real one, with standard errors and intervals.

    generated, real: `features` (n, d) float32; generated may have `logits` (n, classes), real its
    `neighbours` (m, k) by metrics/manifold.py, which are computed where they are left out. What cannot
    be computed is None, and `is_missing`, `fid_infinity_missing` and `intervals_missing` say why
    (no_logits: why there may be no logits). Raises UserError for too few images and broken features.
    """
    ours, reference = _checked(generated, "generated", settings), _checked(real, "real", settings)
    tensors = torch.from_numpy(ours), torch.from_numpy(reference)
    spread = HalfSamples.of(len(ours), settings.bootstrap, settings.seed) if settings.bootstrap else None
    scores = {
        **_fid(ours, reference, settings, spread),
        **_kid(*tensors, settings),
        **_inception_score(generated.get("logits"), settings, no_logits),
        **_balls(ours, reference, real.get("neighbours"), settings, spread),
    }
    intervals = {} if spread is None else _intervals(scores, generated, reference, spread)
    for metric in METRICS:
        scores |= _columns(metric, intervals.get(metric)) if f"{metric}_se" not in scores else {}
    return {
        **scores,
        "intervals_missing": None if spread else NO_INTERVALS,
        "generated_images": len(ours),
        "real_images": len(reference),
        "warnings": list(_warnings(ours, reference)),
    }


def _checked(features: Features, name: str, settings: ScoringSettings) -> np.ndarray:
    found, needed = features["features"], settings.images_needed()
    if len(found) < needed:
        raise UserError(
            f"there are {len(found)} {name} images, the scores need {needed}; "
            "raise the number of images or lower kid_subset_size"
        )
    if not np.isfinite(found.sum()):
        raise UserError(f"features of the {name} images are not finite; mend the extractor and run again")
    return found


def _warnings(ours: np.ndarray, reference: np.ndarray) -> Iterator[str]:
    """What makes scores hard to compare with others, one sentence each."""
    for name, features in (("generated", ours), ("real", reference)):
        count, dimensions = features.shape
        if count < COMPARABLE:
            yield (
                f"There are only {count} {name} images (fewer than {COMPARABLE}): FID is biased upward; "
                "compare it only with FIDs of equally many images."
            )
        if count <= dimensions:
            yield (
                f"The {count} {name} images are not more than the {dimensions} dimensions of the features: "
                "their covariance is singular."
            )


def _columns(metric: str, interval: Interval | None) -> dict[str, float | None]:
    """The three columns of a metric's uncertainty."""
    values = interval or (None, None, None)
    return {f"{metric}_{end}": value for end, value in zip(("se", "low", "high"), values, strict=True)}


def _fid(
    ours: np.ndarray, reference: np.ndarray, settings: ScoringSettings, spread: HalfSamples | None
) -> dict[str, Any]:
    """FID, its extrapolation and its interval, from one root of the real covariance."""
    real = statistics(reference)
    fid = fid_statistics_to_metric(statistics(ours), real, verbose=False)[KEY_METRIC_FID]
    enough = len(ours) >= FEWEST_FOR_INFINITY
    frechet = Frechet(real, ours) if enough or spread else None
    return {
        "fid": fid,
        "fid_infinity": fid_infinity(frechet, settings.fid_sizes, settings.seed) if enough else None,
        "fid_infinity_missing": None if enough else NO_INFINITY,
        **_columns("fid", spread.interval(fid, frechet.distance, smooth=True) if spread else None),
    }


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


def _inception_score(logits: np.ndarray | None, settings: ScoringSettings, no_logits: str) -> dict[str, Any]:
    if logits is None:
        return {"is": None, "is_std": None, "is_missing": no_logits}
    out = isc_features_to_metric(torch.from_numpy(logits), settings.is_splits, True, settings.seed)
    return {"is": out[KEY_METRIC_ISC_MEAN], "is_std": out[KEY_METRIC_ISC_STD], "is_missing": None}


def _balls(
    ours: np.ndarray,
    reference: np.ndarray,
    nearest: np.ndarray | None,
    settings: ScoringSettings,
    spread: HalfSamples | None,
) -> dict[str, Any]:
    """Precision, recall, F-score, density and coverage, with their intervals."""
    nearest = neighbour_distances(reference) if nearest is None else nearest
    found = membership(ours, reference, nearest, settings.neighbours, settings.density_neighbours)
    precision, recall, density, coverage = (
        terms.mean().item() for terms in (found.precise, found.recalled, found.dense, found.covered)
    )
    scores = {
        "precision": precision,
        "recall": recall,
        "f_score": _f_score(precision, recall),
        "density": density,
        "coverage": coverage,
    }
    return scores | (_intervals_of_balls(scores, found, spread) if spread else {})


def _f_score(precision: float, recall: float) -> float:
    """Their harmonic mean, as torch-fidelity guards it."""
    return 2 * precision * recall / max(1e-5, precision + recall)


def _intervals_of_balls(
    scores: dict[str, float], found: Membership, spread: HalfSamples
) -> dict[str, float | None]:
    """Their columns; shares stay between 0 and 1."""
    precise, dense, halves = found.precise.numpy(), found.dense.numpy(), found.halves
    recalls = {drawn.tobytes(): halves.recall(drawn) for drawn in spread.drawn}  # for two scores
    of_half = {
        "precision": lambda drawn: precise[drawn].mean(),
        "recall": lambda drawn: recalls[drawn.tobytes()],
        "f_score": lambda drawn: _f_score(precise[drawn].mean(), recalls[drawn.tobytes()]),
        "density": lambda drawn: dense[drawn].mean(),
        "coverage": halves.coverage,
    }
    columns = {}
    for metric, score_of in of_half.items():
        error, low, high = spread.interval(scores[metric], score_of, smooth=False)
        most = np.inf if metric == "density" else 1
        columns |= _columns(metric, (error, max(low, 0.0), min(high, most)))
    return columns


def _intervals(
    scores: dict[str, Any],
    generated: Features,
    reference: np.ndarray,
    spread: HalfSamples,
) -> dict[str, Interval]:
    """Intervals of KID and the Inception Score; none where there is no score."""
    ours, logits = generated["features"], generated.get("logits")
    intervals = {"kid": spread.of_mean(scores["kid"], kid_terms(ours, reference))}
    if logits is not None:
        probabilities = scipy.special.softmax(logits.astype(np.float64), axis=1)
        negentropies = scipy.special.xlogy(probabilities, probabilities).sum(axis=1)
        intervals["is"] = spread.interval(
            scores["is"], lambda drawn: inception_score(drawn, probabilities, negentropies), smooth=True
        )
    return intervals
