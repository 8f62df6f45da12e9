"""How sure a score is: the bootstrap over generated images, and FID without its bias.

The real set is fixed, and so is the model: an interval says how much a score would move if as many
images were drawn again, not how much it would move under another training seed (docs/scores.md).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.linalg
import scipy.special
import scipy.stats

QUANTILES = (0.025, 0.975)
F_SCORE_DRAWS = 10_000
KERNEL_ROWS = 1000
Interval = tuple[float, float, float]  # standard error, lower and upper end of 95 %


class Frechet:
    """The Frechet distance of many sets of features to one real set, whose root is taken once.

    With the real covariance V diag(s^2) V^T, the singular values of the centred generated features
    times V diag(s) are those of S1^(1/2) S2^(1/2) times sqrt(n - 1), so their sum is the trace that
    FID subtracts twice.
    """

    def __init__(self, real: dict[str, np.ndarray], generated: np.ndarray) -> None:
        """real: `mu` (d,) and `sigma` (d, d). generated: features (n, d), of which sets are formed."""
        values, vectors = scipy.linalg.eigh(real["sigma"], check_finite=False)
        kept = values > values[-1] * len(values) * np.finfo(float).eps
        self.centred = generated - real["mu"]
        self.rooted = self.centred @ (vectors[:, kept] * np.sqrt(values[kept]))
        self.squares = np.einsum("ij,ij->i", self.centred, self.centred)
        self.real_trace = float(np.trace(real["sigma"]))

    def distance(self, counts: np.ndarray) -> float:
        """FID of the set in which generated image i is counts[i] times; two images at least."""
        there = np.flatnonzero(counts)
        weights, size = counts[there].astype(float), counts.sum()
        mean = weights @ self.centred[there] / size
        trace = (weights @ self.squares[there] - size * mean @ mean) / (size - 1)
        z = self.rooted[there]
        z = np.sqrt(weights)[:, None] * (z - weights @ z / size)
        gram = z.T @ z if z.shape[0] > z.shape[1] else z @ z.T
        overlap = np.sqrt(np.linalg.eigvalsh(gram).clip(0)).sum() / np.sqrt(size - 1)
        return float(mean @ mean + trace + self.real_trace - 2 * overlap)


def fid_infinity(frechet: Frechet, sizes: int, seed: int) -> float:
    """FID extrapolated to infinitely many generated images (Chong and Forsyth 2020, arXiv 1911.07023).

    FID's bias is about proportional to 1 / n: a straight line through the FIDs of `sizes` random
    subsets, from a quarter of the images to all of them, is followed to 1 / n = 0.
    """
    count = len(frechet.squares)
    rng = np.random.default_rng(seed)
    numbers = np.linspace(count / 4, count, sizes).round().astype(int)
    distances = []
    for number in numbers:
        chosen = np.zeros(count, dtype=int)
        chosen[rng.permutation(count)[:number]] = 1
        distances.append(frechet.distance(chosen))
    return float(np.polynomial.Polynomial.fit(1 / numbers, distances, 1)(0))


@dataclass(frozen=True)
class Bootstrap:
    """Sets of images drawn with replacement: counts (replicates, n), the same for every score."""

    counts: np.ndarray

    @classmethod
    def of(cls, images: int, replicates: int, seed: int) -> "Bootstrap":
        """So many replicates of a set of so many images."""
        rng = np.random.default_rng(seed)
        return cls(rng.multinomial(images, np.full(images, 1 / images), replicates).astype(np.int32))

    def interval(self, value: float, score_of: Callable[[np.ndarray], float]) -> Interval:
        """Standard error and 95 % interval of a score; score_of takes the counts of one replicate.

        A set with repeated images is biased further than the set itself (FID upward), so the interval
        is the replicates' spread about their own mean, put around the score.
        """
        scores = np.array([score_of(counts) for counts in self.counts])
        low, high = value + np.quantile(scores, QUANTILES) - scores.mean()
        return float(scores.std(ddof=1)), float(low), float(high)

    def of_mean(self, value: float, terms: np.ndarray) -> Interval:
        """The same for a score that is, to first order, the mean of one term an image (n,)."""
        return self.interval(value, lambda counts: float(counts @ terms / len(terms)))


def of_share(share: float, images: int) -> Interval:
    """Of a share of images, whose bootstrap is a binomial distribution: exactly, without draws."""
    low, high = scipy.stats.binom.ppf(QUANTILES, images, share) / images
    return float(np.sqrt(share * (1 - share) / images)), float(low), float(high)


def of_f_score(value: float, precision: float, recall: float, images: tuple[int, int], seed: int) -> Interval:
    """Of the harmonic mean of precision (of images[0]) and recall (of images[1]), by binomial draws."""
    rng = np.random.default_rng(seed)
    p = rng.binomial(images[0], precision, F_SCORE_DRAWS) / images[0]
    r = rng.binomial(images[1], recall, F_SCORE_DRAWS) / images[1]
    scores = 2 * p * r / np.maximum(1e-5, p + r)
    low, high = value + np.quantile(scores, QUANTILES) - scores.mean()
    return float(scores.std(ddof=1)), float(low), float(high)


def kid_terms(generated: np.ndarray, real: np.ndarray) -> np.ndarray:
    """What each generated image adds to KID, to first order (n,); generated (n, d), real (m, d).

    KID is a mean over pairs; with k its cubic kernel, the term of x is twice the mean of k(x, x') over
    generated x' minus that of k(x, y) over real y. (KID's own subsets and kid_std stay as they are.)
    """

    def mean_kernel(rows: np.ndarray, others: np.ndarray) -> np.ndarray:
        parts = (others[i : i + KERNEL_ROWS] for i in range(0, len(others), KERNEL_ROWS))
        total = sum(
            ((rows @ part.T / rows.shape[1] + 1) ** 3).sum(axis=1, dtype=np.float64) for part in parts
        )
        return total / len(others)

    return 2 * (mean_kernel(generated, generated) - mean_kernel(generated, real))


def inception_score(counts: np.ndarray, probabilities: np.ndarray, negentropies: np.ndarray) -> float:
    """The Inception Score of the set in which image i is counts[i] times, in one part.

    probabilities: p(y | x), (n, classes). negentropies: the sum of p log p of each image (n,).
    torch-fidelity's own score averages over parts; the spread is what is wanted here.
    """
    share = counts / counts.sum()
    marginal = share @ probabilities
    return float(np.exp(share @ negentropies - np.sum(scipy.special.xlogy(marginal, marginal))))
