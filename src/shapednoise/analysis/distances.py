"""How far the variances of a sampler's modes are from the data's: one prediction, several distances.

The best strength and its gain depend on the distance (docs/noise.md): W2 looks at the few modes that have
most of the variance, the other two at the ratio of every mode alike.
"""

from dataclasses import dataclass

import numpy as np

DISTANCES = {  # by their columns
    "distance": "squared W2",
    "kl": "Kullback-Leibler",
    "standardised": "standardised squared W2",
}
LEAST_SHARE = 1e-12  # of the largest variance: what float64 tells from none


@dataclass(frozen=True)
class Prediction:
    """Variances of each mode (principal axis, frequency).

    Attributes:
        samples: v_m of the samples, float64 (C, H, W).
        data: L_m of the data, float64 (C, H, W).
    """

    samples: np.ndarray
    data: np.ndarray

    @property
    def distance(self) -> float:
        """The square of W2, the 2-Wasserstein (Frechet) distance: sum over modes of (sqrt v - sqrt L)^2."""
        return float(((np.sqrt(self.samples) - np.sqrt(self.data)) ** 2).sum())

    @property
    def kl(self) -> float:
        """Kullback-Leibler divergence of samples from data: sum of (rho - 1 - log rho) / 2, rho = v / L.

        Infinite where the samples lack a mode that the data have.
        """
        ratio = self._ratio
        with np.errstate(divide="ignore"):
            return float((ratio - 1 - np.log(ratio)).sum() / 2)

    @property
    def standardised(self) -> float:
        """Squared W2, every mode scaled to variance 1: sum over modes of (sqrt rho - 1)^2, rho = v / L."""
        return float(((np.sqrt(self._ratio) - 1) ** 2).sum())

    @property
    def _ratio(self) -> np.ndarray:
        """rho of the modes that the data have: a grey picture stored in colour has none across its axis."""
        there = self.data > LEAST_SHARE * self.data.max()
        return self.samples[there] / self.data[there]

    @property
    def variance_ratio(self) -> float:
        """The variance of the samples over that of the data, sum of v over sum of L."""
        return float(self.samples.sum() / self.data.sum())

    @property
    def variance_ratio_v(self) -> float:
        """The same on the principal axis v alone."""
        return float(self.samples[0].sum() / self.data[0].sum())

    def row(self) -> dict[str, float]:
        """The distances by name, `share` and `share_v`."""
        distances = {name: getattr(self, name) for name in DISTANCES}
        return distances | {"share": self.variance_ratio, "share_v": self.variance_ratio_v}
