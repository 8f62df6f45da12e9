"""Shaped noise as diffusers schedulers: DDPM, DDIM and DPM-Solver++ whose noise has a shape.

Training differs from diffusers' in one line, `noise = scheduler.shape_noise(white, timesteps)`;
`add_noise` and the loss against `noise` stay as they are. Sampling starts from
`scheduler.prior(white)` instead of white noise and calls `step` as usual.

Each scheduler is a subclass of diffusers' and takes, beyond what it knows from there,

    shape: a noise shape as a dictionary, such as {"operator": "sdm", "strength": -0.4, "axis": v};
        the parameters of each operator are those of its function in noise/shape.py. None: white.
    reading: `published` (whiten, step, shape by S_t again), `equations` (Eq. 5-7 of SDM: shape by
        the S of the timestep arrived at) or `exact` (the true process of Eq. 2-3, mode by mode).
    clip_sample: clamp the predicted x_0 to +-clip_sample_range in whitened coordinates, as the
        published code does (for white noise these are the data's).
    clip_data: clamp it in the data's own coordinates.

What is exact and what is approximate about a step is said in noise/steps.py.
"""

import inspect
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Literal

import torch
from diffusers import (
    DDIMScheduler,
    DDPMScheduler,
    DPMSolverMultistepScheduler,
    SchedulerMixin,  # diffusers also looks for it here when it loads a saved pipeline
)
from diffusers.configuration_utils import register_to_config
from diffusers.schedulers.scheduling_ddpm import DDPMSchedulerOutput
from diffusers.utils.torch_utils import randn_tensor
from torch import Tensor

from shapednoise.noise.process import Prediction, ShapedProcess, size_of
from shapednoise.noise.reverse_step import Reading, Rule, Step, Variance, ancestral, ddim, dpm_solver, read
from shapednoise.noise.shape import SHAPE_VERSION, Size, make_shape

Spacing = Literal["linspace", "leading", "trailing"]
Shape = Mapping[str, Any]
Generators = torch.Generator | list[torch.Generator] | None
Output = DDPMSchedulerOutput | tuple[Tensor, Tensor]


