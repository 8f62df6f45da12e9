"""Image arrays, N x C x H x W, memory-mapped, and their two scales; C is 3, or 1 for grey.

uint8 holds pixels 0..255; float16 holds values of the [-1, 1] scale of networks, which need not stay
within it (data/corrupt.py).
"""

import math
import warnings
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from shapednoise.errors import DamagedFile, UserError

AT_ONCE = 2000 * 3 * 64 * 64  # numbers


def block_size(shape: tuple[int, ...], most: int) -> int:
    """How many images of a shape are computed with at once: at most `most`, and fewer of large ones."""
    return max(1, min(most, AT_ONCE // math.prod(shape)))


def load_images(path: str | Path) -> np.ndarray:
    """The array of `path`, memory-mapped and read-only. Raises UserError where it is damaged."""
    try:
        images = np.load(path, mmap_mode="r")
    except (ValueError, EOFError) as error:
        raise DamagedFile(path, error) from error
    right = images.dtype in (np.uint8, np.float16) and images.ndim == 4 and images.shape[1] in (1, 3)
    if not right or not images.size:
        raise UserError(
            f"{path} holds {images.dtype} {images.shape}, not uint8 or float16 images N x C x H x W "
            "with 1 or 3 channels; delete it and run again"
        )
    return images


def on_device(images: np.ndarray, device: torch.device) -> Tensor:
    """Images on a device; on a processor they stay memory-mapped. Raises UserError for a GPU without room."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of PyTorch, that they are read-only
        data = torch.from_numpy(images)
    try:
        return data.to(device)
    except torch.OutOfMemoryError as error:
        size = f"{len(data)} images of {' x '.join(map(str, data.shape[1:]))}, {data.nbytes / 1e9:.1f} GB"
        raise UserError(
            f"the data set ({size}) does not fit into what is left of the GPU's memory; "
            "lower its `images` or `size`, or engine.points_per_gpu"
        ) from error


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


def held_out_indices(available: int, wanted: int, reference: int) -> np.ndarray:
    """Sorted indices of fixed random images, none of which is among so many `reference_indices`."""
    if wanted + reference > available:
        raise UserError(
            f"the data set has {available} images, too few to keep {wanted} apart from a reference of "
            f"{reference}; lower images or reference_images"
        )
    return np.sort(np.random.default_rng(0).permutation(available)[available - wanted :])


def normalize_to_minus_one_one(pixels: Tensor) -> Tensor:
    """float32 on the [-1, 1] scale: uint8 is scaled, floats are on it already (and may leave [-1, 1])."""
    return pixels.float() / 127.5 - 1 if pixels.dtype == torch.uint8 else pixels.float()


def to_uint8(x: Tensor) -> Tensor:
    """0..255 as uint8: of the [-1, 1] scale clamped, scaled, rounded to nearest; uint8 as it is."""
    if x.dtype == torch.uint8:
        return x
    return ((x.float() + 1) * 127.5).clamp(0, 255).round().to(torch.uint8)
