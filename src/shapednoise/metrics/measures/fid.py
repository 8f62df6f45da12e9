"""The Frechet inception distance (FID), and FID without its bias."""

import numpy as np

from shapednoise.metrics.context import Context, statistics
from shapednoise.metrics.measures import Measurement, Metric
from shapednoise.metrics.resampling import NO_INTERVALS, Z

FEWEST_FOR_INFINITY = 500
IMAGES_A_DIMENSION = 10  # from which on FID's bias is about proportional to 1 / n
TOO_FEW = f"fewer than {FEWEST_FOR_INFINITY} generated images"
INFINITY = ("fid_infinity", "fid_infinity_se", "fid_infinity_low", "fid_infinity_high")
MISSING = "fid_infinity_missing"


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


def fid_infinity(fid: float, error: float, halves: np.ndarray) -> tuple[float, float, float, float]:
    """FID extrapolated to infinitely many generated images (Chong and Forsyth 2020, arXiv 1911.07023).

    FID's bias is about proportional to 1 / n: twice the FID of all images less the mean FID of halves. The
    mean over pairs of a half and its complement has the variance of FID itself, and that of its own mean.

    Args:
        fid: FID of all images.
        error: Its standard error.
        halves: FIDs of halves, (halves,), each followed by its complement's.

    Returns:
        The value, its standard error, and the lower and the upper end of 95 %.
    """
    pairs = (halves[0::2] + halves[1::2]) / 2
    value, error = 2 * fid - pairs.mean(), float(np.hypot(error, pairs.std(ddof=1) / np.sqrt(len(pairs))))
    return float(value), error, float(value - Z * error), float(value + Z * error)


def fid(context: Context) -> Measurement:
    """FID by torch-fidelity (Heusel et al. 2017, arXiv 1706.08500), its extrapolation and its interval."""
    from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_statistics_to_metric

    generated, real, resampler = context.generated, context.real_statistics, context.resampler
    value = fid_statistics_to_metric(statistics(generated), real, verbose=False)[KEY_METRIC_FID]
    if resampler is None:
        return Measurement(value, columns=dict.fromkeys(INFINITY) | {MISSING: NO_INTERVALS})
    halves = resampler.evaluate(Frechet(real, generated).distance)
    interval = resampler.interval(value, halves, smooth=True)
    if len(generated) < FEWEST_FOR_INFINITY:
        return Measurement(value, interval, dict.fromkeys(INFINITY) | {MISSING: TOO_FEW})
    infinity = dict(zip(INFINITY, fid_infinity(value, interval[0], halves), strict=True))
    return Measurement(value, interval, infinity | {MISSING: None})


METRICS = [
    Metric(
        "fid",
        "FID",
        fid,
        lower_is_better=True,
        order=1,
        published=("fid_infinity", MISSING, "fid_se", "fid_low", "fid_high", *INFINITY[1:]),
        bounds=(0.0, np.inf),
    )
]
