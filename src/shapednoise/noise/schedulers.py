"""Shaped noise as diffusers schedulers: DDPM, DDIM and DPM-Solver++ whose noise has a shape.

Training differs from diffusers' in one line, `noise = scheduler.shape_noise(white, timesteps)`;
`add_noise` and the loss against `noise` stay as they are. Sampling starts from
`scheduler.prior(white)` instead of white noise and calls `step` as usual.

Each scheduler is a subclass of diffusers' and takes, beyond what it knows from there (options of
diffusers that it does not list are refused unless they are neutral),

- `shape`: a noise shape as a dictionary, such as `{"operator": "sdm", "strength": -0.4, "axis": v}`;
  `make_shape` says what it may hold. None: white.
- `reading`: `published` (whiten, step, shape by S_t again), `equations` (Eq. 5-7 of SDM: shape by
  the S of the timestep arrived at) or `exact` (the true process of Eq. 2-3, mode by mode).
- `clip_sample`: clamp the predicted x_0 to +-clip_sample_range in whitened coordinates, as the
  published code does (for white noise these are the data's).
- `clip_data`: clamp it in the data's own coordinates.
- `variance_type`: of the noise of a step; besides diffusers' values `optimal`, which makes a step exact for
  Gaussian data, and `optimal_scalar`, one number a step (noise/denoising_variance.py).
- `denoising_variance`: what an optimal variance is of, as DenoisingVariance.describe() gives it.
- `clipped_steps`: how many of the last steps with an optimal noise have it clipped; 0: none.

What is exact and what is approximate about a step is said in noise/reverse_step.py.
"""

from functools import partial
from itertools import pairwise
from typing import Literal, get_args

from diffusers import (
    DDIMScheduler,
    DDPMScheduler,
    DPMSolverMultistepScheduler,
    SchedulerMixin,
)
from diffusers.configuration_utils import register_to_config
from torch import Tensor

from shapednoise.noise import Prediction, Reading, Variance
from shapednoise.noise.bases import Size
from shapednoise.noise.process import size_of
from shapednoise.noise.reverse_step import Step, ancestral, ddim, dpm_solver, reverse_step
from shapednoise.noise.scheduler_base import (
    Generators,
    Output,
    Shape,
    ShapedScheduler,
    convert_scheduler,
    with_scheduler,
)

__all__ = [
    "SchedulerMixin",  # diffusers looks for it here when it loads a saved pipeline
    "ShapedDDIMScheduler",
    "ShapedDDPMScheduler",
    "ShapedDPMSolverScheduler",
    "convert_scheduler",
    "with_scheduler",
]

Spacing = Literal["linspace", "leading", "trailing"]


