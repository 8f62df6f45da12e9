"""Squeezed noise (SDM; Singh, Khanna and Burgess 2025): scaled along the principal color axis v."""

from typing import TYPE_CHECKING

from shapednoise.noise.operators import ColorOperator

if TYPE_CHECKING:
    from torch import Tensor


class Squeezed(ColorOperator):
    """Noise scaled by exp(-s) on the principal color axis."""

    name = "sdm"
    paper = "SDM"
    strength_label = "strength $s$   ($s<0$: antisqueezed, $s>0$: squeezed)"

    def gains(self, s: "Tensor", channels: int) -> tuple["Tensor", "Tensor"]:
        """exp(-s) along v, 1 across it."""
        return (-s).exp(), s.new_ones(s.shape)


class Heisenberg(ColorOperator):
    """Noise scaled by exp(-s) on the principal color axis and by exp(s / (n - 1)) on the other n - 1.

    The volume is kept: det S = 1 (Eq. 9 of SDM).
    """

    name = "hdm"
    paper = "SDM"
    strength_label = Squeezed.strength_label

    def gains(self, s: "Tensor", channels: int) -> tuple["Tensor", "Tensor"]:
        """exp(-s) along v, exp(s / (n - 1)) across it."""
        return (-s).exp(), (s / (channels - 1)).exp()
