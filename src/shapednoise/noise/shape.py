"""Noise shapes: the linear operators S_t that multiply the white noise of a diffusion model.

An operator is diagonal in a fixed orthonormal basis, so it is known by the gains g_m(t) of its
modes m. White noise e becomes S_t e; the inverse S_t^-1 whitens. With s(t) the strength,

- `ddpm`, isotropic (Ho et al. 2020): g = 1.
- `sdm`, squeezed: g = exp(-s) on the data's principal colour axis v, 1 across it.
- `hdm`, Heisenberg: g = exp(-s) on v, exp(s / (n - 1)) on the n - 1 axes across it; det = 1.
- `sagd_powerlaw`: g = (r + eps)^s on the spatial frequency of radius r; s is the papers' alpha.
- `sagd_bandpass`: g = 1 - s + s w(r), with w one number on each of two bands and 0 elsewhere; s = 1
  is the papers' band mixture, s = 0 is white.

A colour shape times a frequency shape is a shape. For every operator strength 0 is white noise.
r = sqrt(fx^2 + fy^2) in cycles per pixel: 0 for the mean, 0.5 along an axis, sqrt(1/2) in the corner.

Equation numbers are those of Squeezed Diffusion Models (SDM; Singh, Khanna and Burgess 2025). SAGD is
spectrally anisotropic Gaussian diffusion (Scimeca, Jiralerspong, Earnshaw, Hartford and Bengio 2025).
"""

import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from shapednoise.noise.bands import check_mixture, in_band

Operator = Literal["ddpm", "sdm", "hdm", "sagd_powerlaw", "sagd_bandpass"]
StrengthSchedule = Literal["beta", "constant"]
Normalize = Literal["off", "energy"]
Size = tuple[int, int]
Weight = Callable[[Tensor, Tensor], Tensor]

SHAPE_VERSION = 1


class NoiseShape(ABC):
    """An operator that is diagonal in a fixed orthonormal basis of image space."""

    channels = 1  # colour channels that the basis mixes; 1: each channel on its own
    normalize: Normalize = "off"

    def gains(self, betas: Tensor, size: Size) -> Tensor:
        """g_m(t) for every timestep and images of `size` (H, W): float64, shape (T, modes), >= 0.

        Raises ValueError where images of this size have no mode with noise at some timestep.
        """
        gains = self._gains(betas, size)
        if not bool((gains.amax(1) > 0).all()):
            raise ValueError(f"images of {size[0]} x {size[1]} have no frequency in the bands; widen them")
        if self.normalize == "energy":
            counts = torch.bincount(self.modes(self.channels, size).flatten(), minlength=gains.shape[1])
            gains = gains / ((gains**2 * counts).sum(1) / counts.sum()).sqrt()[:, None]
        return gains

    @abstractmethod
    def modes(self, channels: int, size: Size) -> Tensor:
        """The mode of each (principal colour axis, frequency): indices, (channels, H, W) as fft2 lays it."""

    @abstractmethod
    def apply(self, x: Tensor, multipliers: Tensor) -> Tensor:
        """Multiply each mode of the images x (B, C, H, W) by multipliers (B, modes) or (1, modes)."""

    @abstractmethod
    def _gains(self, betas: Tensor, size: Size) -> Tensor:
        """The gains before normalisation, (T, modes)."""


class IsotropicShape(NoiseShape):
    """White noise: one mode stands for all, with gain 1."""

    def modes(self, channels: int, size: Size) -> Tensor:
        """Zeros: all is one mode."""
        return torch.zeros(channels, *size, dtype=torch.long)

    def apply(self, x: Tensor, multipliers: Tensor) -> Tensor:
        """x times one number per image."""
        return x * multipliers[:, 0, None, None, None]

    def _gains(self, betas: Tensor, size: Size) -> Tensor:
        return torch.ones(len(betas), 1, dtype=torch.float64)


