"""How sure a score is: half-samples of the generated images.

The real set is fixed, and so is the model: an interval says how much a score would move if as many
images were drawn again, not how much it would move under another training seed (docs/scores.md).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Z = 1.96
NO_INTERVALS = "scoring.bootstrap is 0"
Interval = tuple[float, float, float]  # standard error, lower and upper end of 95 %


@dataclass(frozen=True)
class HalfSampleResampler:
    """Random halves of the generated images, the same for every score.

    Drawn without replacement (McCarthy 1969, Review of the International Statistical Institute 37:239;
    Politis and Romano 1994, Annals of Statistics 22:2031), so no image is repeated. Halves 2i and
    2i + 1 have no image in common; of an odd number of images, one is in neither.

    Attributes:
        masks: Which images are in each half, bool (halves, n).
    """

    masks: np.ndarray

    @classmethod
    def of(cls, n_images: int, halves: int, seed: int) -> "HalfSampleResampler":
        """Draw `halves` (even) random halves of `n_images`.

        Args:
            n_images: Size of the generated set, at least 2.
            halves: How many halves, an even number, at least 4.
            seed: Seed of the permutations.
        """
        rng = np.random.default_rng(seed)
        masks = np.zeros((halves, n_images), dtype=bool)
        for half, complement in zip(masks[0::2], masks[1::2], strict=True):
            order, size = rng.permutation(n_images), n_images // 2
            half[order[:size]] = complement[order[size : 2 * size]] = True
        return cls(masks)

    def evaluate(self, score_of: Callable[[np.ndarray], float]) -> np.ndarray:
        """The score of every half, (halves,), by a function of its mask (n,)."""
        return np.array([score_of(mask) for mask in self.masks])

    def interval(self, value: float, scores: np.ndarray, smooth: bool = False) -> Interval:
        """Standard error and normal 95 % interval of a score.

        Of a mean, halves vary as whole sets do. Half-samples are more biased than the full sample, so that
        only their spread is used. Quantiles of a hundred halves cover less than the normal interval.

        Args:
            value: The score of the whole set.
            scores: The score of every half, (halves,), by `evaluate`.
            smooth: For statistics with a second-order (pairwise) term, such as FID, subtract the
                pairwise variance component.

        Returns:
            The standard error, the lower and the upper end of the interval.
        """
        n_images, size = self.masks.shape[1], np.count_nonzero(self.masks[0])
        plain = scores.var(ddof=1) * size / (n_images - size)  # the factor is 1 but for odd numbers
        variance = _smooth_variance(scores) if smooth else plain
        error = float(np.sqrt(variance))
        return error, value - Z * error, value + Z * error

    def interval_of_mean(self, value: float, terms: np.ndarray) -> Interval:
        """`interval` of a score that is, to first order, the mean of one term an image (n,)."""
        return self.interval(value, self.evaluate(lambda mask: float(terms[mask].mean())))


def _smooth_variance(scores: np.ndarray) -> float:
    """Variance over whole sets of a score with terms of single images and of pairs of them.

    Let L and Q be the variances that these terms have. Half the difference of a half and its
    complement has L + 2 Q, their mean Q: the difference of the two is the variance of the set, L + Q.
    It is at least half of the first, whatever a few halves say.
    """
    half, complement = scores[0::2], scores[1::2]
    odd, even = np.mean((half - complement) ** 2) / 4, ((half + complement) / 2).var(ddof=1)
    return float(max(odd - even, odd / 2))
