"""Precision, recall and their F-score; density and coverage: means of metrics/manifold.py's estimates."""

from typing import Any

import numpy as np

from shapednoise.metrics.context import Context
from shapednoise.metrics.measures import SHARE, Measurement, Metric


def precision(context: Context) -> Measurement:
    """Precision (Kynkaanniemi et al. 2019, arXiv 1904.06991): how much of the generated set looks real."""
    return _mean(context, context.membership.precise)


def recall(context: Context) -> Measurement:
    """Recall (Kynkaanniemi et al. 2019, arXiv 1904.06991): how much of the real set is covered."""
    value, resampler = context.membership.recalled.mean().item(), context.resampler
    return Measurement(value, resampler and resampler.interval(value, context.recall_of_halves))


def f_score(context: Context) -> Measurement:
    """The harmonic mean of precision and recall."""
    membership, resampler, interval = context.membership, context.resampler, None
    value = _harmonic_mean(membership.precise.mean().item(), membership.recalled.mean().item())
    if resampler:
        precise = membership.precise.numpy()
        precisions = resampler.evaluate(lambda mask: precise[mask].mean())
        pairs = zip(precisions, context.recall_of_halves, strict=True)
        interval = resampler.interval(value, np.array([_harmonic_mean(*pair) for pair in pairs]))
    return Measurement(value, interval)


def density(context: Context) -> Measurement:
    """Density (Naeem et al. 2020, arXiv 2002.09797): real balls that hold a generated image, over k."""
    return _mean(context, context.membership.dense)


def coverage(context: Context) -> Measurement:
    """Coverage (Naeem et al. 2020, arXiv 2002.09797): real balls that hold a generated image, of all."""
    value, resampler = context.membership.covered.mean().item(), context.resampler
    coverage_of = context.membership.halves.coverage
    return Measurement(value, resampler and resampler.interval(value, resampler.evaluate(coverage_of)))


def _mean(context: Context, terms: Any) -> Measurement:
    value, resampler = terms.mean().item(), context.resampler
    return Measurement(value, resampler and resampler.interval_of_mean(value, terms.numpy()))


def _harmonic_mean(precision: float, recall: float) -> float:
    """As torch-fidelity guards it."""
    return 2 * precision * recall / max(1e-5, precision + recall)


METRICS = [
    Metric("precision", "Precision", precision, order=4, bounds=SHARE),
    Metric("recall", "Recall", recall, order=5, bounds=SHARE),
    Metric("f_score", "F-score", f_score, order=6, bounds=SHARE),
    Metric("density", "Density", density, order=7, bounds=(0.0, np.inf)),
    Metric("coverage", "Coverage", coverage, order=8, bounds=SHARE),
]
