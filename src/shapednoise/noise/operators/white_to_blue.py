"""White noise that turns blue near the data, as in blue noise for diffusion models (Huang et al. 2024)."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import Field

from shapednoise.noise import Normalize, Schedule
from shapednoise.noise.operators import FrequencyOperator

if TYPE_CHECKING:
    from torch import Tensor

    from shapednoise.noise.bases import NoiseShape


class WhiteToBlue(FrequencyOperator):
    """A mixture of white noise and noise whose amplitude grows with the frequency: 1 - s + s sqrt(6) r.

    With its schedule `falling` it is white at the last timestep and blue near the data (arXiv 2402.04930,
    whose blue masks have a measured spectrum instead). sqrt(6) r has a mean square of 1 over the frequencies.
    """

    name = "white_to_blue"
    default_strength = 1.0
    strength_label = "share $s$ of blue noise   ($s=0$: white noise)"

    schedule: Schedule = Field("falling", description="falling: blue near the data; beta: the reverse.")

    def gains(self, r: "Tensor", s: "Tensor") -> "Tensor":
        """1 - s + s sqrt(6) r."""
        return 1 - s + s * math.sqrt(6) * r

    def check_strength(self, strength: float) -> None:
        """Raise ValueError for a share outside of 0..1."""
        super().check_strength(strength)
        if not 0 <= strength <= 1:
            raise ValueError(f"the share of blue noise lies in 0..1, it is {strength:g}")

    def build(
        self,
        strength: float,
        axis: Sequence[float] | None = None,
        schedule: Schedule | None = None,
        normalize: Normalize = "off",
    ) -> "NoiseShape":
        """Make the shape; see Operator."""
        return super().build(strength, axis, schedule or self.schedule, normalize)
