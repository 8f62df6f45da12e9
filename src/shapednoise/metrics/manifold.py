"""k-nearest-neighbour manifold estimates: precision, recall, density and coverage, in one pass.

A ball reaches from an image to its k-th nearest neighbour in its own set. Precision is the share of
generated images in the ball of a real one, recall the reverse (Kynkaanniemi et al. 2019, arXiv
1904.06991; as torch-fidelity has them). Density is how many real balls hold a generated image, over
k; coverage the share of real balls that hold one (Naeem et al. 2020, arXiv 2002.09797). Unlike
precision, density is not fooled by a few outlying real images, whose balls are large.

Neighbours of the real images do not depend on what is generated: 50,000 of them are five times the
work of all the rest, so they are computed once a data set.

Distances come from products of float32 features, |x|^2 + |y|^2 - 2 x y, whose rounding grows with the
distance from the origin: sets are centred first, which changes no distance.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from shapednoise.log import progress

BLOCK = 1000  # rows of distances at once: 400 MB for 100,000 images
NEIGHBORS_STORED = 20  # of each real image: twice the largest k
# generated images stored for each real one: the probability that a random half contains none is 2^-64
CANDIDATES_STORED = 64


@dataclass(frozen=True)
class Halves:
    """What recall and coverage of half of the generated images need.

    Half as many images are twice as far apart. Their own balls grow as they would in a new set of that
    size; a real ball reaches to the 2k-th neighbour, and so holds as many of them as it held of all.

    Attributes:
        neighbors: k of the generated images' own balls.
        nearest: Distances and indices (n, q) of the generated images nearest to a generated one.
        holders: Distances and indices (m, CANDIDATES_STORED) of the generated images whose balls reach
            a real image first.
        coverers: Indices (m, CANDIDATES_STORED) of those in its ball, n where there are fewer.
    """

    neighbors: int
    nearest: tuple[np.ndarray, np.ndarray]
    holders: tuple[np.ndarray, np.ndarray]
    coverers: np.ndarray

    def recall(self, mask: np.ndarray) -> float:
        """Share of real images in the ball of one of the generated images of a mask (n,)."""
        distances, indices = self.nearest
        reached = mask[indices].cumsum(1) >= self.neighbors
        reached[:, -1] = True  # where so few are in the half, the last that is known
        radii = np.take_along_axis(distances, reached.argmax(1)[:, None], 1)[:, 0]
        radii[~mask] = -1
        distances, indices = self.holders
        return float((distances <= radii[indices]).any(1).mean())

    def coverage(self, mask: np.ndarray) -> float:
        """Share of real images whose ball holds one of the generated images of a mask (n,)."""
        return float(np.append(mask, False)[self.coverers].any(1).mean())


@dataclass(frozen=True)
class Membership:
    """The terms that the four scores are means of, float64.

    Attributes:
        precise: Whether each generated image is in the ball of a real one, 0 or 1, (n,).
        recalled: Whether each real image is in the ball of a generated one, 0 or 1, (m,).
        dense: How many real balls hold each generated image, over k, (n,).
        covered: Whether the ball of each real image holds a generated one, 0 or 1, (m,).
        halves: What the intervals of recall and coverage need.
    """

    precise: Tensor
    recalled: Tensor
    dense: Tensor
    covered: Tensor
    halves: Halves


def neighbor_distances(features: np.ndarray) -> np.ndarray:
    """Distances from each image to its nearest others, rising.

    Args:
        features: float32 (n, d).

    Returns:
        float32 (n, NEIGHBORS_STORED); fewer columns where there are no more others.
    """
    return _nearest_others(torch.from_numpy(features), NEIGHBORS_STORED)[0].numpy()


def _nearest_others(points: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Distances and indices (n, k) of the nearest others, at most `count`."""
    count = min(count, len(points) - 1)
    points = points - _center(points)
    parts = []
    with progress(total=len(points), desc="neighbors", unit="image") as bar:
        for rows in points.split(BLOCK):
            parts.append(torch.cdist(rows, points).topk(count + 1, largest=False))
            bar.update(len(rows))
    distances, indices = (torch.cat(column)[:, 1:] for column in zip(*parts, strict=True))
    return distances, indices  # the first is the image itself


def membership(
    generated: np.ndarray,
    real: np.ndarray,
    real_neighbors: np.ndarray,
    neighbors: int,
    density_neighbors: int,
) -> Membership:
    """Which images of each set lie in the balls of the other.

    Args:
        generated: Features, float32 (n, d).
        real: Features, float32 (m, d).
        real_neighbors: neighbor_distances(real), (m, k).
        neighbors: k of precision and recall, whose balls are closed, as torch-fidelity's are.
        density_neighbors: k of density and coverage, whose balls are open, as in their authors' code,
            so that identical sets have density 1.
    """
    generated, real, nearest = map(torch.from_numpy, (generated, real, real_neighbors))
    # the k-th neighbour in a half is this far down in fewer than one of 10,000 halves
    far, others = _nearest_others(generated, 4 * neighbors + 10)
    radii = far[:, neighbors - 1]
    typical = far[:, min(2 * neighbors, far.shape[1]) - 1]
    closed, opened = (nearest[:, k - 1, None] for k in (neighbors, density_neighbors))
    twice = nearest[:, min(2 * density_neighbors, nearest.shape[1]) - 1, None]
    center = _center(real)
    generated, real = generated - center, real - center
    precise = torch.zeros(len(generated), dtype=torch.bool)
    dense = torch.zeros(len(generated), dtype=torch.float64)
    parts = []
    for start in range(0, len(real), BLOCK):
        rows = slice(start, start + BLOCK)
        distances = torch.cdist(real[rows], generated)
        inside = distances < opened[rows]
        precise |= (distances <= closed[rows]).any(0)
        dense += inside.sum(0)
        stored = *_first_holders(distances, typical), _first_coverers(distances, twice[rows])
        parts.append(((distances <= radii).any(1), inside.any(1), *stored))
    recalled, covered, reached, holders, coverers = (torch.cat(column) for column in zip(*parts, strict=True))
    halves = Halves(neighbors, _arrays(far, others), _arrays(reached, holders), coverers.numpy())
    return Membership(
        precise.double(), recalled.double(), dense / density_neighbors, covered.double(), halves
    )


def _first_holders(distances: Tensor, typical: Tensor) -> tuple[Tensor, Tensor]:
    """Distances and indices of the generated images whose balls reach a real image first.

    distances: (m, n). typical: (n,), to the 2k-th neighbour, which is about the k-th of a half.
    """
    first = (distances - typical).topk(min(CANDIDATES_STORED, len(typical)), largest=False).indices
    return distances.gather(1, first), first.int()


def _first_coverers(distances: Tensor, radii: Tensor) -> Tensor:
    """Indices of the generated images in each real ball, the nearest; n: there are no more."""
    images = distances.shape[1]
    near = distances.topk(min(CANDIDATES_STORED, images), largest=False)
    return near.indices.masked_fill(near.values >= radii, images).int()


def _center(points: Tensor) -> Tensor:
    return points.mean(0, dtype=torch.float64).float()


def _arrays(*tensors: Tensor) -> tuple[np.ndarray, ...]:
    return tuple(tensor.numpy() for tensor in tensors)
