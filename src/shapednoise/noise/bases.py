"""Noise shapes by the basis that they are diagonal in: white, along a color axis, in frequency, or both.

A shape is a linear operator S_t that multiplies the white noise of a diffusion model, known by the
gains g_m(t) of its modes m. White noise e becomes S_t e; the inverse S_t^-1 whitens. The formulas of
the gains, at a strength s(t), are those of the operators (noise/operators).
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, get_args

import torch
from torch import Tensor

from shapednoise.noise import Normalize, Schedule

Size = tuple[int, int]  # height and width of images
ColorGains = Callable[[Tensor, int], tuple[Tensor, Tensor]]
RadialGains = Callable[[Tensor, Tensor], Tensor]
RadialSignal = Callable[[Tensor, Tensor], Tensor]


class NoiseShape(ABC):
    """An operator that is diagonal in a fixed orthonormal basis of image space.

    Attributes:
        channels: Color channels that the basis mixes; 1: each channel on its own.
        normalize: `energy`: the gains have a mean square of 1.
        blurs: Whether the signal has gains as well.
    """

    channels = 1
    normalize: Normalize = "off"
    blurs = False

    def gains(self, betas: Tensor, size: Size) -> Tensor:
        """Compute the gains g_m(t) at every timestep.

        Args:
            betas: beta_t, (T,).
            size: Height and width of the images.

        Returns:
            float64 (T, modes), 0 or more.

        Raises:
            ValueError: No mode of such images has noise at some timestep.
        """
        gains = self._gains(betas, size)
        if not bool((gains.amax(1) > 0).all()):
            raise ValueError(
                f"images of {size[0]} x {size[1]} have no mode with noise at some timestep; "
                "widen the bands of the noise"
            )
        if self.normalize == "energy":
            counts = torch.bincount(self.modes(self.channels, size).flatten(), minlength=gains.shape[1])
            gains = gains / ((gains**2 * counts).sum(1) / counts.sum()).sqrt()[:, None]
        return gains

    def signal(self, steps: int, size: Size) -> Tensor | None:
        """Compute the gains a_m(t) of the signal, as blurring has them; None: 1 everywhere.

        Args:
            steps: T, the number of timesteps.
            size: Height and width of the images.

        Returns:
            float64 (T, modes), in (0, 1], falling in t.
        """
        return None

    @abstractmethod
    def modes(self, channels: int, size: Size) -> Tensor:
        """Find the mode of each (principal color axis, frequency).

        Args:
            channels: Color channels of the images, C.
            size: Height and width of the images, H and W.

        Returns:
            Indices into the gains, (C, H, W), frequencies in the order of fft2.
        """

    @abstractmethod
    def apply(self, x: Tensor, multipliers: Tensor) -> Tensor:
        """Multiply each mode of images by a number.

        Args:
            x: Images (B, C, H, W).
            multipliers: Of each mode, (B, modes), or (1, modes) for all images.

        Returns:
            Images as `x`.
        """

    @abstractmethod
    def _gains(self, betas: Tensor, size: Size) -> Tensor:
        """The gains before normalization, (T, modes)."""


class IsotropicShape(NoiseShape):
    """White noise: one mode stands for all, with gain 1."""

    def modes(self, channels: int, size: Size) -> Tensor:
        """Zeros: all is one mode."""
        return torch.zeros(channels, *size, dtype=torch.long)

    def apply(self, x: Tensor, multipliers: Tensor) -> Tensor:
        """Multiply each image by one number."""
        return x * multipliers[:, 0, None, None, None]

    def _gains(self, betas: Tensor, size: Size) -> Tensor:
        return torch.ones(len(betas), 1, dtype=torch.float64)


class ScheduledShape(NoiseShape):
    """A shape whose gains are a function of a strength that runs over time.

    Args:
        strength: s0.
        schedule: `beta`: s(t) = s0 beta_t / beta_max (section 2 of SDM); `falling`: s0 (1 - beta_t /
            beta_max), strongest near the data; `constant`: s(t) = s0.
        normalize: `energy`: scale the gains to a mean square of 1.
    """

    def __init__(self, strength: float, schedule: Schedule, normalize: Normalize) -> None:
        self.strength, self.schedule = strength, _one_of(Schedule, "schedule", schedule)
        self.normalize = _one_of(Normalize, "normalize", normalize)

    def strengths(self, betas: Tensor) -> Tensor:
        """Compute s(t), float64 (T,), of beta_t (T,)."""
        betas = betas.double()
        if self.schedule == "constant":
            return torch.full_like(betas, self.strength)
        rising = betas / betas.max()
        return self.strength * (1 - rising if self.schedule == "falling" else rising)


class ColorShape(ScheduledShape):
    """Noise scaled along a unit vector v in color space, equally at every pixel (Eq. 9 of SDM).

    Modes are (along v, across v). S = across I + (along - across) v v^T, the rank-one form, so
    that strength 0 is the identity to the last bit.

    Args:
        gains: Function of (s(t), channels): the gains along v and across it, each (T,).
        axis: v, (C,).
        strength, schedule, normalize: As in ScheduledShape.

    Raises:
        ValueError: The axis is no unit vector, or schedule or normalize are unknown.
    """

    def __init__(
        self,
        gains: ColorGains,
        axis: Sequence[float],
        strength: float,
        schedule: Schedule,
        normalize: Normalize = "off",
    ) -> None:
        self.axis = _unit_vector(axis)
        self.channels = len(axis)
        super().__init__(strength, schedule, normalize)
        self._color_gains = gains
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
        """Return v as (C, 1, 1), with the device and dtype of x."""
        key = (x.device, x.dtype)
        if key not in self._axes:
            self._axes[key] = self.axis.to(x)[:, None, None]
        return self._axes[key]

    def _gains(self, betas: Tensor, size: Size) -> Tensor:
        return torch.stack(self._color_gains(self.strengths(betas), self.channels), dim=1)

    def _check(self, channels: int) -> None:
        if channels != self.channels:
            raise ValueError(
                f"the images have {channels} channels, the color axis has {self.channels}; "
                "a color shape needs the axis of its own data"
            )


class FourierShape(ScheduledShape):
    """Noise weighted by spatial frequency, on each channel alike; modes are the distinct radii r.

    The weights are real and even in frequency, so shaped noise stays real. The transform is
    orthonormal; in half precision it is computed in float32.

    Args:
        gains: Function of (radii r (R,), s(t) (T, 1)): the gains (T, R), 0 or more.
        strength, schedule, normalize: As in ScheduledShape.
        signal: Function of (radii r (R,), times (T, 1) in (0, 1]): the gains of the signal (T, R).

    Raises:
        ValueError: schedule or normalize are unknown.
    """

    def __init__(
        self,
        gains: RadialGains,
        strength: float,
        schedule: Schedule,
        normalize: Normalize = "off",
        signal: RadialSignal | None = None,
    ) -> None:
        super().__init__(strength, schedule, normalize)
        self._radial_gains, self._radial_signal = gains, signal
        self.blurs = signal is not None
        self._indices: dict[tuple[Size, torch.device], Tensor] = {}

    def modes(self, channels: int, size: Size) -> Tensor:
        """The index of each frequency's radius, the same in every channel."""
        return radii(size)[1].expand(channels, *size)

    def apply(self, x: Tensor, multipliers: Tensor) -> Tensor:
        """Multiply the Fourier coefficients of each radius by their own number."""
        size = (x.shape[-2], x.shape[-1])
        index = self._half_plane(size, x.device)
        work = in_float32(x)
        spectrum = torch.fft.rfft2(work, norm="ortho") * multipliers.to(work.dtype)[:, index][:, None]
        return torch.fft.irfft2(spectrum, s=size, norm="ortho").to(x.dtype)

    def signal(self, steps: int, size: Size) -> Tensor | None:
        """The gains of the signal by radius, where the operator has them; see NoiseShape."""
        if self._radial_signal is None:
            return None
        times = torch.arange(1, steps + 1, dtype=torch.float64)[:, None] / steps
        return self._radial_signal(radii(size)[0], times)

    def _gains(self, betas: Tensor, size: Size) -> Tensor:
        return self._radial_gains(radii(size)[0], self.strengths(betas)[:, None])

    def _half_plane(self, size: Size, device: torch.device) -> Tensor:
        """Mode of each coefficient of rfft2: (H, W // 2 + 1)."""
        if (size, device) not in self._indices:
            self._indices[size, device] = radii(size)[1][:, : size[1] // 2 + 1].to(device)
        return self._indices[size, device]


class ProductShape(NoiseShape):
    """A color shape times a frequency shape: modes are the pairs (along or across v, radius)."""

    def __init__(self, color: ColorShape, fourier: FourierShape) -> None:
        self.color, self.fourier = color, fourier
        self.channels, self.blurs = color.channels, fourier.blurs

    def modes(self, channels: int, size: Size) -> Tensor:
        """Radii on the first principal axis, then, counted on, radii on the others."""
        return self.color.modes(channels, size) * len(radii(size)[0]) + self.fourier.modes(channels, size)

    def apply(self, x: Tensor, multipliers: Tensor) -> Tensor:
        """Filter the component along v and the rest of each pixel by their own spectra."""
        along, across = multipliers.chunk(2, dim=1)
        axis = self.color.axis_like(x)
        component = (axis * x).sum(1, keepdim=True)
        filtered = axis * self.fourier.apply(component, along - across)
        return self.fourier.apply(x, across) + filtered

    def signal(self, steps: int, size: Size) -> Tensor | None:
        """Those of the frequency shape, alike on all color axes."""
        signal = self.fourier.signal(steps, size)
        return None if signal is None else signal.repeat(1, 2)

    def _gains(self, betas: Tensor, size: Size) -> Tensor:
        pairs = self.color.gains(betas, size)[:, :, None] * self.fourier.gains(betas, size)[:, None]
        return pairs.flatten(1)


def in_float32(x: Tensor) -> Tensor:
    """Return half precision in float32: gains rounded to it would multiply up over the steps."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


@lru_cache(maxsize=32)
def radii(size: Size) -> tuple[Tensor, Tensor]:
    """Compute the radii of an image's spatial frequencies, r = sqrt(fx^2 + fy^2) in cycles per pixel.

    Args:
        size: Height and width of the image, H and W.

    Returns:
        The distinct radii, rising from 0 (the mean) to at most sqrt(1/2), float64 (R,); and of each
        coefficient of fft2 the index of its radius, (H, W).
    """
    fy, fx = (torch.fft.fftfreq(n, dtype=torch.float64) for n in size)
    squared = (fy[:, None] ** 2 + fx**2).mul(1e12).round().div(1e12)
    values, index = torch.unique(squared, return_inverse=True)
    return values.sqrt(), index


def _unit_vector(axis: Sequence[float]) -> Tensor:
    vector = torch.tensor(axis, dtype=torch.float64)
    norm = float(vector.norm())
    if not math.isclose(norm, 1.0, abs_tol=1e-4):
        raise ValueError(f"the axis must be a unit vector, its norm is {norm:.6g}; divide by it")
    if len(axis) < 2:
        raise ValueError("a color axis needs at least two channels; gray images have none")
    return vector / norm


def _one_of(kind: Any, name: str, value: Any) -> Any:
    if value not in get_args(kind):
        raise ValueError(f"unknown {name} {value!r}; use {' or '.join(map(repr, get_args(kind)))}")
    return value