class ColourShape(NoiseShape):
    """Noise scaled along a unit vector v in colour space, equally at every pixel (Eq. 9).

    Modes are (along v, across v). S = across I + (along - across) v v^T, the rank-one form, so
    that strength 0 is the identity to the last bit.
    """

    def __init__(
        self,
        axis: Sequence[float],
        strength: float,
        schedule: StrengthSchedule,
        keep_volume: bool,
        normalize: Normalize = "off",
    ) -> None:
        self.axis = _unit_vector(axis)
        self.channels = len(axis)
        self.strength, self.schedule = _finite(strength), _one_of(StrengthSchedule, "schedule", schedule)
        self.keep_volume, self.normalize = keep_volume, _one_of(Normalize, "normalize", normalize)
        self._axes: dict[tuple[torch.device, torch.dtype], Tensor] = {}

    def modes(self, channels: int, size: Size) -> Tensor:
        """0 on the first principal axis, 1 on the others."""
        self._check(channels)
        return (torch.arange(channels) > 0).long()[:, None, None].expand(channels, *size)

    def apply(self, x: Tensor, multipliers: Tensor) -> Tensor:
        """Multiply the component along v and the rest of each pixel by their own numbers."""
        self._check(x.shape[1])
        along, across = multipliers[:, :, None, None, None].unbind(1)
        axis = self.axis_like(x)
        return across * x + (along - across) * (axis * (axis * x).sum(1, keepdim=True))

    def axis_like(self, x: Tensor) -> Tensor:
        """v as (C, 1, 1) with the device and dtype of x."""
        key = (x.device, x.dtype)
        if key not in self._axes:
            self._axes[key] = self.axis.to(x)[:, None, None]
        return self._axes[key]

    def _gains(self, betas: Tensor, size: Size) -> Tensor:
        """(exp(-s), exp(s / (n - 1)) or 1) at every timestep, shape (T, 2)."""
        s = strengths(self.strength, self.schedule, betas)
        across = s / (len(self.axis) - 1) if self.keep_volume else torch.zeros_like(s)
        return torch.stack([torch.exp(-s), torch.exp(across)], dim=1)

    def _check(self, channels: int) -> None:
        if channels != len(self.axis):
            raise ValueError(
                f"the images have {channels} channels, the colour axis has {len(self.axis)}; "
                "a colour shape needs the axis of its own data"
            )


