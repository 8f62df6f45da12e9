"""Principal axes of a data set's colours: the direction v that SDM and HDM squeeze (Eq. 9).

Every pixel of every training image is one sample of an n-vector (n channels), scaled to [-1, 1] as
the network sees it. Sums are in float64, where those of uint8 pixels are exact integers (below 2^53),
so that the result does not depend on the block size.
"""

from typing import Any

import numpy as np

from shapednoise.data.images import block_size
from shapednoise.errors import UserError

ROUNDING = 64 * np.finfo(float).eps  # of a variance, a share of the mean square


def color_pca(images: np.ndarray, block: int = 5000) -> dict[str, Any]:
    """Mean, covariance and principal axes of the colours of images, on the [-1, 1] scale.

    Args:
        images: N x C x H x W, uint8, or float16 on the [-1, 1] scale.
        block: Images that are converted to float64 at once; fewer of large ones.

    Returns:
        `pixels`, their number; `mean` (C) and `covariance` (C x C); `eigenvalues`, descending, and what
        share of the variance each has `explained`; `axes`, unit rows, each signed so that its components
        sum to a positive number. Eigenvalues of no more than rounding are 0, as the last two of grey
        pictures are; their axes are any that complete the basis.

    Raises:
        UserError: All pixels have one colour.
    """
    block = block_size(images.shape[1:], block)
    channels = images.shape[1]
    total, products = np.zeros(channels), np.zeros((channels, channels))
    for start in range(0, len(images), block):
        values = images[start : start + block].astype(np.float64)
        pixels = values.transpose(1, 0, 2, 3).reshape(channels, -1)
        total += pixels.sum(1)
        products += pixels @ pixels.T
    count = len(images) * images.shape[2] * images.shape[3]
    mean = total / count
    scale, offset = (2 / 255, -1) if images.dtype == np.uint8 else (1, 0)
    covariance = (products / count - np.outer(mean, mean)) * scale**2
    eigenvalues, vectors = np.linalg.eigh(covariance)
    rounding = ROUNDING * products.diagonal().max() / count * scale**2
    eigenvalues = np.where(eigenvalues > rounding, eigenvalues, 0.0)
    if not eigenvalues.any():
        where = getattr(images, "filename", "the array")
        raise UserError(f"all {len(images)} images of {where} are of one and the same colour; take others")
    axes = vectors.T[::-1]
    axes = axes * np.where(axes.sum(1, keepdims=True) < 0, -1, 1)
    return {
        "pixels": count,
        "mean": (mean * scale + offset).tolist(),
        "covariance": covariance.tolist(),
        "eigenvalues": eigenvalues[::-1].tolist(),
        "explained": (eigenvalues[::-1] / eigenvalues.sum()).tolist(),
        "axes": axes.tolist(),
    }