class ShapedDDPMScheduler(ShapedScheduler, DDPMScheduler):
    """Ancestral sampling with shaped noise (Ho et al. 2020), under one of three readings.

    Parameters: those of DDPMScheduler that are listed, and `shape` (a dictionary for `make_shape`),
    `reading`, `clip_data` and the variances that `help("shapednoise.noise.schedulers")` explains. With
    strength 0, `published` and `equations` are DDPMScheduler to the last bit.

    Raises:
        ValueError: A parameter is out of range.
    """

    @register_to_config
    def __init__(
        self,
        num_train_timesteps: int = 1000,
        beta_start: float = 0.0001,
        beta_end: float = 0.02,
        beta_schedule: str = "linear",
        trained_betas: list[float] | None = None,
        variance_type: Variance = "fixed_small",
        clip_sample: bool = True,
        prediction_type: Prediction = "epsilon",
        clip_sample_range: float = 1.0,
        timestep_spacing: Spacing = "leading",
        steps_offset: int = 0,
        shape: Shape | None = None,
        reading: Reading = "published",
        clip_data: bool = False,
        denoising_variance: Shape | None = None,
        clipped_steps: int = 1,
    ) -> None:
        variance_type = variance_type or "fixed_small"  # None in the config of a DPM-Solver
        if variance_type not in get_args(Variance):
            raise ValueError(f"variance_type {variance_type!r}: use one of {', '.join(get_args(Variance))}")
        DDPMScheduler.__init__(
            self,
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
        self._init_process(shape, reading)
        self._init_denoising(denoising_variance)

    def coefficients(self, size: Size) -> list[tuple[int, Step]]:
        """List every timestep of `self.timesteps` with its step's numbers for images of `size` (H, W)."""
        return [(t, self._coefficients_at(t, u, size)) for t, u in pairwise(self._times)]

    def step(
        self,
        model_output: Tensor,
        timestep: Tensor | int,
        sample: Tensor,
        generator: Generators = None,
        return_dict: bool = True,
    ) -> Output:
        """Take one reverse step from `timestep` to the next one of `self.timesteps`.

        Args:
            model_output: The network's output, (B, C, H, W), in the data's coordinates (not whitened).
            timestep: That of `sample`.
            sample: x_t, (B, C, H, W), in the data's coordinates.
            generator: One for all images, or one per image.
            return_dict: Whether to return an object, or a tuple.

        Returns:
            `prev_sample`, the next sample, and `pred_original_sample`, the predicted x_0 after the
            clamp, both in the data's coordinates.
        """
        model_output, t, x = self._begin(model_output, timestep, sample)
        u = self._times[self._index_of(t) + 1]
        if self.config.reading == "exact" or self.denoising:
            x0 = self._clamp(self._predict_x0(model_output, t, x), t)
            previous = self._combine(self._coefficients_at(t, u, size_of(x)), x0, x, generator)
        else:
            previous, x0 = self._step_whitened(model_output, t, u, x, generator)
        return self._end(previous, x0, sample, return_dict)

    def _coefficients_at(self, t: int, u: int, size: Size) -> Step:
        variance = "fixed_small" if self.denoising else self.config.variance_type
        solver = partial(ancestral, t=t, u=u, variance=variance)
        step = reverse_step(self.process, self.config.reading, solver, t, u, size)
        return self._with_optimal_noise(step, t, u, size)

    def _step_whitened(self, model_output, t, u, sample, generator) -> tuple[Tensor, Tensor]:
        """Whiten, take diffusers' own DDPM step, shape again (Eq. 5-7 of SDM)."""
        if self.config.clip_data:
            limit = self.config.clip_sample_range
            x0 = self._predict_x0(model_output, t, sample).clamp(-limit, limit)
            model_output = self._model_output(x0, t, sample)
        whiten = self.process.whiten
        previous, x0 = DDPMScheduler.step(
            self, whiten(model_output, t), t, whiten(sample, t), generator=generator, return_dict=False
        )
        arrival = t if self.config.reading == "published" else max(u, 0)
        return self.shape_noise(previous, arrival), self.shape_noise(x0, t)


class ShapedDDIMScheduler(ShapedScheduler, DDIMScheduler):
    """DDIM with shaped noise (Song et al. 2021), eta in [0, 1].

    Parameters: those of DDIMScheduler that are listed, `eta`, and `shape`, `reading` and `clip_data`, which
    `help("shapednoise.noise.schedulers")` explains.
    With strength 0 it is DDIMScheduler up to rounding. As there, a step goes T // steps timesteps
    back whatever the spacing; the last one goes to the clean data, also where that is farther.

    Raises:
        ValueError: A parameter is out of range.
    """

    @register_to_config
    def __init__(
        self,
        num_train_timesteps: int = 1000,
        beta_start: float = 0.0001,
        beta_end: float = 0.02,
        beta_schedule: str = "linear",
        trained_betas: list[float] | None = None,
        clip_sample: bool = True,
        prediction_type: Prediction = "epsilon",
        clip_sample_range: float = 1.0,
        timestep_spacing: Spacing = "leading",
        steps_offset: int = 0,
        eta: float = 0.0,
        shape: Shape | None = None,
        reading: Reading = "published",
        clip_data: bool = False,
        variance_type: Variance | None = None,
        denoising_variance: Shape | None = None,
        clipped_steps: int = 1,
    ) -> None:
        DDIMScheduler.__init__(
            self,
            num_train_timesteps=num_train_timesteps,
            beta_start=beta_start,
            beta_end=beta_end,
            beta_schedule=beta_schedule,
            trained_betas=trained_betas,
            clip_sample=clip_sample,
            prediction_type=prediction_type,
            clip_sample_range=clip_sample_range,
            timestep_spacing=timestep_spacing,
            steps_offset=steps_offset,
        )
        _check_eta(eta)
        self._init_process(shape, reading)
        self._init_denoising(denoising_variance)

    def coefficients(self, size: Size) -> list[tuple[int, Step]]:
        """List every timestep of `self.timesteps` with its step's numbers for images of `size` (H, W)."""
        return [(t, self._coefficients_at(t, self.config.eta, size)) for t in self.timesteps.tolist()]

    def step(
        self,
        model_output: Tensor,
        timestep: Tensor | int,
        sample: Tensor,
        eta: float | None = None,
        use_clipped_model_output: bool = False,
        generator: Generators = None,
        variance_noise: Tensor | None = None,
        return_dict: bool = True,
    ) -> Output:
        """Take one reverse step.

        Args:
            model_output: As in ShapedDDPMScheduler, and so are timestep, sample and return_dict.
            eta: In [0, 1]; None: that of the config.
            use_clipped_model_output: Whether to take the noise in x_t from the clamped x_0, not from
                the output.
            generator: One for all images, or one per image.
            variance_noise: White noise (B, C, H, W) to take instead of drawing it.

        Returns:
            As ShapedDDPMScheduler.step.
        """
        eta = self.config.eta if eta is None else _check_eta(eta)
        if generator is not None and variance_noise is not None:
            raise ValueError("give either a generator or the variance_noise itself, not both")
        model_output, t, x = self._begin(model_output, timestep, sample)
        predicted = self._predict_x0(model_output, t, x)
        x0 = self._clamp(predicted, t)
        step = self._coefficients_at(t, eta, size_of(x))
        previous = self._combine(step, x0, x, generator, variance_noise)
        if not use_clipped_model_output and x0 is not predicted:
            signal = self.process.marginal(t, size_of(x))[0]
            previous = previous + self._multiply(x0 - predicted, step.xt * signal)
        return self._end(previous, x0, sample, return_dict)

    def _coefficients_at(self, t: int, eta: float, size: Size) -> Step:
        if self.num_inference_steps is None:
            raise ValueError("the number of steps is not set; call set_timesteps first")
        u = max(t - self.config.num_train_timesteps // self.num_inference_steps, -1)
        u = -1 if t == self._times[-2] else u
        solver = partial(ddim, t=t, u=u, eta=eta)
        step = reverse_step(self.process, self.config.reading, solver, t, u, size)
        return self._with_optimal_noise(step, t, u, size)


class ShapedDPMSolverScheduler(ShapedScheduler, DPMSolverMultistepScheduler):
    """DPM-Solver++ with shaped noise: multistep, second order, midpoint (Lu et al. 2022).

    Parameters: those of DPMSolverMultistepScheduler that are listed, and those of this module's
    docstring; clip_sample is off by default, as diffusers' has no clamp (`from_config` takes it along
    where it was set). With strength 0 it is DPMSolverMultistepScheduler up to rounding.

    Raises:
        ValueError: A parameter is out of range.
    """

    @register_to_config
    def __init__(
        self,
        num_train_timesteps: int = 1000,
        beta_start: float = 0.0001,
        beta_end: float = 0.02,
        beta_schedule: str = "linear",
        trained_betas: list[float] | None = None,
        clip_sample: bool = False,
        prediction_type: Prediction = "epsilon",
        clip_sample_range: float = 1.0,
        timestep_spacing: Spacing = "linspace",
        steps_offset: int = 0,
        shape: Shape | None = None,
        reading: Reading = "published",
        clip_data: bool = False,
    ) -> None:
        DPMSolverMultistepScheduler.__init__(
            self,
            num_train_timesteps=num_train_timesteps,
            beta_start=beta_start,
            beta_end=beta_end,
            beta_schedule=beta_schedule,
            trained_betas=trained_betas,
            prediction_type=prediction_type,
            timestep_spacing=timestep_spacing,
            steps_offset=steps_offset,
        )
        self._init_process(shape, reading)

    def coefficients(self, size: Size) -> list[tuple[int, Step]]:
        """List every timestep of `self.timesteps` with its step's numbers for images of `size` (H, W)."""
        return [(t, self._coefficients_at(i, size, i > 0)) for i, t in enumerate(self._times[:-1])]

    def step(
        self,
        model_output: Tensor,
        timestep: Tensor | int,
        sample: Tensor,
        generator: Generators = None,
        variance_noise: Tensor | None = None,
        return_dict: bool = True,
    ) -> Output:
        """Take one reverse step; of second order if the step before arrived at `timestep`.

        Nothing is random: generator and variance_noise are accepted as diffusers does and not used. The
        other arguments and the result are as in ShapedDDPMScheduler.
        """
        model_output, t, x = self._begin(model_output, timestep, sample)
        index = self._index_of(t)
        goes_on = 0 < index == self._step_index
        x0 = self._clamp(self._predict_x0(model_output, t, x), t)
        step = self._coefficients_at(index, size_of(x), second_order=goes_on)
        previous = self._combine(step, x0, x, None)
        if goes_on:
            previous = previous + self._multiply(self._last_x0, step.previous)
        self._last_x0, self._step_index = x0, index + 1
        return self._end(previous, x0, sample, return_dict)

    def _coefficients_at(self, index: int, size: Size, second_order: bool) -> Step:
        t, u = self._times[index : index + 2]
        before = self._times[index - 1] if second_order else None
        solver = partial(dpm_solver, t=t, u=u, before=before)
        return reverse_step(self.process, self.config.reading, solver, t, u, size)


AnyShaped = ShapedDDPMScheduler | ShapedDDIMScheduler | ShapedDPMSolverScheduler


def _check_eta(eta: float) -> float:
    if not 0 <= eta <= 1:
        raise ValueError(f"eta {eta} is outside 0..1; 0 is deterministic, 1 ancestral")
    return eta
