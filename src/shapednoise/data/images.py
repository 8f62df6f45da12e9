"""Read image arrays, N x C x H x W, memory-mapped; C is 3, or 1 for grey.

uint8 holds pixels 0..255; float16 holds values of the [-1, 1] scale, which need not stay within it
(data/corrupt.py). data/scale.py converts.
"""

from pathlib import Path
from typing import Literal

import numpy as np

from shapednoise.errors import UserError


def load_images(path: str | Path) -> np.ndarray:
    """The array of `path`, memory-mapped and read-only. Raises UserError where it is damaged."""
    try:
        images = np.load(path, mmap_mode="r")
    except (ValueError, EOFError) as error:
        raise UserError(f"{path} is damaged ({error}); delete it and run again") from error
    if images.dtype not in (np.uint8, np.float16) or images.ndim != 4 or images.shape[1] not in (1, 3):
        raise UserError(
            f"{path} holds {images.dtype} {images.shape}, not uint8 or float16 images N x C x H x W "
            "with 1 or 3 channels; delete it and run again"
        )
    return images


def check_index(images: np.ndarray, index: int, where: str | Path) -> None:
    """Raise UserError where there is no image of this index; where: name of the array for the message."""
    if not 0 <= index < len(images):
        raise UserError(f"{where} has {len(images)} images, none of index {index}; lower it in the config")


def reference_indices(
    available: int, wanted: int | Literal["all"], where: str = "the data set"
) -> np.ndarray:
    """Sorted indices of the real images that scores compare with: all, or a fixed random subset."""
    if wanted == "all":
        return np.arange(available)
    if wanted > available:
        raise UserError(f"{where} has {available} images, {wanted} are wanted; lower reference_images")
    return np.sort(np.random.default_rng(0).permutation(available)[:wanted])
