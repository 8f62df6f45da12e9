"""Bands of spatial frequency: half open, [a, b), in cycles per pixel. Nothing here imports torch.

The radius of a frequency is r = sqrt(fx^2 + fy^2): 0 for the mean, 0.5 at the highest frequency
along an axis, LARGEST_RADIUS in the corner. A radius that runs from 0 to 1 from the center of the
spectrum to its corner is r / LARGEST_RADIUS.
"""

import math
from collections.abc import Sequence
from itertools import product
from typing import Any

LARGEST_RADIUS = math.sqrt(0.5)
ROUNDING = 1e-9  # radii that differ by less are one, however they were computed


def in_band(r: Any, band: Sequence[float]) -> Any:
    """Tell which radii lie in a band; bands that meet never overlap.

    Args:
        r: Radii in cycles per pixel: a number, an array or a tensor.
        band: The ends (a, b), a <= r < b.

    Returns:
        Booleans of the kind and the shape of `r`.
    """
    return (r >= band[0] - ROUNDING) & (r < band[1] - ROUNDING)


def reaches(band: Sequence[float], size: tuple[int, int]) -> bool:
    """Tell whether images have a frequency in a band.

    Args:
        band: The ends (a, b), in cycles per pixel.
        size: Height and width of the images, in pixels.
    """
    steps = ([step / length for step in range(length // 2 + 1)] for length in size)
    return any(in_band(math.hypot(*step), band) for step in product(*steps))
