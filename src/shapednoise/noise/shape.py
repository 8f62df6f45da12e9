"""Noise shapes: the linear operators S_t that multiply the white noise of a diffusion model.

An operator is diagonal in a fixed orthonormal basis, so it is known by the gains g_m(t) of its
modes m. White noise e becomes S_t e; the inverse S_t^-1 whitens.

- isotropic (DDPM, Ho et al. 2020): g = 1.
- squeezed (SDM): g = exp(-s(t)) on the data's principal colour axis v, 1 across it.
- Heisenberg (HDM): g = exp(-s(t)) on v, exp(s(t) / (n - 1)) on the n - 1 axes across it; det = 1.

s > 0 squeezes (less noise on v), s < 0 antisqueezes. Equation numbers are those of Squeezed
Diffusion Models (Singh, Khanna and Burgess 2025).
"""

import math
from collections.abc import Sequence
from typing import Literal, Protocol

import torch
from torch import Tensor

Operator = Literal["ddpm", "sdm", "hdm"]
StrengthSchedule = Literal["beta", "constant"]


class NoiseShape(Protocol):
    """An operator that is diagonal in a fixed orthonormal basis of image space."""

    def gains(self, betas: Tensor) -> Tensor:
        """g_m(t) for every timestep: float64, shape (T, modes)."""

    def apply(self, x: Tensor, multipliers: Tensor) -> Tensor:
        """Multiply each mode of the images x (B, C, H, W) by multipliers (B, modes) or (1, modes)."""


class IsotropicShape:
    """White noise: one mode stands for all, with gain 1."""

    def gains(self, betas: Tensor) -> Tensor:
        """Ones, shape (T, 1)."""
        return torch.ones(len(betas), 1, dtype=torch.float64)

    def apply(self, x: Tensor, multipliers: Tensor) -> Tensor:
        """x times one number per image."""
        return x * multipliers[:, 0, None, None, None]


class ColourShape:
    """Noise scaled along a unit vector v in colour space, equally at every pixel (Eq. 9).

    Modes are (along v, across v). S = across I + (along - across) v v^T, the rank-one form, so
    that strength 0 is the identity to the last bit.
    """

    def __init__(
        self, axis: Sequence[float], strength: float, schedule: StrengthSchedule, keep_volume: bool
    ) -> None:
        self.axis = torch.tensor(axis, dtype=torch.float64)
        norm = float(self.axis.norm())
        if not math.isclose(norm, 1.0, abs_tol=1e-4):
            raise ValueError(f"the axis must be a unit vector, its norm is {norm:.6g}; divide by it")
        if len(axis) < 2:
            raise ValueError("a colour axis needs at least two channels")
        if not math.isfinite(strength):
            raise ValueError(f"the strength must be finite, it is {strength}")
        self.axis /= norm
        self.strength = strength
        self.schedule = schedule
        self.keep_volume = keep_volume

    def gains(self, betas: Tensor) -> Tensor:
        """(exp(-s), exp(s / (n - 1)) or 1) at every timestep, shape (T, 2)."""
        s = strengths(self.strength, self.schedule, betas)
        across = s / (len(self.axis) - 1) if self.keep_volume else torch.zeros_like(s)
        return torch.stack([torch.exp(-s), torch.exp(across)], dim=1)

    def apply(self, x: Tensor, multipliers: Tensor) -> Tensor:
        """Multiply the component along v and the rest of each pixel by their own numbers."""
        if x.shape[1] != len(self.axis):
            raise ValueError(f"images have {x.shape[1]} channels, the axis has {len(self.axis)}")
        along, across = multipliers[:, :, None, None, None].unbind(1)
        axis = self.axis.to(x)[:, None, None]
        return across * x + (along - across) * (axis * (axis * x).sum(1, keepdim=True))


def strengths(strength: float, schedule: StrengthSchedule, betas: Tensor) -> Tensor:
    """s(t) at every timestep, float64: s0 beta_t / beta_max, or s0 throughout."""
    betas = betas.double()
    if schedule == "constant":
        return torch.full_like(betas, strength)
    if schedule != "beta":
        raise ValueError(f"unknown schedule of the strength {schedule!r}; use 'beta' or 'constant'")
    return strength * betas / betas.max()


def make_shape(
    operator: Operator, strength: float, schedule: StrengthSchedule, axis: Sequence[float] | None
) -> NoiseShape:
    """The noise shape of an operator's name; `axis` is the unit vector v that sdm and hdm need."""
    if operator == "ddpm":
        if strength:
            raise ValueError(f"ddpm is white noise and has strength 0, not {strength:g}")
        return IsotropicShape()
    if operator not in ("sdm", "hdm"):
        raise ValueError(f"unknown operator {operator!r}; use 'ddpm', 'sdm' or 'hdm'")
    if axis is None:
        raise ValueError(f"{operator} needs the axis v: the first principal component of the colours")
    return ColourShape(axis, strength, schedule, keep_volume=operator == "hdm")
