"""Principal axes of a data set's colours: the direction v that SDM and HDM squeeze (Eq. 9).

Every pixel of every training image is one sample of an n-vector (n channels), scaled to [-1, 1] as
the network sees it. Sums are exact integers, so the result does not depend on the block size.
"""

from typing import Any

import numpy as np


def colour_pca(images: np.ndarray, block: int = 5000) -> dict[str, Any]:
    """Mean, covariance, eigenvalues (descending) and unit axes (rows) of uint8 images N x C x H x W.

    Each axis is signed so that its components sum to a positive number. Units: the [-1, 1] scale.
    """
    channels = images.shape[1]
    total = np.zeros(channels, dtype=np.int64)
    products = np.zeros((channels, channels), dtype=np.int64)
    for start in range(0, len(images), block):
        pixels = np.asarray(images[start : start + block]).transpose(1, 0, 2, 3).reshape(channels, -1)
        total += pixels.sum(1, dtype=np.int64)
        # integers up to 2^53 are exact in float64, and its matrix product is fast
        products += (pixels.astype(np.float64) @ pixels.T.astype(np.float64)).astype(np.int64)
    count = len(images) * images.shape[2] * images.shape[3]
    mean = total / count
    scale = 2 / 255
    covariance = (products / count - np.outer(mean, mean)) * scale**2
    eigenvalues, vectors = np.linalg.eigh(covariance)
    axes = vectors.T[::-1]
    axes = axes * np.where(axes.sum(1, keepdims=True) < 0, -1, 1)
    return {
        "pixels": count,
        "mean": (mean * scale - 1).tolist(),
        "covariance": covariance.tolist(),
        "eigenvalues": eigenvalues[::-1].tolist(),
        "explained": (eigenvalues[::-1] / eigenvalues.sum()).tolist(),
        "axes": axes.tolist(),
    }
