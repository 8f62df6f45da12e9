"""Principal axes of a data set's colours: the direction v that SDM and HDM squeeze (Eq. 9).

Every pixel of every training image is one sample of an n-vector (n channels), scaled to [-1, 1] as
the network sees it. Sums are in float64, where those of uint8 pixels are exact integers (below 2^53),
so that the result does not depend on the block size.
"""

from typing import Any

import numpy as np


def color_pca(images: np.ndarray, block: int = 5000) -> dict[str, Any]:
    """Mean, covariance and principal axes of the colours of images, on the [-1, 1] scale.

    Args:
        images: N x C x H x W, uint8, or float16 on the [-1, 1] scale.
        block: Images that are converted to float64 at once.

    Returns:
        `pixels`, their number; `mean` (C) and `covariance` (C x C); `eigenvalues`, descending, and what
        share of the variance each has `explained`; `axes`, unit rows, each signed so that its components
        sum to a positive number.
    """
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