class ShapedScheduler:
    """What the three schedulers share: the process, and the combination of a reverse step."""

    process: ShapedProcess

    def _shape(self, shape: Shape | None, reading: Reading) -> None:
        """Make the process and register the shape in the config."""
        if reading not in ("published", "equations", "exact"):
            raise ValueError(f"reading {reading!r}: use 'published', 'equations' or 'exact'")
        described = {"operator": "ddpm", "version": SHAPE_VERSION, **(shape or {})}
        self.process = ShapedProcess(
            make_shape(**described), self.betas, reading == "exact", self.config.prediction_type
        )
        self.register_to_config(shape=_plain(described))

    def shape_noise(self, white: Tensor, timesteps: Tensor | int) -> Tensor:
        """The noise that is added at each timestep and that the network predicts, from white noise."""
        return self.process.shape_noise(white, timesteps)

    def prior(self, white: Tensor) -> Tensor:
        """The noise that sampling starts from, from white noise (B, C, H, W)."""
        return self.process.prior(white)

    def add_noise(self, original_samples: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
        """x_t of images with shaped noise; diffusers', but for modes that have no noise (left out)."""
        return self.process.add_noise(original_samples, noise, timesteps)

    def training_target(self, x0: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
        """What the network is trained to output; `noise` is the shaped noise (Eq. 4 of SDM)."""
        return self.process.target(x0, noise, timesteps)

    def _read(self, rule: Rule, t: int, u: int, size: Size) -> Step:
        return read(self.process, self.config.reading, rule, t, u, size)

    def _reverse(
        self,
        step: Step,
        x0: Tensor,
        sample: Tensor,
        generator: Generators,
        white: Tensor | None = None,
    ) -> Tensor:
        """x_u from x_0 and x_t: the step's numbers, mode by mode; `previous` is left to the caller."""
        result = self._multiply(x0, step.x0) + self._multiply(sample, step.xt)
        if bool((step.noise > 0).any()):
            if white is None:
                white = randn_tensor(sample.shape, generator, device=sample.device, dtype=sample.dtype)
            result = result + self._multiply(white, step.noise)
        return result

    def _multiply(self, x: Tensor, multipliers: Tensor) -> Tensor:
        modes = self.process.noise_gains(size_of(x)).values.shape[1]
        return self.process.shape.apply(x, multipliers.to(x).expand(1, modes))

    def _predict_x0(self, model_output: Tensor, t: int, sample: Tensor) -> Tensor:
        """x_0 of the network's output, before any clamp."""
        signal = self.alphas_cumprod[t]
        kind = self.config.prediction_type
        if kind == "epsilon":
            x0 = (sample - (1 - signal) ** 0.5 * model_output) / signal**0.5
        elif kind == "v_prediction":
            x0 = signal**0.5 * sample - (1 - signal) ** 0.5 * model_output
        else:
            x0 = model_output
        return self.process.project(x0, t)

    def _clamp(self, x0: Tensor, t: int) -> Tensor:
        limit = self.config.clip_sample_range
        if self.config.clip_sample:
            x0 = self.process.shape_noise(self.process.whiten(x0, t).clamp(-limit, limit), t)
        return x0.clamp(-limit, limit) if self.config.clip_data else x0

    def _output_of(self, x0: Tensor, t: int, sample: Tensor) -> Tensor:
        """The network's output that predicts this x_0."""
        signal = self.alphas_cumprod[t]
        if self.config.prediction_type == "epsilon":
            return (sample - signal**0.5 * x0) / (1 - signal) ** 0.5
        if self.config.prediction_type == "v_prediction":
            return (signal**0.5 * sample - x0) / (1 - signal) ** 0.5
        return x0


class ShapedDDPMScheduler(ShapedScheduler, DDPMScheduler):
    """Ancestral sampling with shaped noise (Ho et al. 2020), under one of three readings.

    Parameters: those of DDPMScheduler that are listed, and those of this module's docstring. With
    strength 0, `published` and `equations` are DDPMScheduler to the last bit.
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
        variance_type: Variance = "fixed_small",
        clip_sample: bool = True,
        prediction_type: Prediction = "epsilon",
        clip_sample_range: float = 1.0,
        timestep_spacing: Spacing = "leading",
        steps_offset: int = 0,
        shape: Shape | None = None,
        reading: Reading = "published",
        clip_data: bool = False,
    ) -> None:
        if variance_type not in ("fixed_small", "fixed_large"):
            raise ValueError(f"variance_type {variance_type!r}: use 'fixed_small' or 'fixed_large'")
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
        self._shape(shape, reading)

    def coefficients(self, size: Size) -> list[tuple[int, Step]]:
        """Every timestep of `self.timesteps` with its step's numbers for images of `size` (H, W)."""
        times = self.timesteps.tolist()
        return [(t, self._step(t, int(self.previous_timestep(t)), size)) for t in times]

    def step(
        self,
        model_output: Tensor,
        timestep: Tensor | int,
        sample: Tensor,
        generator: Generators = None,
        return_dict: bool = True,
    ) -> Output:
        """One reverse step from `timestep` to the next one of `self.timesteps`.

        model_output and sample: (B, C, H, W) in the data's coordinates (not whitened).
        Returns the sample and the predicted x_0, both in the data's coordinates.
        """
        t = int(timestep)
        u = int(self.previous_timestep(t))
        if self.config.reading == "exact":
            x0 = self._clamp(self._predict_x0(model_output, t, sample), t)
            previous = self._reverse(self._step(t, u, size_of(sample)), x0, sample, generator)
        else:
            previous, x0 = self._step_whitened(model_output, t, u, sample, generator)
        return DDPMSchedulerOutput(previous, x0) if return_dict else (previous, x0)

    def _step(self, t: int, u: int, size: Size) -> Step:
        return self._read(partial(ancestral, t=t, u=u, variance=self.config.variance_type), t, u, size)

    def _step_whitened(self, model_output, t, u, sample, generator) -> tuple[Tensor, Tensor]:
        """Whiten, take diffusers' own DDPM step, shape again (Eq. 5-7 of SDM)."""
        if self.config.clip_data:
            limit = self.config.clip_sample_range
            x0 = self._predict_x0(model_output, t, sample).clamp(-limit, limit)
            model_output = self._output_of(x0, t, sample)
        whiten = self.process.whiten
        previous, x0 = DDPMScheduler.step(
            self, whiten(model_output, t), t, whiten(sample, t), generator=generator, return_dict=False
        )
        arrival = t if self.config.reading == "published" else max(u, 0)
        return self.shape_noise(previous, arrival), self.shape_noise(x0, t)


class ShapedDDIMScheduler(ShapedScheduler, DDIMScheduler):
    """DDIM with shaped noise (Song et al. 2021), eta in [0, 1].

    Parameters: those of DDIMScheduler that are listed, `eta`, and those of this module's docstring.
    With strength 0 it is DDIMScheduler up to rounding. As there, a step goes T // steps timesteps
    back whatever the spacing, and the last one to the clean data.
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
        clip_sample: bool = True,
        prediction_type: Prediction = "epsilon",
        clip_sample_range: float = 1.0,
        timestep_spacing: Spacing = "leading",
        steps_offset: int = 0,
        eta: float = 0.0,
        shape: Shape | None = None,
        reading: Reading = "published",
        clip_data: bool = False,
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
        self._shape(shape, reading)

    def coefficients(self, size: Size) -> list[tuple[int, Step]]:
        """Every timestep of `self.timesteps` with its step's numbers for images of `size` (H, W)."""
        return [(t, self._step(t, self.config.eta, size)) for t in self.timesteps.tolist()]

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
        """One reverse step; eta None: that of the config. Shapes and result as in ShapedDDPMScheduler.

        use_clipped_model_output: take the noise in x_t from the clamped x_0, not from the output.
        """
        eta = self.config.eta if eta is None else _check_eta(eta)
        t = int(timestep)
        predicted = self._predict_x0(model_output, t, sample)
        x0 = self._clamp(predicted, t)
        step = self._step(t, eta, size_of(sample))
        previous = self._reverse(step, x0, sample, generator, variance_noise)
        if not use_clipped_model_output and x0 is not predicted:
            previous = previous + self._multiply(x0 - predicted, step.xt * self.process.white_marginal(t)[0])
        return DDPMSchedulerOutput(previous, x0) if return_dict else (previous, x0)

    def _step(self, t: int, eta: float, size: Size) -> Step:
        if self.num_inference_steps is None:
            raise ValueError("the number of steps is not set; call set_timesteps first")
        u = max(t - self.config.num_train_timesteps // self.num_inference_steps, -1)
        return self._read(partial(ddim, t=t, u=u, eta=eta), t, u, size)


class ShapedDPMSolverScheduler(ShapedScheduler, DPMSolverMultistepScheduler):
    """DPM-Solver++ with shaped noise: multistep, second order, midpoint (Lu et al. 2022).

    Parameters: those of DPMSolverMultistepScheduler that are listed, and those of this module's
    docstring; clip_sample is off by default, as diffusers' has no clamp (`from_config` of a scheduler
    that has it on takes it along). With strength 0
    it is DPMSolverMultistepScheduler up to rounding.
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
        self._shape(shape, reading)

    def set_timesteps(self, num_inference_steps: int | None = None, *arguments: Any, **options: Any) -> None:
        """As diffusers'. Raises ValueError for so many steps that timesteps would repeat."""
        super().set_timesteps(num_inference_steps, *arguments, **options)
        if len(set(self.timesteps.tolist())) < len(self.timesteps):
            raise ValueError(
                f"DPM-Solver++ with {self.config.timestep_spacing!r} spacing cannot take "
                f"{len(self.timesteps)} different steps; use fewer, at most half of the training timesteps"
            )

    def coefficients(self, size: Size) -> list[tuple[int, Step]]:
        """Every timestep of `self.timesteps` with its step's numbers for images of `size` (H, W)."""
        return [(t, self._step(i, size, i > 0)) for i, t in enumerate(self.timesteps.tolist())]

    def step(
        self,
        model_output: Tensor,
        timestep: Tensor | int,
        sample: Tensor,
        generator: Generators = None,
        variance_noise: Tensor | None = None,
        return_dict: bool = True,
    ) -> Output:
        """One reverse step; steps are taken in the order of `self.timesteps`.

        A step from the first of them begins a new trajectory. Nothing is random: generator and
        variance_noise are accepted as diffusers does and not used.
        """
        if self.step_index is None or int(timestep) == int(self.timesteps[0]):
            self._init_step_index(timestep)
            self._last_x0 = None
        index = self.step_index
        x0 = self._clamp(self._predict_x0(model_output, int(timestep), sample), int(timestep))
        step = self._step(index, size_of(sample), second_order=self._last_x0 is not None)
        previous = self._reverse(step, x0, sample, None)
        if self._last_x0 is not None:
            previous = previous + self._multiply(self._last_x0, step.previous)
        self._last_x0 = x0
        self._step_index += 1
        return DDPMSchedulerOutput(previous, x0) if return_dict else (previous, x0)

    def _step(self, index: int, size: Size, second_order: bool) -> Step:
        times = [*self.timesteps.tolist(), -1]
        t, u = times[index], times[index + 1]
        before = times[index - 1] if second_order else None
        return self._read(partial(dpm_solver, t=t, u=u, before=before), t, u, size)


SHAPED = {
    "DDPMScheduler": ShapedDDPMScheduler,
    "DDIMScheduler": ShapedDDIMScheduler,
    "DPMSolverMultistepScheduler": ShapedDPMSolverScheduler,
}
AnyShaped = ShapedDDPMScheduler | ShapedDDIMScheduler | ShapedDPMSolverScheduler


def convert_scheduler(
    scheduler: SchedulerMixin, shape: Shape | None, reading: Reading = "published"
) -> AnyShaped:
    """The shaped counterpart of a diffusers scheduler: its betas, timesteps, prediction type, clamp.

    Raises ValueError for a kind of scheduler that has no counterpart, and for an option that is on
    there and that the counterpart does not have.
    """
    name = type(scheduler).__name__
    if name not in SHAPED:
        raise ValueError(f"{name} has no shaped counterpart; convert one of {', '.join(SHAPED)}")
    defaults = inspect.signature(type(scheduler).__init__).parameters
    known = inspect.signature(SHAPED[name].__init__).parameters
    for key, value in scheduler.config.items():
        if key in defaults and key not in known and value != defaults[key].default:
            raise ValueError(f"{name} has {key} = {value!r}, which {SHAPED[name].__name__} does not know")
    return with_scheduler(scheduler, SHAPED[name], shape=shape, reading=reading)


def with_scheduler(scheduler: SchedulerMixin, kind: type[AnyShaped], **changes: Any) -> AnyShaped:
    """A scheduler of another kind with the same settings as far as it knows them, and with changes."""
    known = inspect.signature(kind.__init__).parameters
    kept = {key: value for key, value in scheduler.config.items() if key in known}
    return kind(**(kept | changes))


def _check_eta(eta: float) -> float:
    if not 0 <= eta <= 1:
        raise ValueError(f"eta {eta} is outside 0..1; 0 is deterministic, 1 ancestral")
    return eta


def _plain(value: Any) -> Any:
    """The same in dictionaries, lists and numbers, as JSON keeps it."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, Tensor):
        return value.tolist()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value
