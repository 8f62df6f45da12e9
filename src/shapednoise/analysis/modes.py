"""Averages over modes (principal colour axis, spatial frequency): by direction and by radius."""

from collections.abc import Iterator

import numpy as np

from shapednoise.noise.shape import Size, radii


def directions(channels: int) -> Iterator[tuple[str, slice]]:
    """Yield name and principal axes of each direction: `along` v and `across` it; `all` of grey images."""
    if channels == 1:
        yield "all", slice(0, 1)
    else:
        yield "along", slice(0, 1)
        yield "across", slice(1, channels)


def rings(size: Size) -> tuple[np.ndarray, np.ndarray]:
    """Rings of frequencies of about equal radius; the mean has one of its own.

    Args:
        size: H and W of the images. A ring is 1 / max(size) wide.

    Returns:
        The mean radius of each ring, cycles per pixel, rising from 0, and for each coefficient of
        fft2 (H, W) the index of its ring.
    """
    values, index = radii(size)
    numbers = np.rint(values.numpy() * max(size)).astype(int)[index.numpy()]
    _, index_of_ring = np.unique(numbers, return_inverse=True)
    index_of_ring = index_of_ring.reshape(size)
    return radial_mean(values.numpy()[index.numpy()][None], index_of_ring), index_of_ring


def radial_mean(values: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Mean over the axes and over the frequencies of each index.

    Args:
        values: (A, H, W).
        index: Integers from 0 without gaps, (H, W).

    Returns:
        A mean for each index, float64.
    """
    flat = index.flatten()
    return np.bincount(flat, values.mean(0).flatten()) / np.bincount(flat)
