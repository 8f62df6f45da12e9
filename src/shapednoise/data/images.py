"""Read image arrays: uint8, N x 3 x H x W, memory-mapped."""

from pathlib import Path
from typing import Literal

import numpy as np

from shapednoise.console import UserError


def load_images(path: str | Path) -> np.ndarray:
    """The array of `path`, memory-mapped and read-only. Raises UserError where it is damaged."""
    try:
        images = np.load(path, mmap_mode="r")
    except (ValueError, EOFError) as error:
        raise UserError(f"{path} is damaged ({error}); delete it and run again") from error
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1] != 3:
        raise UserError(f"{path} holds {images.dtype} {images.shape}, not uint8 images N x 3 x H x W")
    return images


def reference_indices(
    available: int, wanted: int | Literal["all"], where: str = "the data set"
) -> np.ndarray:
    """Sorted indices of the real images that scores compare with: all, or a fixed random subset."""
    if wanted == "all":
        return np.arange(available)
    if wanted > available:
        raise UserError(f"{where} has {available} images, {wanted} are wanted; lower reference_images")
    return np.sort(np.random.default_rng(0).permutation(available)[:wanted])
