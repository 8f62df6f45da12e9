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

from shapednoise.console import progress

BLOCK = 1000  # rows of distances at once: 400 MB for 100,000 images
NEAREST = 10  # neighbours that are kept; the largest k


@dataclass(frozen=True)
class Membership:
    """The terms that the four scores are means of: a generated (n,) or a real (m,) image each.

    precise, recalled, covered: 0 or 1; dense: real balls that hold the image, over k.
    """

    precise: Tensor
    recalled: Tensor
    dense: Tensor
    covered: Tensor


def neighbour_distances(features: np.ndarray) -> np.ndarray:
    """Distances from each image to its NEAREST nearest others, rising: features (n, d), float32 (n, k).

    Fewer than NEAREST where there are no more others.
    """
    points = torch.from_numpy(features)
    count = min(NEAREST, len(points) - 1)
    parts = []
    with progress(total=len(points), desc="neighbours", unit="image") as bar:
        for rows in points.split(BLOCK):
            nearest = torch.cdist(rows, points).topk(count + 1, largest=False).values
            parts.append(nearest[:, 1:])  # the first is the image itself
            bar.update(len(rows))
    return torch.cat(parts).numpy()


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
    radii = torch.from_numpy(neighbour_distances(generated))[:, neighbours - 1]
    closed, opened = (nearest[:, k - 1, None] for k in (neighbours, density_neighbours))
    precise = torch.zeros(len(ours), dtype=torch.bool)
    dense = torch.zeros(len(ours), dtype=torch.float64)
    recalled, covered = [], []
    for start in range(0, len(reference), BLOCK):
        rows = slice(start, start + BLOCK)
        distances = torch.cdist(reference[rows], ours)
        recalled.append((distances <= radii).any(1))
        precise |= (distances <= closed[rows]).any(0)
        inside = distances < opened[rows]
        covered.append(inside.any(1))
        dense += inside.sum(0)
    return Membership(precise.double(), torch.cat(recalled).double(), dense / density_neighbours,
                      torch.cat(covered).double())  # fmt: skip
