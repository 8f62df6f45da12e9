"""Precision, recall, density and coverage: who lies in whose balls, in one pass over the distances.

A ball reaches from an image to its k-th nearest neighbour in its own set. Precision is the share of
generated images in the ball of a real one, recall the reverse (Kynkaanniemi et al. 2019, arXiv
1904.06991; as torch-fidelity has them). Density is how many real balls hold a generated image, over
k; coverage the share of real balls that hold one (Naeem et al. 2020, arXiv 2002.09797). Unlike
precision, density is not fooled by a few outlying real images, whose balls are large.

Neighbours of the real images do not depend on what is generated: 50,000 of them are five times the
work of all the rest, so they are computed once a data set.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from shapednoise.log import progress

BLOCK = 1000  # rows of distances at once: 400 MB for 100,000 images
NEAREST = 20  # neighbours that are kept of real images: twice the largest k
KEPT = 64  # generated images that are kept for each real one; a half has none of them once in 2^64


@dataclass(frozen=True)
class Halves:
    """What recall and coverage of half of the generated images need, of KEPT of them a real image.

    Half as many images are twice as far apart. Their own balls grow as they would in a new set of that
    size; a real ball reaches to the 2k-th neighbour, and so holds as many of them as it held of all.

    nearest: distances (n, q) and indices of the generated images nearest to a generated one.
    holders: for each real image, distances (m, KEPT) and indices of the generated ones whose balls reach
    it first; coverers: indices of those in its ball, n where there are fewer.
    """

    neighbours: int
    nearest: tuple[np.ndarray, np.ndarray]
    holders: tuple[np.ndarray, np.ndarray]
    coverers: np.ndarray

    def recall(self, drawn: np.ndarray) -> float:
        """Share of real images in the ball of one of the generated images of a mask (n,)."""
        distances, indices = self.nearest
        reached = drawn[indices].cumsum(1) >= self.neighbours
        reached[:, -1] = True  # where so few are drawn, the last that is known
        radii = np.take_along_axis(distances, reached.argmax(1)[:, None], 1)[:, 0]
        radii[~drawn] = -1
        distances, indices = self.holders
        return float((distances <= radii[indices]).any(1).mean())

    def coverage(self, drawn: np.ndarray) -> float:
        """Share of real images whose ball holds one of the generated images of a mask (n,)."""
        return float(np.append(drawn, False)[self.coverers].any(1).mean())


@dataclass(frozen=True)
class Membership:
    """The terms that the four scores are means of: a generated (n,) or a real (m,) image each.

    precise, recalled, covered: 0 or 1; dense: real balls that hold the image, over k. halves: what
    their intervals need.
    """

    precise: Tensor
    recalled: Tensor
    dense: Tensor
    covered: Tensor
    halves: Halves


def neighbour_distances(features: np.ndarray) -> np.ndarray:
    """Distances from each image to its NEAREST nearest others, rising: features (n, d), float32 (n, k).

    Fewer than NEAREST where there are no more others.
    """
    return _nearest_others(torch.from_numpy(features), NEAREST)[0].numpy()


def _nearest_others(points: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Distances and indices (n, k) of the nearest others, at most `count`."""
    count = min(count, len(points) - 1)
    parts = []
    with progress(total=len(points), desc="neighbours", unit="image") as bar:
        for rows in points.split(BLOCK):
            parts.append(torch.cdist(rows, points).topk(count + 1, largest=False))
            bar.update(len(rows))
    distances, indices = (torch.cat(column)[:, 1:] for column in zip(*parts, strict=True))
    return distances, indices  # the first is the image itself


def membership(
    generated: np.ndarray,
    real: np.ndarray,
    nearest_real: np.ndarray,
    neighbours: int,
    density_neighbours: int,
) -> Membership:
    """Who lies in whose balls: generated (n, d), real (m, d), nearest_real (m, k) of neighbour_distances.

    neighbours: k of precision and recall, whose balls are closed, as torch-fidelity's are;
    density_neighbours: k of density and coverage, whose balls are open, as in their authors' code, so
    that identical sets have density 1.
    """
    ours, reference = torch.from_numpy(generated), torch.from_numpy(real)
    nearest = torch.from_numpy(nearest_real)
    # the k-th neighbour that is drawn is this far down in fewer than one of 10,000 halves
    far, others = _nearest_others(ours, 4 * neighbours + 10)
    radii = far[:, neighbours - 1]
    typical = far[:, min(2 * neighbours, far.shape[1]) - 1]
    closed, opened = (nearest[:, k - 1, None] for k in (neighbours, density_neighbours))
    twice = nearest[:, min(2 * density_neighbours, nearest.shape[1]) - 1, None]
    precise = torch.zeros(len(ours), dtype=torch.bool)
    dense = torch.zeros(len(ours), dtype=torch.float64)
    parts = []
    for start in range(0, len(reference), BLOCK):
        rows = slice(start, start + BLOCK)
        distances = torch.cdist(reference[rows], ours)
        inside = distances < opened[rows]
        precise |= (distances <= closed[rows]).any(0)
        dense += inside.sum(0)
        kept = _first_holders(distances, typical), _first_coverers(distances, twice[rows])
        parts.append(((distances <= radii).any(1), inside.any(1), *kept[0], kept[1]))
    recalled, covered, reached, holders, coverers = (torch.cat(column) for column in zip(*parts, strict=True))
    halves = Halves(neighbours, _arrays(far, others), _arrays(reached, holders), coverers.numpy())
    return Membership(precise.double(), recalled.double(), dense / density_neighbours,
                      covered.double(), halves)  # fmt: skip


def _first_holders(distances: Tensor, typical: Tensor) -> tuple[Tensor, Tensor]:
    """Distances and indices (m, KEPT) of the generated images whose balls reach a real image first.

    distances: (m, n). typical: (n,), to the 2k-th neighbour, which is about the k-th of a half.
    """
    first = (distances - typical).topk(min(KEPT, len(typical)), largest=False).indices
    return distances.gather(1, first), first.int()


def _first_coverers(distances: Tensor, radii: Tensor) -> Tensor:
    """Indices (m, KEPT) of the generated images in each real ball, the nearest; n: there are no more."""
    images = distances.shape[1]
    near = distances.topk(min(KEPT, images), largest=False)
    return near.indices.masked_fill(near.values >= radii, images).int()


def _arrays(*tensors: Tensor) -> tuple[np.ndarray, ...]:
    return tuple(tensor.numpy() for tensor in tensors)
