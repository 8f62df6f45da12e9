"""Power spectrum of a data set: the variance of each (principal colour axis, spatial frequency)."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from shapednoise.data.images import normalize_to_minus_one_one


def power_spectrum(images: np.ndarray, pca: Mapping[str, Any], block: int = 2000) -> np.ndarray:
    """L_m, the variance of each mode (principal axis, frequency) of images.

    The images, in [-1, 1], are centred by their mean image, projected on the axes and transformed
    orthonormally (in float32, summed in float64); L_m is the mean of the squares.

    Args:
        images: N x C x H x W, uint8, or float16 on the [-1, 1] scale.
        pca: The colours' principal `axes`, C unit rows (analysis/pca.py).
        block: Images that are transformed at once.

    Returns:
        float64 (C, H, W), as fft2 lays it.
    """
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
    return (torch.cat([total, mirrored], -1) / len(images)).numpy()


def _scaled(block: np.ndarray) -> Tensor:
    return normalize_to_minus_one_one(torch.from_numpy(np.array(block)))
