"""What the metrics of one sample set share: its features, those of the real set, and what is expensive."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from shapednoise.config.scoring import ScoringSettings
from shapednoise.metrics.resampling import HalfSampleResampler

if TYPE_CHECKING:
    from shapednoise.metrics.manifold import Membership

ROWS = 4096  # converted to float64 at once


@dataclass
class Context:
    """A generated and a real set; what metrics need in common is computed when it is first asked for.

    Attributes:
        generated: Features of the generated images, float32 (n, d).
        real: Features of the real images, float32 (m, d).
        settings: How to score.
        logits: Of the generated images, float32 (n, classes); None by a network without classes.
        no_logits: Why there may be no logits.
        neighbors: neighbor_distances(real), float32 (m, k); None: they are computed.
        images: The generated images (n, C, H, W); None where only features are known.
        pca: The color axes of the real set's data set, as color_pca returns them; None: not known.
    """

    generated: np.ndarray
    real: np.ndarray
    settings: ScoringSettings
    logits: np.ndarray | None
    no_logits: str
    neighbors: np.ndarray | None = None
    images: np.ndarray | None = None
    pca: Mapping[str, Any] | None = None

    @cached_property
    def resampler(self) -> HalfSampleResampler | None:
        """Half-samples of the generated images; None where `bootstrap` is 0: there are no intervals."""
        halves, seed = self.settings.bootstrap, self.settings.seed
        return HalfSampleResampler.of(len(self.generated), halves, seed) if halves else None

    @cached_property
    def real_statistics(self) -> dict[str, np.ndarray]:
        """`mu` (d,) and `sigma` (d, d) of the real features."""
        return statistics(self.real)

    @cached_property
    def membership(self) -> "Membership":
        """The k-nearest-neighbour manifold estimates of both sets."""
        from shapednoise.metrics.manifold import membership, neighbor_distances

        neighbors = neighbor_distances(self.real) if self.neighbors is None else self.neighbors
        k, density_k = self.settings.neighbours, self.settings.density_neighbours
        return membership(self.generated, self.real, neighbors, k, density_k)

    @cached_property
    def recall_of_halves(self) -> np.ndarray:
        """Recall of every half-sample, (halves,); for `resampler` not None."""
        return self.resampler.evaluate(self.membership.halves.recall)


def statistics(features: np.ndarray) -> dict[str, np.ndarray]:
    """Mean and covariance in float64, without a float64 copy of all features (1.6 GB for 50,000 images).

    Args:
        features: float32 (n, d), n at least 2.

    Returns:
        `mu` (d,) and `sigma` (d, d), divided by n - 1, as torch-fidelity's FID takes them.
    """
    count, dimensions = features.shape
    mu = features.mean(axis=0, dtype=np.float64)
    sigma = np.zeros((dimensions, dimensions))
    for start in range(0, count, ROWS):
        centered = features[start : start + ROWS] - mu
        sigma += centered.T @ centered
    return {"mu": mu, "sigma": sigma / (count - 1)}
