"""Steps of a shaped scheduler with the variance that is optimal for Gaussian data."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor

from shapednoise.noise.bases import Size
from shapednoise.noise.denoising_variance import GREY_LEVEL, DenoisingVariance
from shapednoise.noise.process import ShapedProcess
from shapednoise.noise.reverse_step import Step

CLIPPED = 2 * GREY_LEVEL * math.sqrt(math.pi / 2)  # deviation of noise with a mean size of two grey levels


class OptimalNoise:
    """Part of a shaped scheduler: what an optimal variance is of, and the noise of its steps.

    Attributes:
        denoising: Var[x_0 | x_t], where the variance of the steps is optimal, else None.
    """

    process: ShapedProcess
    denoising: DenoisingVariance | None = None

    def _init_denoising(self, described: Mapping[str, Any] | None) -> None:
        """Make what an optimal variance is of, and register it in the config."""
        if not self._is_optimal:
            return
        if described is None:
            raise ValueError(
                f"variance_type {self.config.variance_type!r} needs denoising_variance, "
                "DenoisingVariance.describe() of the data's spectrum or of the network's errors"
            )
        if self.config.clipped_steps < 0:
            raise ValueError(f"clipped_steps {self.config.clipped_steps} is negative")
        self.denoising = DenoisingVariance(**described)
        self.register_to_config(denoising_variance=plain(described))

    @property
    def _is_optimal(self) -> bool:
        return str(getattr(self.config, "variance_type", "")).startswith("optimal")

    def noise_modes(self, channels: int, size: Size) -> Tensor:
        """Find the mode of each (principal color axis, frequency) in `Step.noise`, (C, H, W)."""
        basis = self.denoising.basis if self.denoising else self.process.shape
        return basis.modes(channels, size)

    def _with_optimal_noise(self, step: Step, t: int, u: int, size: Size) -> Step:
        """The step with the noise that makes it exact for Gaussian data, where that is asked for.

        Of the steps that add noise the last `clipped_steps` are clipped as in Analytic-DPM, and the step to
        the clean data adds none; with none clipped it adds its noise as well.
        """
        if self.denoising is None:
            return step
        if size != self.denoising.size:
            raise ValueError(
                f"denoising_variance is that of images of {self.denoising.size}, these are {size}; "
                "take that of their own data"
            )
        clipped = self.config.clipped_steps
        later = int((self.timesteps < t).sum())
        at_most = CLIPPED if u >= 0 else 0.0
        if not clipped or later > clipped:
            at_most = math.inf
        scalar = self.config.variance_type == "optimal_scalar"
        noise = self.denoising.noise(self.process, t, step.noise, step.x0, scalar, at_most)
        return replace(step, noise=noise)

    def _apply_noise(self, white: Tensor, deviations: Tensor) -> Tensor:
        if self.denoising is None:
            return self._multiply(white, deviations)
        return self.denoising.basis.apply(white, deviations[None])


def plain(value: Any) -> Any:
    """Return the same in dictionaries, lists and numbers, as JSON keeps it."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if hasattr(value, "tolist"):  # of torch or numpy
        return value.tolist()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(item) for item in value]
    return value
