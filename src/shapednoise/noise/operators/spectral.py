"""Spectral noise: weights of the radius r of each spatial frequency.

SAGD is spectrally anisotropic Gaussian diffusion (Scimeca, Jiralerspong, Earnshaw, Hartford and Bengio
2025).
"""

import math
from typing import TYPE_CHECKING

from pydantic import Field, model_validator

from shapednoise.noise.bands import in_band, reaches
from shapednoise.noise.operators import FrequencyOperator

if TYPE_CHECKING:
    from torch import Tensor

Band = tuple[float, float]


class PowerLaw(FrequencyOperator):
    """Gain (r + eps)^s on the frequency of radius r, cycles per pixel; s is SAGD's alpha."""

    name = "sagd_powerlaw"
    paper = "SAGD"
    strength_symbol = "\\alpha"
    strength_label = r"exponent $\alpha$ of the noise   ($\alpha<0$: more of it at low frequencies)"

    eps: float = Field(
        0.01, gt=0, allow_inf_nan=False, description="Keeps the gain of the mean finite; cycles per pixel."
    )

    def gains(self, r: "Tensor", s: "Tensor") -> "Tensor":
        """(r + eps)^s; the mean (r = 0) has eps^s."""
        return (r + self.eps) ** s


class BandPass(FrequencyOperator):
    """Gain 1 - s + s w(r): w is low_gain and high_gain on the bands, 0 elsewhere.

    At strength 1 it is SAGD's band mixture; a strength below 1 mixes it with white noise. With gain 0
    somewhere the shape is singular: whitening is by the pseudo-inverse and the process lives on the
    support alone.
    """

    name = "sagd_bandpass"
    paper = "SAGD"
    default_strength = 1.0
    strength_label = "share $s$ of the band mixture   ($s=0$: white noise)"

    low_band: Band = Field((0.0, 0.0), description="[a, b): radii a <= r < b, in cycles per pixel.")
    high_band: Band = Field((0.0, 0.0), description="The same; the corner of the spectrum is at 0.7071.")
    low_gain: float = Field(0.5, description="Gain on low_band at strength 1.")
    high_gain: float = Field(0.5, description="Gain on high_band; the two add up to 1.")

    def gains(self, r: "Tensor", s: "Tensor") -> "Tensor":
        """1 - s + s w(r)."""
        mixture = self.low_gain * in_band(r, self.low_band) + self.high_gain * in_band(r, self.high_band)
        return 1 - s + s * mixture

    def check_strength(self, strength: float) -> None:
        """Raise ValueError for a strength outside of 0..1."""
        super().check_strength(strength)
        if not 0 <= strength <= 1:
            raise ValueError(f"the strength of a band mixture lies in 0..1, it is {strength:g}")

    def check_size(self, size: tuple[int, int]) -> None:
        """Raise ValueError where no frequency of the images lies in a band."""
        if not any(reaches(band, size) for band in (self.low_band, self.high_band)):
            raise ValueError(f"{size[0]} x {size[1]} images have no frequency in its bands; widen them")

    @model_validator(mode="after")
    def _check_mixture(self) -> "BandPass":
        for name in ("low_band", "high_band"):
            _check_band(name, getattr(self, name))
        low_empty, high_empty = (start == end for start, end in (self.low_band, self.high_band))
        if low_empty and high_empty:
            raise ValueError("both bands are empty; give low_band or high_band two different ends")
        if not low_empty and not high_empty and self.high_band[0] < self.low_band[1]:
            raise ValueError(
                f"the bands overlap: high_band starts at {self.high_band[0]:g}, "
                f"low_band ends at {self.low_band[1]:g}"
            )
        # written so that a gain that is not a number is refused as well
        total = self.low_gain + self.high_gain
        if not (min(self.low_gain, self.high_gain) >= 0 and math.isclose(total, 1.0, abs_tol=1e-6)):
            raise ValueError(
                f"low_gain {self.low_gain:g} and high_gain {self.high_gain:g} must be 0 or more "
                "and add up to 1"
            )
        return self


def _check_band(name: str, band: Band) -> None:
    start, end = band
    if not (math.isfinite(start) and math.isfinite(end) and start >= 0):
        raise ValueError(f"{name} [{start:g}, {end:g}] must have finite ends of 0 or more")
    if start > 1:
        raise ValueError(
            f"{name} [{start:g}, {end:g}] begins above 1 cycle per pixel; 0.71 is the largest frequency"
        )
    if start > end:
        raise ValueError(f"{name} [{start:g}, {end:g}] is reversed; write the lower end first")
