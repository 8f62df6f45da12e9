"""The Frechet inception distance (FID), and FID without its bias."""

import numpy as np

from shapednoise.metrics.context import Context, statistics
from shapednoise.metrics.measures import Measurement, Metric

FEWEST_FOR_INFINITY = 500
NO_INFINITY = f"fewer than {FEWEST_FOR_INFINITY} generated images"


class Frechet:
    """The Frechet distance of many subsets of a generated set to one real set, whose root is taken once.

    With the real covariance V diag(s^2) V^T, the singular values of the centred generated features
    times V diag(s) are those of S1^(1/2) S2^(1/2) times sqrt(n - 1), so their sum is the trace that
    FID subtracts twice.
    """

    def __init__(self, real: dict[str, np.ndarray], generated: np.ndarray) -> None:
        """Take the root of the real covariance.

        Args:
            real: `mu` (d,) and `sigma` (d, d) of the real features.
            generated: Features (n, d) of which subsets are formed.
        """
        import scipy.linalg

        values, vectors = scipy.linalg.eigh(real["sigma"], check_finite=False)
        positive = values > values[-1] * len(values) * np.finfo(float).eps
        self.centered = generated - real["mu"]
        self.rooted = self.centered @ (vectors[:, positive] * np.sqrt(values[positive]))
        self.squares = np.einsum("ij,ij->i", self.centered, self.centered)
        self.real_trace = float(np.trace(real["sigma"]))

    def distance(self, mask: np.ndarray) -> float:
        """FID of the images of a mask (n,); two images at least."""
        size = np.count_nonzero(mask)
        mean = self.centered[mask].mean(0)
        trace = (self.squares[mask].sum() - size * mean @ mean) / (size - 1)
        z = self.rooted[mask]
        z -= z.mean(0)
        gram = z.T @ z if z.shape[0] > z.shape[1] else z @ z.T
        overlap = np.sqrt(np.linalg.eigvalsh(gram).clip(0)).sum() / np.sqrt(size - 1)
        return float(mean @ mean + trace + self.real_trace - 2 * overlap)


def fid_infinity(frechet: Frechet, sizes: int, seed: int) -> float:
    """FID extrapolated to infinitely many generated images (Chong and Forsyth 2020, arXiv 1911.07023).

    FID's bias is about proportional to 1 / n: a straight line through the FIDs of random subsets,
    from a quarter of the images to all of them, is followed to 1 / n = 0.

    Args:
        frechet: The distances of subsets.
        sizes: Number of subsets, at least 2.
        seed: Seed of the subsets.
    """
    count = len(frechet.squares)
    rng = np.random.default_rng(seed)
    numbers = np.linspace(count / 4, count, sizes).round().astype(int)
    distances = []
    for number in numbers:
        mask = np.zeros(count, dtype=bool)
        mask[rng.permutation(count)[:number]] = True
        distances.append(frechet.distance(mask))
    return float(np.polynomial.Polynomial.fit(1 / numbers, distances, 1)(0))


def fid(context: Context) -> Measurement:
    """FID by torch-fidelity (Heusel et al. 2017, arXiv 1706.08500), its extrapolation and its interval."""
    from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_statistics_to_metric

    generated, real = context.generated, context.real_statistics
    settings, resampler = context.settings, context.resampler
    value = fid_statistics_to_metric(statistics(generated), real, verbose=False)[KEY_METRIC_FID]
    enough = len(generated) >= FEWEST_FOR_INFINITY
    infinity = interval = None
    if enough or resampler:
        frechet = Frechet(real, generated)
        infinity = fid_infinity(frechet, settings.fid_sizes, settings.seed) if enough else None
        if resampler:
            interval = resampler.interval(value, resampler.evaluate(frechet.distance), smooth=True)
    columns = {"fid_infinity": infinity, "fid_infinity_missing": None if enough else NO_INFINITY}
    return Measurement(value, interval, columns)


METRICS = [
    Metric(
        "fid",
        "FID",
        fid,
        lower_is_better=True,
        order=1,
        published=("fid_infinity", "fid_infinity_missing", "fid_se", "fid_low", "fid_high"),
    )
]
