"""Noise whose signal is blurred as well, as in blurring diffusion (Hoogeboom and Salimans 2023)."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from pydantic import Field

from shapednoise.noise.operators import FrequencyOperator

if TYPE_CHECKING:
    from torch import Tensor


class Blur(FrequencyOperator):
    """White noise on a signal that a Gaussian blur of s sin^2(pi t / (2 T)) pixels takes the detail from.

    It is blurring diffusion (arXiv 2209.05557, 20 pixels there) with the boundary of the Fourier basis,
    periodic where the paper's cosine basis reflects. Heat dissipation (Rissanen et al. 2023, arXiv
    2206.13397) is its limit of little noise. `schedule` has no effect on it, and its only reading is `exact`.
    """

    name = "blur"
    blurs = True
    default_strength = 20.0
    strength_symbol = "\\sigma_B"
    strength_label = r"largest blur $\sigma_B$, pixels"

    min_signal: float = Field(
        0.001,
        gt=0,
        lt=1,
        description="The share of a frequency that the strongest blur leaves, so that it can be restored.",
    )

    def check_strength(self, strength: float) -> None:
        """Raise ValueError for a negative blur."""
        super().check_strength(strength)
        if strength < 0:
            raise ValueError(f"a blur is 0 pixels or more, it is {strength:g}")

    def gains(self, r: "Tensor", s: "Tensor") -> "Tensor":
        """1: the noise is white."""
        return (0 * r + 1) * (0 * s + 1)

    def signal(self, strength: float) -> "Callable[[Tensor, Tensor], Tensor] | None":
        """d + (1 - d) exp(-(2 pi r)^2 sigma^2 / 2), sigma = s sin^2(pi t / 2), d = min_signal."""

        def gains(r: "Tensor", times: "Tensor") -> "Tensor":
            sigma = strength * (times * math.pi / 2).sin() ** 2
            return self.min_signal + (1 - self.min_signal) * (-((2 * math.pi * r * sigma) ** 2) / 2).exp()

        return gains
