"""Power spectrum of a data set: the variance of each (principal colour axis, spatial frequency)."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from shapednoise.data.images import block_size, normalize_to_minus_one_one
from shapednoise.errors import UserError

ROUNDING = (16 * torch.finfo(torch.float32).eps) ** 2  # of a mode's variance, a share of the largest


def power_spectrum(images: np.ndarray, pca: Mapping[str, Any], block: int = 2000) -> np.ndarray:
    """L_m, the variance of each mode (principal axis, frequency) of images.

    The images, in [-1, 1], are centred by their mean image, projected on the axes and transformed
    orthonormally (in float32, summed in float64); L_m is the mean of the squares.

    Args:
        images: N x C x H x W, uint8, or float16 on the [-1, 1] scale.
        pca: The colours' principal `axes`, C unit rows (analysis/pca.py).
        block: Images that are transformed at once; fewer of large ones.

    Returns:
        float64 (C, H, W), as fft2 lays it. Variances of no more than rounding are 0.

    Raises:
        UserError: All images are equal.
    """
    block = block_size(images.shape[1:], block)
    blocks = range(0, len(images), block)
    sums = (_scaled(images[i : i + block]).sum(0, dtype=torch.float64) for i in blocks)
    mean = (sum(sums) / len(images)).float()
    width = mean.shape[-1]
    total = torch.zeros(*mean.shape[:-1], width // 2 + 1, dtype=torch.float64)
    rotation = torch.from_numpy(np.array(pca["axes"])).float()
    for start in blocks:
        centered = _scaled(images[start : start + block]) - mean
        projected = torch.einsum("ac,nchw->nahw", rotation, centered)
        total += torch.view_as_real(torch.fft.rfft2(projected, norm="ortho")).square().sum((0, -1))
    mirrored = total[..., 1 : (width + 1) // 2].flip(-1, -2).roll(1, -2)  # power is even in frequency
    power = (torch.cat([total, mirrored], -1) / len(images)).numpy()
    power[power <= ROUNDING * max(1, power.max())] = 0
    if not power.any():
        where = getattr(images, "filename", "the array")
        raise UserError(f"all {len(images)} images of {where} are equal; take others")
    return power


def _scaled(block: np.ndarray) -> Tensor:
    return normalize_to_minus_one_one(torch.from_numpy(np.array(block)))
