"""The Monge inception distance (MIND), which few images suffice for."""

import numpy as np

from shapednoise.metrics.context import Context
from shapednoise.metrics.measures import Measurement, Metric

DIRECTIONS, BLOCK = 1000, 100


def mind(context: Context) -> Measurement:
    """MIND (Berthet et al. 2026, arXiv 2605.06797); its authors' settings, biased upward for few images."""
    count, resampler, seed = len(context.generated), context.resampler, context.settings.seed
    [value] = monge_distances(context.generated, context.real, np.ones((1, count), bool), seed)
    interval = None
    if resampler:
        halves = monge_distances(context.generated, context.real, resampler.masks, seed)
        interval = resampler.interval(value, halves, smooth=True)
    return Measurement(float(value), interval)


def monge_distances(generated: np.ndarray, real: np.ndarray, masks: np.ndarray, seed: int) -> np.ndarray:
    """3 d times the mean over random directions of the squared W2 of the projections on them.

    In one dimension W2^2 is the mean squared difference of the quantile functions: that of sorted values,
    where both sets have as many. The factor makes a shift by a vector m count 3 |m|^2.

    Args:
        generated: Features (n, d).
        real: Features (m, d).
        masks: Subsets of the generated images, bool (k, n), all of them equally large.
        seed: Seed of the directions.

    Returns:
        The distance of every subset, float64 (k,).
    """
    rng, dimensions, size = np.random.default_rng(seed), real.shape[1], np.count_nonzero(masks[0])
    total = np.zeros(len(masks))
    for _ in range(0, DIRECTIONS, BLOCK):
        directions = rng.standard_normal((dimensions, BLOCK)).astype(np.float32)
        directions /= np.linalg.norm(directions, axis=0)
        theirs = np.sort((real @ directions).T.astype(np.float64))
        quantiles, square = _quantile_means(theirs, size), (theirs**2).mean(1)
        projected = (generated @ directions).T.astype(np.float64)
        order = projected.argsort()
        ours = np.take_along_axis(projected, order, 1)
        for row, mask in enumerate(masks):
            chosen = ours[mask[order]].reshape(BLOCK, size)
            total[row] += ((chosen**2).mean(1) - 2 * (chosen * quantiles).mean(1) + square).sum()
    return 3 * dimensions * total / DIRECTIONS


def _quantile_means(values: np.ndarray, count: int) -> np.ndarray:
    """The means of the quantile function of sorted values (r, m) over `count` equal intervals, (r, count)."""
    available = values.shape[1]
    integral = np.pad(values.cumsum(1), ((0, 0), (1, 0))) / available
    places = np.arange(count + 1) * available / count
    whole = places.astype(int).clip(0, available - 1)
    ends = integral[:, whole] + (places - whole) * values[:, whole] / available
    return np.diff(ends) * count


METRICS = [Metric("mind", "MIND", mind, lower_is_better=True, order=9)]
