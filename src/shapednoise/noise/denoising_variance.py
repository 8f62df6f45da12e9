"""The variance of x_0 given x_t, mode by mode, and the noise that makes a reverse step optimal.

For Gaussian data a reverse step is exact, however long it is, if its noise has on each mode the variance

    fixed_small + c_0^2 Var[x_0 | x_t],    Var[x_0 | x_t] = L V_t / (A_t L + V_t),

c_0 the step's coefficient of x_0, L the data's variance and V_t that of the noise. One number for all modes
is Analytic-DPM's (Bao et al. 2022, arXiv 2201.06503). For a trained network the variance is measured by its
own errors, (1 - A_t) / A_t E (n_t - n_hat)^2, the optimum for a mean that may be imperfect (Bao et al. 2022,
arXiv 2206.07309). For the best n_hat it is Analytic-DPM's (V_t / A_t)(1 - E n_hat^2 / h^2), h^2 the variance
of n_t, which at large t is a small difference of large numbers and needs many more images.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from shapednoise.noise.bases import Size
from shapednoise.noise.principal import PrincipalBasis, checked_spectrum
from shapednoise.noise.process import ShapedProcess
from shapednoise.noise.reverse_step import over

GREY_LEVEL = 2 / 255  # of images in [-1, 1]


class DenoisingVariance:
    """Var[x_0 | x_t] of each mode (principal color axis, spatial frequency).

    Args:
        axes: The colors' principal axes, C orthonormal rows; of grey images [[1]].
        spectrum: L_m, the variance of the data on each mode, (C, H, W // 2 + 1), as rfft2 lays it.
        width: W of the images.
        timesteps: Where a network was measured, rising, K of them; none: the closed form for Gaussian data.
        ratios: Of each, what the network leaves over of the closed form, by axis and ring, (K, C, rings),
            in [0, 1]; between the timesteps they are interpolated.

    Raises:
        ValueError: The shapes do not fit, or a number is out of range.
    """

    def __init__(
        self,
        axes: Sequence[Sequence[float]],
        spectrum: Any,
        width: int,
        timesteps: Sequence[int] = (),
        ratios: Any = (),
    ) -> None:
        self.basis = PrincipalBasis(axes)
        channels = len(axes)
        self.spectrum = checked_spectrum(spectrum, channels, width)
        self.size: Size = (self.spectrum.shape[1], width)
        self.timesteps, self.ratios = np.array(timesteps), np.array(ratios, dtype=np.float64)
        self.rings, self.weights = self.basis.rings(self.size), self.basis.weights(self.size)
        expected = (len(self.timesteps), channels, int(self.rings.max()) + 1)
        if len(self.timesteps) and self.ratios.shape != expected:
            raise ValueError(f"the measured ratios are {self.ratios.shape}; expected {expected}")
        if not ((self.ratios >= 0) & (self.ratios <= 1)).all():
            raise ValueError("the measured ratios lie in 0..1")

    @classmethod
    def of_data(cls, pca: Mapping[str, Any], spectrum: np.ndarray) -> "DenoisingVariance":
        """Make the closed form for a data set.

        Args:
            pca: Its colors' principal `axes` (analysis/pca.py).
            spectrum: Its power spectrum L_m, (C, H, W) (analysis/spectrum.py).
        """
        width = spectrum.shape[-1]
        return cls(pca["axes"], spectrum[..., : width // 2 + 1], width)

    def describe(self) -> dict[str, Any]:
        """The arguments as JSON keeps them, for a scheduler's config."""
        described = {
            "axes": self.basis.axes.tolist(),
            "spectrum": self.spectrum.tolist(),
            "width": self.size[1],
        }
        if len(self.timesteps):
            described |= {"timesteps": self.timesteps.tolist(), "ratios": self.ratios.round(5).tolist()}
        return described

    def of_gaussian_data(self, process: ShapedProcess, t: int) -> Tensor:
        """Compute L V_t / (A_t L + V_t), float64 (modes,); 0 on modes without noise.

        Args:
            process: The noise process that the network was trained with.
            t: The timestep.
        """
        signal, noise = process.marginal(t, self.size)
        noise = noise[self.shape_modes(process)]
        data = self.spectrum.flatten()
        return over(data * noise, signal**2 * data + noise)

    def at(self, process: ShapedProcess, t: int) -> Tensor:
        """Compute Var[x_0 | x_t], float64 (modes,): the network's if measured, else as `of_gaussian_data`."""
        variance = self.of_gaussian_data(process, t)
        if not len(self.timesteps):
            return variance
        last = len(self.timesteps) - 1
        place = float(np.interp(t, self.timesteps, np.arange(last + 1)))
        left = int(place)
        ratios = self.ratios[left] + (place - left) * (self.ratios[min(left + 1, last)] - self.ratios[left])
        return variance * torch.from_numpy(ratios)[:, self.rings].flatten()

    def shape_modes(self, process: ShapedProcess) -> Tensor:
        """Find the mode of the noise shape that each mode lies in, (modes,)."""
        modes = process.shape.modes(len(self.spectrum), self.size)
        return modes[..., : self.spectrum.shape[-1]].flatten()

    def noise(
        self,
        process: ShapedProcess,
        t: int,
        small: Tensor,
        x0: Tensor,
        scalar: bool,
        at_most: float = float("inf"),
    ) -> Tensor:
        """Compute the optimal deviation of a step's noise on each mode.

        Args:
            process: The noise process that the network was trained with.
            t: The timestep that the step starts from.
            small: The step's deviation under `fixed_small`, of each mode of the shape or ().
            x0: The step's coefficient of x_0, likewise.
            scalar: Whether one variance serves all modes, as in Analytic-DPM: its mean over the modes.
            at_most: What the deviation of a pixel's noise is limited to, unless `small` is above it already.

        Returns:
            float64 (modes,), at least `small`.
        """
        variance = self.at(process, t)
        if scalar:
            variance = torch.full_like(variance, float((variance * self.weights).sum()))
        modes = self.shape_modes(process)
        small, x0 = (value[modes] if value.ndim else value.expand(len(modes)) for value in (small, x0))
        added = x0**2 * variance
        room = max(at_most**2 - float((small**2 * self.weights).sum()), 0.0)
        total = float((added * self.weights).sum())
        return (small**2 + added * min(1.0, room / total if total else 1.0)).sqrt()


class DenoisingErrors:
    """Gathers what a network leaves over of the closed form, from its errors on noised images.

    Of each timestep, axis and ring it is the mean of (1 - A_t) / A_t E (n_t - n_hat)^2 over that of the
    closed form, in [0, 1]: no network needs to do worse than the best linear one.

    Args:
        variance: The closed form: the data's axes and spectrum.
        process: The noise process that the network was trained with.
    """

    def __init__(self, variance: DenoisingVariance, process: ShapedProcess) -> None:
        self.variance, self.process = variance, process
        self._ratios: dict[int, np.ndarray] = {}

    def add(self, t: int, errors: Tensor) -> None:
        """Take the errors at one timestep.

        Args:
            t: The timestep.
            errors: n_t - n_hat of noised training images, (N, C, H, W).

        Raises:
            ValueError: The images have another size than the spectrum.
        """
        if tuple(errors.shape[1:]) != (len(self.variance.spectrum), *self.variance.size):
            raise ValueError(
                f"errors of {tuple(errors.shape[1:])} do not fit the spectrum of "
                f"{(len(self.variance.spectrum), *self.variance.size)}"
            )
        signal, unit = self.process.white_marginal(t)
        left = unit / signal**2 * self.variance.basis.power(self.process.project(errors, t)).flatten()
        closed = self.variance.of_gaussian_data(self.process, t)
        sums = [self._by_ring(values) for values in (left, closed)]
        self._ratios[t] = np.clip(over(*sums).numpy(), 0, 1)

    def result(self) -> DenoisingVariance:
        """The measured variance; the timesteps may have come in any order."""
        times = sorted(self._ratios)
        return DenoisingVariance(
            self.variance.basis.axes.tolist(),
            self.variance.spectrum,
            self.variance.size[1],
            times,
            np.stack([self._ratios[t] for t in times]),
        )

    def _by_ring(self, values: Tensor) -> Tensor:
        weighted = (values * self.variance.weights).view(len(self.variance.spectrum), -1)
        rings = self.variance.rings
        sums = torch.zeros(len(weighted), int(rings.max()) + 1, dtype=torch.float64)
        return sums.index_add_(1, rings.flatten(), weighted)
