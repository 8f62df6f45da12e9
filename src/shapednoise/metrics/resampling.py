"""How sure a score is: half-samples of the generated images, and FID without its bias.

The real set is fixed, and so is the model: an interval says how much a score would move if as many
images were drawn again, not how much it would move under another training seed (docs/scores.md).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.linalg
import scipy.special

QUANTILES = (0.025, 0.975)
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

    def distance(self, drawn: np.ndarray) -> float:
        """FID of the images of a mask (n,); two images at least."""
        size = np.count_nonzero(drawn)
        mean = self.centred[drawn].mean(0)
        trace = (self.squares[drawn].sum() - size * mean @ mean) / (size - 1)
        z = self.rooted[drawn]
        z -= z.mean(0)
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
        chosen = np.zeros(count, dtype=bool)
        chosen[rng.permutation(count)[:number]] = True
        distances.append(frechet.distance(chosen))
    return float(np.polynomial.Polynomial.fit(1 / numbers, distances, 1)(0))


@dataclass(frozen=True)
class HalfSamples:
    """Random halves of the generated images, the same for every score: masks (halves, n).

    Drawn without replacement (McCarthy 1969, Review of the International Statistical Institute 37:239;
    Politis and Romano 1994, Annals of Statistics 22:2031), so no image is repeated. Halves 2i and
    2i + 1 have no image in common; of an odd number of images, one is in neither.
    """

    drawn: np.ndarray

    @classmethod
    def of(cls, images: int, halves: int, seed: int) -> "HalfSamples":
        """So many halves, an even number, of a set of so many images."""
        rng = np.random.default_rng(seed)
        drawn = np.zeros((halves, images), dtype=bool)
        for one, other in zip(drawn[0::2], drawn[1::2], strict=True):
            order, size = rng.permutation(images), images // 2
            one[order[:size]] = other[order[size : 2 * size]] = True
        return cls(drawn)

    def interval(self, value: float, score_of: Callable[[np.ndarray], float], smooth: bool) -> Interval:
        """Standard error and 95 % interval of a score; score_of takes the mask of a half.

        Of a mean, halves vary as whole sets do. smooth: FID and the like, of whose spread as much as
        comes from pairs of images is taken off once more (`_smooth_variance`). A half is biased further
        than the set, so the interval is the halves' spread about their own mean, put around the score.
        """
        scores = np.array([score_of(drawn) for drawn in self.drawn])
        images, size = self.drawn.shape[1], np.count_nonzero(self.drawn[0])
        plain = scores.var(ddof=1) * size / (images - size)  # the factor is 1 but for odd numbers
        variance = _smooth_variance(scores) if smooth else plain
        deviations = (scores - scores.mean()) * np.sqrt(variance / max(scores.var(ddof=1), 1e-300))
        low, high = value + np.quantile(deviations, QUANTILES)
        return float(np.sqrt(variance)), float(low), float(high)

    def of_mean(self, value: float, terms: np.ndarray) -> Interval:
        """The same for a score that is, to first order, the mean of one term an image (n,)."""
        return self.interval(value, lambda drawn: float(terms[drawn].mean()), smooth=False)


def _smooth_variance(scores: np.ndarray) -> float:
    """Variance over whole sets of a score with terms of single images and of pairs of them.

    Let L and Q be the variances that these terms have. Half the difference of a half and its
    complement has L + 2 Q, their mean Q: the difference of the two is the variance of the set, L + Q.
    It is at least half of the first, whatever a few halves say.
    """
    one, other = scores[0::2], scores[1::2]
    odd, even = np.mean((one - other) ** 2) / 4, ((one + other) / 2).var(ddof=1)
    return float(max(odd - even, odd / 2))


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


def inception_score(drawn: np.ndarray, probabilities: np.ndarray, negentropies: np.ndarray) -> float:
    """The Inception Score of the images of a mask (n,), in one part.

    probabilities: p(y | x), (n, classes). negentropies: the sum of p log p of each image (n,).
    torch-fidelity's own score averages over parts; the spread is what is wanted here.
    """
    marginal = probabilities[drawn].mean(0)
    return float(np.exp(negentropies[drawn].mean() - np.sum(scipy.special.xlogy(marginal, marginal))))
