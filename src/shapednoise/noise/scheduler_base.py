"""What the shaped schedulers share: the noise process, and the combination of a reverse step."""

import inspect
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar, get_args

import torch
from diffusers import SchedulerMixin
from diffusers.schedulers.scheduling_ddpm import DDPMSchedulerOutput
from diffusers.utils.torch_utils import randn_tensor
from torch import Tensor

from shapednoise.noise import Reading
from shapednoise.noise.bases import Size
from shapednoise.noise.denoising_variance import GREY_LEVEL, DenoisingVariance
from shapednoise.noise.operators import BASELINE
from shapednoise.noise.process import ShapedProcess, size_of
from shapednoise.noise.reverse_step import Step
from shapednoise.noise.shape import SHAPE_VERSION, make_shape

Shape = Mapping[str, Any]
Generators = torch.Generator | list[torch.Generator] | None
Scheduler = TypeVar("Scheduler", bound="ShapedScheduler")
Output = DDPMSchedulerOutput | tuple[Tensor, Tensor]
CLIPPED = 2 * GREY_LEVEL * math.sqrt(math.pi / 2)  # deviation of noise with a mean size of two grey levels


class ShapedScheduler:
    """Base class of the shaped schedulers: `class Shaped...(ShapedScheduler, the diffusers scheduler)`.

    Attributes:
        process: The noise process: shapes and whitens noise, gives targets and loss.
        denoising: Var[x_0 | x_t], where the variance of the steps is optimal, else None.
    """

    process: ShapedProcess
    denoising: DenoisingVariance | None = None

    @property
    def compatibles(self) -> list[type["ShapedScheduler"]]:
        """The schedulers that `from_config` can make of this one's config: those that keep its shape."""
        return ShapedScheduler.__subclasses__()

    @classmethod
    def _get_compatibles(cls) -> list[type[SchedulerMixin]]:
        """The classes whose settings `from_config` leaves out without a warning, diffusers' own included."""
        return [*super()._get_compatibles(), *ShapedScheduler.__subclasses__()]

    def _init_process(self, shape: Shape | None, reading: Reading) -> None:
        """Make the process and register the shape in the config."""
        if reading not in get_args(Reading):
            raise ValueError(f"reading {reading!r}: use one of {', '.join(get_args(Reading))}")
        described = {"operator": BASELINE, "version": SHAPE_VERSION, **(shape or {})}
        made = make_shape(**described)
        if made.blurs and reading != "exact":
            raise ValueError(f"a noise that blurs has the reading 'exact' only, not {reading!r}; set it")
        self.process = ShapedProcess(made, self.betas, reading == "exact", self.config.prediction_type)
        self.register_to_config(shape=_plain(described))

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
        self.register_to_config(denoising_variance=_plain(described))

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
        at_most = CLIPPED if later <= clipped else math.inf
        if not clipped:
            at_most = math.inf
        elif u < 0:
            at_most = 0.0
        scalar = self.config.variance_type == "optimal_scalar"
        noise = self.denoising.noise(self.process, t, step.noise, step.x0, scalar, at_most)
        return replace(step, noise=noise)

    def predict_noise(self, model_output: Tensor, timestep: int, sample: Tensor) -> Tensor:
        """Compute the shaped noise n_t that the network sees in a sample.

        Args:
            model_output: The network's output, (B, C, H, W).
            timestep: That of `sample`.
            sample: x_t, (B, C, H, W).
        """
        if self.config.prediction_type == "epsilon":
            return model_output
        signal = self.alphas_cumprod[timestep]
        blurred = self.process.blur(self._predict_x0(model_output, timestep, sample), timestep)
        return (sample - signal**0.5 * blurred) / (1 - signal) ** 0.5

    def shape_noise(self, white: Tensor, timesteps: Tensor | int) -> Tensor:
        """Compute the noise that is added at each timestep and that the network predicts.

        Args:
            white: White noise (B, C, H, W).
            timesteps: One for all images, or (B,).
        """
        return self.process.shape_noise(white, timesteps)

    def prior(self, white: Tensor) -> Tensor:
        """Compute the noise that sampling starts from, of white noise (B, C, H, W)."""
        return self.process.prior(white)

    def add_noise(self, original_samples: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
        """Compute x_t of images; it is diffusers', but for modes that have no noise (left out).

        Args:
            original_samples: Images (B, C, H, W).
            noise: Shaped noise, by `shape_noise`.
            timesteps: (B,).
        """
        return self.process.add_noise(original_samples, noise, timesteps)

    def training_target(self, x0: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
        """Compute what the network is trained to output (Eq. 4 of SDM).

        Args:
            x0: Images (B, C, H, W).
            noise: Shaped noise, by `shape_noise`.
            timesteps: (B,).
        """
        return self.process.target(x0, noise, timesteps)

    def _combine(
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
            result = result + self._apply_noise(white, step.noise)
        return result

    def _apply_noise(self, white: Tensor, deviations: Tensor) -> Tensor:
        if self.denoising is None:
            return self._multiply(white, deviations)
        return self.denoising.basis.apply(white, deviations[None])

    def _multiply(self, x: Tensor, multipliers: Tensor) -> Tensor:
        modes = self.process.noise_gains(size_of(x)).values.shape[1]
        return self.process.shape.apply(x, multipliers.to(x).expand(1, modes))

    def _predict_x0(self, model_output: Tensor, t: int, sample: Tensor) -> Tensor:
        """x_0 of the network's output, before any clamp."""
        signal = self.alphas_cumprod[t]
        prediction_type = self.config.prediction_type
        if prediction_type == "sample":
            return self.process.project(model_output, t)
        if prediction_type == "epsilon":
            x0 = (sample - (1 - signal) ** 0.5 * model_output) / signal**0.5
        else:
            x0 = signal**0.5 * sample - (1 - signal) ** 0.5 * model_output
        return self.process.sharpen(self.process.project(x0, t), t)

    def _clamp(self, x0: Tensor, t: int) -> Tensor:
        limit = self.config.clip_sample_range
        if self.config.clip_sample:
            x0 = self.process.shape_noise(self.process.whiten(x0, t).clamp(-limit, limit), t)
        return x0.clamp(-limit, limit) if self.config.clip_data else x0

    def _model_output(self, x0: Tensor, t: int, sample: Tensor) -> Tensor:
        """The network's output that predicts this x_0."""
        if self.config.prediction_type == "sample":
            return x0
        signal, x0 = self.alphas_cumprod[t], self.process.blur(x0, t)
        if self.config.prediction_type == "epsilon":
            return (sample - signal**0.5 * x0) / (1 - signal) ** 0.5
        return (signal**0.5 * sample - x0) / (1 - signal) ** 0.5


def convert_scheduler(
    scheduler: SchedulerMixin, shape: Shape | None, reading: Reading = "published"
) -> ShapedScheduler:
    """Make the shaped counterpart of a diffusers scheduler: its betas, timesteps, prediction type, clamp.

    Args:
        scheduler: A DDPMScheduler, DDIMScheduler or DPMSolverMultistepScheduler.
        shape: The noise shape as a dictionary; None: white.
        reading: The formulation of the reverse process.

    Raises:
        ValueError: The kind of scheduler has no counterpart, or an option that is on there is
            unknown to the counterpart.
    """
    counterparts = {kind.__bases__[1].__name__: kind for kind in ShapedScheduler.__subclasses__()}
    name = type(scheduler).__name__
    if name not in counterparts:
        raise ValueError(f"{name} has no shaped counterpart; convert one of {', '.join(counterparts)}")
    shaped = counterparts[name]
    defaults, known = _init_parameters(type(scheduler)), _init_parameters(shaped)
    for key, value in scheduler.config.items():
        if key in defaults and key not in known and value != defaults[key].default:
            raise ValueError(f"{name} has {key} = {value!r}, which {shaped.__name__} does not know")
    return with_scheduler(scheduler, shaped, shape=shape, reading=reading)


def with_scheduler(scheduler: SchedulerMixin, kind: type[Scheduler], **changes: Any) -> Scheduler:
    """Make a scheduler of another kind with the same settings.

    Args:
        scheduler: The one whose settings are taken, as far as the other kind knows them.
        kind: The class of the new one.
        changes: Settings that differ.
    """
    known = _init_parameters(kind)
    kept = {key: value for key, value in scheduler.config.items() if key in known}
    return kind(**(kept | changes))


def _init_parameters(kind: type[SchedulerMixin]) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(kind.__init__).parameters


def _plain(value: Any) -> Any:
    """The same in dictionaries, lists and numbers, as JSON keeps it."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, Tensor):
        return value.tolist()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value