class FourierShape(NoiseShape):
    """Noise weighted by spatial frequency, on each channel alike; modes are the distinct radii r.

    The weights are real and even in frequency, so shaped noise stays real. The transform is
    orthonormal; in half precision it is computed in float32.
    """

    def __init__(
        self, weight: Weight, strength: float, schedule: StrengthSchedule, normalize: Normalize = "off"
    ) -> None:
        """weight: the gain as a function of r (R,) and of the strengths s (T, 1); >= 0."""
        self.weight = weight
        self.strength, self.schedule = _finite(strength), _one_of(StrengthSchedule, "schedule", schedule)
        self.normalize = _one_of(Normalize, "normalize", normalize)
        self._indices: dict[tuple[Size, torch.device], Tensor] = {}

    def modes(self, channels: int, size: Size) -> Tensor:
        """The index of each frequency's radius, the same in every channel."""
        return radii(size)[1].expand(channels, *size)

    def apply(self, x: Tensor, multipliers: Tensor) -> Tensor:
        """Multiply the Fourier coefficients of each radius by their own number."""
        size = (x.shape[-2], x.shape[-1])
        index = self._half_plane(size, x.device)
        work = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        spectrum = torch.fft.rfft2(work, norm="ortho") * multipliers.to(work.dtype)[:, index][:, None]
        return torch.fft.irfft2(spectrum, s=size, norm="ortho").to(x.dtype)

    def _gains(self, betas: Tensor, size: Size) -> Tensor:
        s = strengths(self.strength, self.schedule, betas)
        return self.weight(radii(size)[0], s[:, None])

    def _half_plane(self, size: Size, device: torch.device) -> Tensor:
        """Mode of each coefficient of rfft2: (H, W // 2 + 1)."""
        if (size, device) not in self._indices:
            self._indices[size, device] = radii(size)[1][:, : size[1] // 2 + 1].to(device)
        return self._indices[size, device]


class ProductShape(NoiseShape):
    """A colour shape times a frequency shape: modes are the pairs (along or across v, radius)."""

    def __init__(self, colour: ColourShape, fourier: FourierShape) -> None:
        self.colour, self.fourier = colour, fourier
        self.channels = colour.channels

    def modes(self, channels: int, size: Size) -> Tensor:
        """Radii on the first principal axis, then, counted on, radii on the others."""
        return self.colour.modes(channels, size) * len(radii(size)[0]) + self.fourier.modes(channels, size)

    def apply(self, x: Tensor, multipliers: Tensor) -> Tensor:
        """Filter the component along v and the rest of each pixel by their own spectra."""
        along, across = multipliers.chunk(2, dim=1)
        axis = self.colour.axis_like(x)
        component = (axis * x).sum(1, keepdim=True)
        filtered = axis * self.fourier.apply(component, along - across)
        return self.fourier.apply(x, across) + filtered

    def _gains(self, betas: Tensor, size: Size) -> Tensor:
        pairs = self.colour.gains(betas, size)[:, :, None] * self.fourier.gains(betas, size)[:, None]
        return pairs.flatten(1)


@lru_cache(maxsize=32)
def radii(size: Size) -> tuple[Tensor, Tensor]:
    """The distinct radii r of an image's frequencies in cycles per pixel, rising, float64; and for
    each coefficient of fft2 (H, W) the index of its radius."""
    fy, fx = (torch.fft.fftfreq(n, dtype=torch.float64) for n in size)
    squared = (fy[:, None] ** 2 + fx**2).mul(1e12).round().div(1e12)
    values, index = torch.unique(squared, return_inverse=True)
    return values.sqrt(), index


def strengths(strength: float, schedule: StrengthSchedule, betas: Tensor) -> Tensor:
    """s(t) at every timestep, float64: s0 beta_t / beta_max, or s0 throughout."""
    betas = betas.double()
    return torch.full_like(betas, strength) if schedule == "constant" else strength * betas / betas.max()


def squeezed(
    strength: float = 0.0,
    axis: Sequence[float] | None = None,
    schedule: StrengthSchedule = "beta",
    normalize: Normalize = "off",
) -> NoiseShape:
    """`sdm`. axis: the unit vector v, the first principal component of the data's colours."""
    return ColourShape(_needed(axis), strength, schedule, keep_volume=False, normalize=normalize)


def heisenberg(
    strength: float = 0.0,
    axis: Sequence[float] | None = None,
    schedule: StrengthSchedule = "beta",
    normalize: Normalize = "off",
) -> NoiseShape:
    """`hdm`. axis: as for `squeezed`; the other axes get what v loses, so that det S = 1 (Eq. 9)."""
    return ColourShape(_needed(axis), strength, schedule, keep_volume=True, normalize=normalize)


def power_law(
    strength: float = 0.0,
    eps: float = 0.01,
    schedule: StrengthSchedule = "beta",
    normalize: Normalize = "off",
) -> NoiseShape:
    """`sagd_powerlaw`: (r + eps)^alpha with alpha = strength.

    eps > 0, in cycles per pixel, keeps the gain of the mean (r = 0) finite: it is eps^alpha.
    """
    if not (math.isfinite(eps) and eps > 0):
        raise ValueError(f"eps must be a positive number, it is {eps}; 0.01 is the default")
    shape = FourierShape(lambda r, alpha: (r + eps) ** alpha, strength, schedule, normalize)
    return shape if strength else IsotropicShape()


def band_pass(
    strength: float = 1.0,
    low_band: Sequence[float] = (0.0, 0.0),
    high_band: Sequence[float] = (0.0, 0.0),
    low_gain: float = 0.5,
    high_gain: float = 0.5,
    schedule: StrengthSchedule = "beta",
    normalize: Normalize = "off",
) -> NoiseShape:
    """`sagd_bandpass`: gain low_gain on low_band, high_gain on high_band, 0 elsewhere, at strength 1.

    Bands are half open, [a, b), in cycles per pixel; the gains add up to 1. A strength below 1 mixes
    with white noise, 1 - s + s w. With gain 0 somewhere the shape is singular: whitening is by the
    pseudo-inverse and the process lives on the support alone.
    """
    check_mixture(low_band, high_band, low_gain, high_gain)
    if not 0 <= _finite(strength) <= 1:
        raise ValueError(f"the strength of a band mixture lies in 0..1, it is {strength:g}")

    def weight(r: Tensor, s: Tensor) -> Tensor:
        mixture = low_gain * in_band(r, low_band) + high_gain * in_band(r, high_band)
        return 1 - s + s * mixture

    shape = FourierShape(weight, strength, schedule, normalize)
    return shape if strength else IsotropicShape()


def white(strength: float = 0.0) -> NoiseShape:
    """`ddpm`: white noise. It has no strength but 0."""
    if strength:
        raise ValueError(f"ddpm is white noise and has strength 0, not {strength:g}")
    return IsotropicShape()


OPERATORS: dict[str, Callable[..., NoiseShape]] = {
    "ddpm": white,
    "sdm": squeezed,
    "hdm": heisenberg,
    "sagd_powerlaw": power_law,
    "sagd_bandpass": band_pass,
}


def make_shape(
    operator: str = "ddpm",
    *,
    times: Mapping[str, Any] | None = None,
    version: int = SHAPE_VERSION,
    **parameters: Any,
) -> NoiseShape:
    """The noise shape that a plain dictionary describes, as it stands in a scheduler's config.

    operator: a key of OPERATORS; parameters: those of that function. times: a second shape, of the
    other basis, that multiplies the first. version: of this description; a newer one is refused.
    Raises ValueError with one line.
    """
    if not isinstance(version, int) or version > SHAPE_VERSION:
        raise ValueError(
            f"this noise shape was saved by a newer shapednoise (shape version {version}, this one "
            f"reads up to {SHAPE_VERSION}); upgrade shapednoise"
        )
    _check_operator(operator)
    known = inspect.signature(OPERATORS[operator]).parameters
    for name in parameters:
        if name not in known:
            raise ValueError(f"{operator} has no parameter {name!r}; it has {', '.join(known)}")
    try:
        shape = OPERATORS[operator](**parameters)
    except TypeError as error:
        raise ValueError(f"a parameter of {operator} has the wrong type: {error}") from None
    return product(shape, make_shape(**times)) if times else shape


def product(first: NoiseShape, second: NoiseShape) -> NoiseShape:
    """The product of a colour shape and a frequency shape, or of anything with white noise."""
    for one, other in ((first, second), (second, first)):
        if isinstance(one, IsotropicShape):
            return other
        if isinstance(one, ColourShape) and isinstance(other, FourierShape):
            return ProductShape(one, other)
    raise ValueError("only a colour shape (sdm, hdm) times a frequency shape (sagd_...) is supported")


def with_axis(shape: Mapping[str, Any], axis: Sequence[float]) -> dict[str, Any]:
    """The description of a shape with the data's colour axis put in where an operator needs it."""
    completed = dict(shape)
    _check_operator(shape.get("operator"))
    if "axis" in inspect.signature(OPERATORS[shape["operator"]]).parameters:
        completed["axis"] = list(axis)
    if shape.get("times"):
        completed["times"] = with_axis(shape["times"], axis)
    return completed


def checked(shape: Mapping[str, Any]) -> Mapping[str, Any]:
    """The description of a shape, its axis left out, where it is one. Raises ValueError."""
    if not isinstance(shape, Mapping):
        raise ValueError(f"a noise shape is a mapping, not {shape!r}")
    make_shape(**with_axis(shape, [1.0, 0.0, 0.0]))
    return shape


def checked_shapes(shapes: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Several descriptions, each `checked`."""
    return [checked(shape) for shape in shapes]


def checked_points(points: Sequence[Sequence[Any]]) -> Sequence[Sequence[Any]]:
    """(noise, strength, description) of several shapes, each description `checked`."""
    for _, _, shape in points:
        checked(shape)
    return points


def _check_operator(operator: Any) -> None:
    if not isinstance(operator, str) or operator not in OPERATORS:
        raise ValueError(f"unknown operator {operator!r}; use one of {', '.join(OPERATORS)}")


def _needed(axis: Sequence[float] | None) -> Sequence[float]:
    if axis is None:
        raise ValueError("sdm and hdm need the axis v: the first principal component of the colours")
    return axis


def _unit_vector(axis: Sequence[float]) -> Tensor:
    vector = torch.tensor(axis, dtype=torch.float64)
    norm = float(vector.norm())
    if not math.isclose(norm, 1.0, abs_tol=1e-4):
        raise ValueError(f"the axis must be a unit vector, its norm is {norm:.6g}; divide by it")
    if len(axis) < 2:
        raise ValueError("a colour axis needs at least two channels; grey images have none")
    return vector / norm


def _finite(strength: float) -> float:
    if not math.isfinite(strength):
        raise ValueError(f"the strength must be finite, it is {strength}")
    return strength


def _one_of(kind: Any, name: str, value: Any) -> Any:
    if value not in get_args(kind):
        raise ValueError(f"unknown {name} {value!r}; use {' or '.join(map(repr, get_args(kind)))}")
    return value
