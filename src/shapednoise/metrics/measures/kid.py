"""The kernel inception distance (KID)."""

import numpy as np

from shapednoise.metrics.context import Context
from shapednoise.metrics.measures import Measurement, Metric

KERNEL_ROWS = 1000


def kid(context: Context) -> Measurement:
    """KID by torch-fidelity (Binkowski et al. 2018, arXiv 1801.01401), with its deviation over subsets."""
    import torch
    from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, KEY_METRIC_KID_STD, kid_features_to_metric

    found = kid_features_to_metric(
        torch.from_numpy(context.generated),
        torch.from_numpy(context.real),
        kid_subsets=context.settings.kid_subsets,
        kid_subset_size=context.settings.kid_subset_size,
        rng_seed=context.settings.seed,
        verbose=False,
    )
    value, interval = found[KEY_METRIC_KID_MEAN], None
    if context.resampler:
        interval = context.resampler.interval_of_mean(value, kid_terms(context.generated, context.real))
    return Measurement(value, interval, {"kid_std": found[KEY_METRIC_KID_STD]})


def kid_terms(generated: np.ndarray, real: np.ndarray) -> np.ndarray:
    """What each generated image adds to KID, to first order.

    KID is a mean over pairs; with k its cubic kernel, the term of x is twice the mean of k(x, x') over
    other generated x' minus that of k(x, y) over real y. (KID's own subsets and kid_std stay as they are.)

    Args:
        generated: Features (n, d).
        real: Features (m, d).

    Returns:
        The terms, float64 (n,).
    """

    def mean_kernel(rows: np.ndarray, others: np.ndarray) -> np.ndarray:
        parts = (others[i : i + KERNEL_ROWS] for i in range(0, len(others), KERNEL_ROWS))
        total = sum(
            ((rows @ part.T / rows.shape[1] + 1) ** 3).sum(axis=1, dtype=np.float64) for part in parts
        )
        return total / len(others)

    count, squares = len(generated), np.einsum("ij,ij->i", generated, generated, dtype=np.float64)
    itself = (squares / generated.shape[1] + 1) ** 3
    others = (count * mean_kernel(generated, generated) - itself) / (count - 1)
    return 2 * (others - mean_kernel(generated, real))


METRICS = [Metric("kid", "KID", kid, lower_is_better=True, order=2, published=("kid_std",))]
