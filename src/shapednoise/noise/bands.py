"""Bands of spatial frequency: half open, [a, b), in cycles per pixel, and what a pair of them must be.

The radius of a frequency is r = sqrt(fx^2 + fy^2): 0 for the mean, 0.5 at the highest frequency
along an axis, LARGEST_RADIUS in the corner. A radius that runs from 0 to 1 from the centre of the
spectrum to its corner is r / LARGEST_RADIUS. Nothing here imports torch: the config uses it.
"""

import math
from collections.abc import Sequence
from itertools import product
from typing import Any

LARGEST_RADIUS = math.sqrt(0.5)
ROUNDING = 1e-9  # radii that differ by less are one, however they were computed


def in_band(r: Any, band: Sequence[float]) -> Any:
    """Which radii (a number, an array or a tensor) lie in [a, b); bands that meet never overlap."""
    return (r >= band[0] - ROUNDING) & (r < band[1] - ROUNDING)


def reaches(band: Sequence[float], size: int) -> bool:
    """Whether images of size x size have a frequency in the band."""
    steps = [step / size for step in range(size // 2 + 1)]
    return any(in_band(math.hypot(*step), band) for step in product(steps, steps))


def check_band(name: str, band: Sequence[float]) -> None:
    """Raise ValueError unless 0 <= a <= b, both finite."""
    if len(band) != 2:
        raise ValueError(f"{name} has two ends, [a, b]; it has {len(band)}")
    start, end = band
    if not (math.isfinite(start) and math.isfinite(end) and start >= 0):
        raise ValueError(f"{name} [{start:g}, {end:g}] must have finite ends of 0 or more")
    if start > end:
        raise ValueError(f"{name} [{start:g}, {end:g}] is reversed; write the lower end first")


def check_mixture(
    low_band: Sequence[float], high_band: Sequence[float], low_gain: float, high_gain: float
) -> None:
    """Raise ValueError unless the bands are in order and apart, not both empty, and the gains add up to 1."""
    check_band("low_band", low_band)
    check_band("high_band", high_band)
    low_empty, high_empty = low_band[0] == low_band[1], high_band[0] == high_band[1]
    if low_empty and high_empty:
        raise ValueError("both bands are empty; give low_band or high_band two different ends")
    if not low_empty and not high_empty and high_band[0] < low_band[1]:
        raise ValueError(
            f"the bands overlap: high_band starts at {high_band[0]:g}, low_band ends at {low_band[1]:g}"
        )
    # written so that a gain that is not a number is refused as well
    if not (min(low_gain, high_gain) >= 0 and math.isclose(low_gain + high_gain, 1.0, abs_tol=1e-6)):
        raise ValueError(
            f"low_gain {low_gain:g} and high_gain {high_gain:g} must be 0 or more and add up to 1"
        )
