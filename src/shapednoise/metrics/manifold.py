"""Density and coverage (Naeem et al. 2020, arXiv 2002.09797), which torch-fidelity does not have.

Both ask about balls around the real images, each up to its k-th nearest real neighbour: density how
many of them hold a generated image, coverage how many hold at least one. Unlike precision, density
is not fooled by a few outlying real images, whose balls are large.
"""

import torch
from torch import Tensor
from torch_fidelity.metric_prc import calc_cdist_part

BLOCK = 500  # rows of distances at once


def density_and_coverage(generated: Tensor, real: Tensor, neighbours: int) -> tuple[Tensor, Tensor]:
    """The terms that density and coverage are the means of.

    generated (n, d), real (m, d), neighbours k < m. Returns for every generated image the number of
    real balls that hold it over k (n,), and for every real image whether its ball holds a generated
    one, 0 or 1 (m,). A ball is open, as in the authors' code: identical sets have density 1.
    """
    counts = torch.zeros(len(generated), dtype=torch.float64)
    covered = []
    for centres in real.split(BLOCK):
        radii = calc_cdist_part(centres, real).kthvalue(neighbours + 1).values  # the first is itself
        inside = calc_cdist_part(centres, generated) < radii[:, None]
        counts += inside.sum(dim=0)
        covered.append(inside.any(dim=1))
    return counts / neighbours, torch.cat(covered).double()
