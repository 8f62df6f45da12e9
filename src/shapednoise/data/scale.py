"""The two scales of pixels: 0..255 in files and pictures, [-1, 1] in networks."""

import torch
from torch import Tensor


def to_unit(pixels: Tensor) -> Tensor:
    """float32 on the [-1, 1] scale: uint8 is scaled, floats are on it already (and may leave [-1, 1])."""
    return pixels.float() / 127.5 - 1 if pixels.dtype == torch.uint8 else pixels.float()


def to_uint8(x: Tensor) -> Tensor:
    """0..255 as uint8: of the [-1, 1] scale clamped, scaled, rounded to nearest; uint8 as it is."""
    if x.dtype == torch.uint8:
        return x
    return ((x.float() + 1) * 127.5).clamp(0, 255).round().to(torch.uint8)
