"""Noise whose spectrum is a power of the data's own."""

from typing import TYPE_CHECKING

from shapednoise.noise.operators import PrincipalOperator

if TYPE_CHECKING:
    from torch import Tensor


class Spectrum(PrincipalOperator):
    """Gain L^(s/2) on each mode, L the data's variance there; s is gamma, and 1 gives all modes equal SNR.

    Equal SNR is the noise of Falck et al. 2025 (arXiv 2505.11278), here on color axes too.
    """

    name = "spectrum"
    strength_symbol = "\\gamma"
    strength_label = r"exponent $\gamma$ of the data's spectrum   ($\gamma=1$: equal SNR)"

    def gains(self, data: "Tensor", s: "Tensor") -> "Tensor":
        """L^(s/2)."""
        return data ** (s / 2)
