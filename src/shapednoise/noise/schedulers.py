"""Shaped noise as a diffusers scheduler: a DDPMScheduler whose noise has a shape.

Training differs from diffusers' in one line, `noise = scheduler.shape_noise(white, timesteps)`;
`add_noise` and the loss against `noise` stay as they are. Sampling starts from
`scheduler.prior(white)` instead of white noise and calls `step` as usual.
"""

from typing import Literal

import torch
from diffusers import (
    DDPMScheduler,
    SchedulerMixin,  # noqa: F401  diffusers looks for it here when it loads a saved pipeline
)
from diffusers.configuration_utils import register_to_config
from diffusers.schedulers.scheduling_ddpm import DDPMSchedulerOutput
from diffusers.utils.torch_utils import randn_tensor
from torch import Tensor

from shapednoise.noise.process import ShapedProcess
from shapednoise.noise.shape import Operator, StrengthSchedule, make_shape


class ShapedDDPMScheduler(DDPMScheduler):
    """Ancestral DDPM sampling with shaped noise, under one of three readings (docs/noise.md).

    Parameters beyond DDPMScheduler's own:
        operator: `ddpm` (white), `sdm` or `hdm`.
        strength: s0, finite; > 0 squeezes, < 0 antisqueezes, 0 is white noise.
        strength_schedule: `beta` for s(t) = s0 beta_t / beta_max, or `constant`.
        axis: the unit vector v in colour space (sdm and hdm need it).
        reading: `published` (whiten, step, shape by S_t again), `equations` (Eq. 5-7 of SDM: shape
            by the S of the timestep arrived at) or `exact` (posterior of Eq. 2-3).
        clip_sample: diffusers' clamp of the predicted x_0; here it acts in whitened coordinates, as
            the published code does. False together with clip_data False: no clamp.
        clip_data: clamp the predicted x_0 in the data's own coordinates.

    With strength 0, `published` and `equations` are DDPMScheduler to the last bit.
    Raises ValueError for a parameter out of range.
    """

    @register_to_config
    def __init__(
        self,
        num_train_timesteps: int = 1000,
        beta_start: float = 0.0001,
        beta_end: float = 0.02,
        beta_schedule: str = "linear",
        trained_betas: list[float] | None = None,
        variance_type: Literal["fixed_small", "fixed_large"] = "fixed_small",
        clip_sample: bool = True,
        prediction_type: Literal["epsilon", "sample", "v_prediction"] = "epsilon",
        clip_sample_range: float = 1.0,
        timestep_spacing: Literal["linspace", "leading", "trailing"] = "leading",
        steps_offset: int = 0,
        operator: Operator = "ddpm",
        strength: float = 0.0,
        strength_schedule: StrengthSchedule = "beta",
        axis: list[float] | None = None,
        reading: Literal["published", "equations", "exact"] = "published",
        clip_data: bool = False,
    ) -> None:
        if variance_type not in ("fixed_small", "fixed_large"):
            raise ValueError(f"variance_type {variance_type!r}: use 'fixed_small' or 'fixed_large'")
        if reading not in ("published", "equations", "exact"):
            raise ValueError(f"reading {reading!r}: use 'published', 'equations' or 'exact'")
        super().__init__(
            num_train_timesteps=num_train_timesteps,
            beta_start=beta_start,
            beta_end=beta_end,
            beta_schedule=beta_schedule,
            trained_betas=trained_betas,
            variance_type=variance_type,
            clip_sample=clip_sample,
            prediction_type=prediction_type,
            clip_sample_range=clip_sample_range,
            timestep_spacing=timestep_spacing,
            steps_offset=steps_offset,
        )
        shape = make_shape(operator, strength, strength_schedule, axis)
        self.process = ShapedProcess(shape, self.betas, exact=reading == "exact")

    def shape_noise(self, white: Tensor, timesteps: Tensor | int) -> Tensor:
        """The noise that is added at each timestep and that the network predicts, from white noise."""
        return self.process.shape_noise(white, timesteps)

    def prior(self, white: Tensor) -> Tensor:
        """The noise that sampling starts from, from white noise (B, C, H, W)."""
        return self.process.prior(white)

    def training_target(self, x0: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
        """What the network is trained to output; `noise` is the shaped noise (Eq. 4 of SDM)."""
        if self.config.prediction_type == "epsilon":
            return noise
        if self.config.prediction_type == "v_prediction":
            return self.get_velocity(x0, noise, timesteps)
        return x0

    def step(
        self,
        model_output: Tensor,
        timestep: Tensor | int,
        sample: Tensor,
        generator: torch.Generator | list[torch.Generator] | None = None,
        return_dict: bool = True,
    ) -> DDPMSchedulerOutput | tuple[Tensor, Tensor]:
        """One reverse step from `timestep` to the next one of `self.timesteps`.

        model_output and sample: (B, C, H, W) in the data's coordinates (not whitened).
        Returns the sample and the predicted x_0, both in the data's coordinates.
        """
        t = int(timestep)
        u = int(self.previous_timestep(t))
        if self.config.clip_data:
            model_output = self._clamp_in_data(model_output, t, sample)
        step = self._step_exact if self.config.reading == "exact" else self._step_whitened
        previous, x0 = step(model_output, t, u, sample, generator)
        if not return_dict:
            return previous, x0
        return DDPMSchedulerOutput(prev_sample=previous, pred_original_sample=x0)

    def _step_whitened(self, model_output, t, u, sample, generator) -> tuple[Tensor, Tensor]:
        """Whiten, take diffusers' DDPM step, shape again (Eq. 5-7 of SDM)."""
        whiten = self.process.whiten
        previous, x0 = super().step(
            whiten(model_output, t), t, whiten(sample, t), generator=generator, return_dict=False
        )
        arrival = t if self.config.reading == "published" else max(u, 0)
        return self.shape_noise(previous, arrival), self.shape_noise(x0, t)

    def _step_exact(self, model_output, t, u, sample, generator) -> tuple[Tensor, Tensor]:
        """Draw from the posterior of Eq. 2-3, mode by mode."""
        x0 = self._predict_x0(model_output, t, sample)
        if self.config.clip_sample:
            limit = self.config.clip_sample_range
            x0 = self.shape_noise(self.process.whiten(x0, t).clamp(-limit, limit), t)
        mean_0, mean_t, variance, step_variance = self.process.posterior(t, u)
        if self.config.variance_type == "fixed_large":
            variance = step_variance
        previous = self._multiply(x0, mean_0) + self._multiply(sample, mean_t)
        if t > 0:
            white = randn_tensor(sample.shape, generator, device=sample.device, dtype=sample.dtype)
            previous = previous + self._multiply(white, variance.sqrt())
        return previous, x0

    def _multiply(self, x: Tensor, multipliers: Tensor) -> Tensor:
        return self.process.shape.apply(x, multipliers.to(x)[None])

    def _predict_x0(self, model_output: Tensor, t: int, sample: Tensor) -> Tensor:
        alpha = self.alphas_cumprod[t]
        if self.config.prediction_type == "epsilon":
            return (sample - (1 - alpha) ** 0.5 * model_output) / alpha**0.5
        if self.config.prediction_type == "v_prediction":
            return alpha**0.5 * sample - (1 - alpha) ** 0.5 * model_output
        return model_output

    def _clamp_in_data(self, model_output: Tensor, t: int, sample: Tensor) -> Tensor:
        """The model output that predicts the same x_0, clamped in the data's coordinates."""
        limit, alpha = self.config.clip_sample_range, self.alphas_cumprod[t]
        x0 = self._predict_x0(model_output, t, sample).clamp(-limit, limit)
        if self.config.prediction_type == "epsilon":
            return (sample - alpha**0.5 * x0) / (1 - alpha) ** 0.5
        if self.config.prediction_type == "v_prediction":
            return (alpha**0.5 * sample - x0) / (1 - alpha) ** 0.5
        return x0
