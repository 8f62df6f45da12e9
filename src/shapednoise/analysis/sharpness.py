"""How sharp images are: a number for what a grid of pictures shows (Figure 3 of SDM)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

BLOCK = 1000


def gradient_energy(images: np.ndarray) -> np.ndarray:
    """Mean square difference of neighbouring pixels' luminance, the mean of the channels in 0..1.

    The sharper the edges of an image, the larger it is; noise counts as sharpness too.

    Args:
        images: uint8, N x C x H x W.

    Returns:
        A number for each image, float64 (N,).
    """
    parts = []
    for start in range(0, len(images), BLOCK):
        gray = images[start : start + BLOCK].mean(1) / 255
        parts.append((np.diff(gray, axis=1) ** 2).mean((1, 2)) + (np.diff(gray, axis=2) ** 2).mean((1, 2)))
    return np.concatenate(parts)


def sharpness_table(
    samples: Sequence[np.ndarray],
    strengths: Sequence[float],
    seeds: Sequence[int],
    sampler: Mapping[str, Any],
) -> pd.DataFrame:
    """The gradient energy of every image of several sample sets.

    Args:
        samples: Sample sets that start from the same noise, uint8 N x C x H x W each.
        strengths: The strength of each sample set.
        seeds: The training seed of each sample set.
        sampler: Settings of their sampler, for the record.

    Returns:
        A row a sample set and image, with image, its index, which belongs to the same starting noise
        everywhere, energy, strength, seed and `sampler.` with each setting.
    """
    parts = []
    for strength, seed, images in zip(strengths, seeds, samples, strict=True):
        columns = {"image": np.arange(len(images)), "energy": gradient_energy(images)}
        parts.append(pd.DataFrame(columns).assign(strength=strength, seed=seed))
    settings = {f"sampler.{name}": value for name, value in sampler.items()}
    return pd.concat(parts, ignore_index=True).assign(**settings)
