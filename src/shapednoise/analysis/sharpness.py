"""How sharp images are: a number for what a grid of pictures shows (Figure 3 of SDM)."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

BLOCK = 1000


def gradient_energy(images: np.ndarray) -> np.ndarray:
    """Mean square difference of neighbouring pixels' luminance (mean of the channels, 0..1), each image.

    images: uint8, N x C x H x W. Returns float64 (N,). The sharper its edges, the larger; noise counts
    as sharpness too.
    """
    parts = []
    for start in range(0, len(images), BLOCK):
        grey = images[start : start + BLOCK].mean(1) / 255
        parts.append((np.diff(grey, axis=1) ** 2).mean((1, 2)) + (np.diff(grey, axis=2) ** 2).mean((1, 2)))
    return np.concatenate(parts)


def sharpness_table(samples: Mapping[float, np.ndarray]) -> pd.DataFrame:
    """A row a strength and image: `image`, its index, belongs to the same starting noise everywhere."""
    parts = []
    for strength, images in samples.items():
        columns = {"image": np.arange(len(images)), "energy": gradient_energy(images)}
        parts.append(pd.DataFrame(columns).assign(strength=strength))
    return pd.concat(parts, ignore_index=True)
