"""The Inception Score."""

import numpy as np

from shapednoise.metrics.context import Context
from shapednoise.metrics.measures import Measurement, Metric


def inception_score(context: Context) -> Measurement:
    """The Inception Score by torch-fidelity (Salimans et al. 2016, arXiv 1606.03498), over parts of the set.

    Its interval is that of the score in one part: the spread is hardly another.
    """
    import torch
    from scipy.special import softmax, xlogy
    from torch_fidelity.metric_isc import KEY_METRIC_ISC_MEAN, KEY_METRIC_ISC_STD, isc_features_to_metric

    logits, settings, resampler = context.logits, context.settings, context.resampler
    if logits is None:
        return Measurement(None, columns={"is_std": None, "is_missing": context.no_logits})
    found = isc_features_to_metric(torch.from_numpy(logits), settings.is_splits, True, settings.seed)
    value, interval = found[KEY_METRIC_ISC_MEAN], None
    if resampler:
        probabilities = softmax(logits.astype(np.float64), axis=1)
        negentropies = xlogy(probabilities, probabilities).sum(axis=1)

        def in_one_part(mask: np.ndarray) -> float:
            marginal = probabilities[mask].mean(0)
            return float(np.exp(negentropies[mask].mean() - np.sum(xlogy(marginal, marginal))))

        interval = resampler.interval(value, resampler.evaluate(in_one_part), smooth=True)
    return Measurement(value, interval, {"is_std": found[KEY_METRIC_ISC_STD], "is_missing": None})


METRICS = [Metric("is", "Inception Score", inception_score, order=3, published=("is_std", "is_missing"))]
