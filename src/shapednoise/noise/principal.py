"""The finest basis that every noise shape here is diagonal in: principal color axes times frequencies."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from shapednoise.noise import Normalize, Schedule
from shapednoise.noise.bases import ScheduledShape, Size, in_float32, radii


class PrincipalBasis:
    """Modes (principal color axis, spatial frequency), orthonormal.

    A mode is known by its place in (C, H, W // 2 + 1), as rfft2 lays the frequencies, flattened; f and -f
    are one mode.

    Args:
        axes: The colors' principal axes, C orthonormal rows; of grey images [[1]].

    Raises:
        ValueError: The axes are not orthonormal.
    """

    def __init__(self, axes: Sequence[Sequence[float]]) -> None:
        self.axes = torch.tensor(axes, dtype=torch.float64)
        if self.axes.ndim != 2 or not torch.allclose(
            self.axes @ self.axes.T, torch.eye(len(self.axes), dtype=torch.float64), atol=1e-4
        ):
            raise ValueError("the principal axes are no orthonormal rows; take those of the data's color PCA")

    def modes(self, channels: int, size: Size) -> Tensor:
        """Find the mode of each (principal axis, frequency), (C, H, W), frequencies in the order of fft2."""
        self._check(channels)
        height, width = size
        half = width // 2 + 1
        y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        mirrored = x >= half
        y, x = torch.where(mirrored, -y % height, y), torch.where(mirrored, width - x, x)
        return (torch.arange(channels)[:, None, None] * height + y) * half + x

    def weights(self, size: Size) -> Tensor:
        """Compute the share of each mode in the number of pixel values, float64 (modes,)."""
        counts = torch.bincount(self.modes(len(self.axes), size).flatten())
        return counts / counts.sum().double()

    def rings(self, size: Size) -> Tensor:
        """Find the ring of each frequency, r max(H, W) rounded, (H, W // 2 + 1)."""
        values, index = radii(size)
        return (values * max(size)).round().long()[index[:, : size[1] // 2 + 1]]

    def power(self, x: Tensor) -> Tensor:
        """Compute the mean square of each mode over images (N, C, H, W), float64 (C, H, W // 2 + 1)."""
        return torch.view_as_real(self._transform(x)).double().square().sum(-1).mean(0)

    def apply(self, x: Tensor, multipliers: Tensor) -> Tensor:
        """Multiply each mode of images by a number.

        Args:
            x: Images (B, C, H, W); in half precision they are transformed in float32.
            multipliers: Of each mode, (B, modes), or (1, modes) for all images.

        Returns:
            Images as `x`.
        """
        spectrum = self._transform(x)
        weights = multipliers.to(spectrum.real).view(len(multipliers), *spectrum.shape[1:])
        filtered = torch.fft.irfft2(spectrum * weights, s=x.shape[-2:], norm="ortho")
        return _mixed(self.axes.T, filtered).to(x.dtype)

    def _transform(self, x: Tensor) -> Tensor:
        self._check(x.shape[1])
        return torch.fft.rfft2(_mixed(self.axes, in_float32(x)), norm="ortho")

    def _check(self, channels: int) -> None:
        if channels != len(self.axes):
            raise ValueError(
                f"the images have {channels} channels, the principal axes are of {len(self.axes)}; "
                "take those of the images' own data"
            )


def _mixed(matrix: Tensor, x: Tensor) -> Tensor:
    """Multiply the channels of images by a matrix, in their own precision under autocast, too."""
    return (matrix.to(x)[:, :, None, None] * x[:, None]).sum(2)


class PrincipalShape(ScheduledShape):
    """Noise with a gain of its own on each mode (principal color axis, spatial frequency).

    Args:
        gains: Function of (L_m (modes,), s(t) (T, 1)): the gains (T, modes), 0 or more.
        axes: The colors' principal axes, C orthonormal rows.
        spectrum: L_m, the variance of the data on each mode, (C, H, W // 2 + 1), as rfft2 lays it.
        width: W of the images.
        strength, schedule, normalize: As in ScheduledShape.

    Raises:
        ValueError: The axes are not orthonormal, the spectrum does not fit them, or schedule or normalize
            are unknown.
    """

    def __init__(
        self,
        gains: Callable[[Tensor, Tensor], Tensor],
        axes: Sequence[Sequence[float]],
        spectrum: Sequence[Sequence[Sequence[float]]],
        width: int,
        strength: float,
        schedule: Schedule,
        normalize: Normalize,
    ) -> None:
        super().__init__(strength, schedule, normalize)
        self.basis = PrincipalBasis(axes)
        self.channels = len(axes)
        self.spectrum = checked_spectrum(spectrum, self.channels, width)
        self.size: Size = (self.spectrum.shape[1], width)
        self._mode_gains = gains

    def modes(self, channels: int, size: Size) -> Tensor:
        """The place of each (principal axis, frequency) in (C, H, W // 2 + 1); f and -f are one mode."""
        return self.basis.modes(channels, size)

    def apply(self, x: Tensor, multipliers: Tensor) -> Tensor:
        """Multiply each mode by its own number."""
        return self.basis.apply(x, multipliers)

    def _gains(self, betas: Tensor, size: Size) -> Tensor:
        if size != self.size:
            raise ValueError(
                f"the spectrum is that of images of {self.size[0]} x {self.size[1]}, these are "
                f"{size[0]} x {size[1]}; take the spectrum of their own data"
            )
        return self._mode_gains(self.spectrum.flatten(), self.strengths(betas)[:, None])


def checked_spectrum(spectrum: Any, channels: int, width: int) -> Tensor:
    """Return a spectrum as float64 (C, H, W // 2 + 1).

    Raises:
        ValueError: It has another shape, or a variance is negative or not finite.
    """
    spectrum = torch.as_tensor(np.array(spectrum), dtype=torch.float64)
    if spectrum.ndim != 3 or (spectrum.shape[0], spectrum.shape[2]) != (channels, width // 2 + 1):
        raise ValueError(
            f"the spectrum of {channels} channels and width {width} is (C, H, W // 2 + 1), "
            f"not {tuple(spectrum.shape)}"
        )
    if not bool(((spectrum >= 0) & spectrum.isfinite()).all()):
        raise ValueError("the variances of a spectrum are finite and not negative")
    return spectrum
