"""What the shaped schedulers share: the noise process, and the combination of a reverse step."""

import inspect
import warnings
from collections.abc import Mapping, Sequence
from functools import cache, wraps
from itertools import pairwise
from typing import Any, TypeVar, get_args

import torch
from diffusers import SchedulerMixin
from diffusers.schedulers.scheduling_ddpm import DDPMSchedulerOutput
from diffusers.utils.torch_utils import randn_tensor
from torch import Tensor

from shapednoise.noise import Reading, Variance
from shapednoise.noise.bases import in_float32
from shapednoise.noise.operators import BASELINE
from shapednoise.noise.optimal_noise import OptimalNoise, plain
from shapednoise.noise.process import ShapedProcess, size_of
from shapednoise.noise.reverse_step import Step
from shapednoise.noise.shape import SHAPE_VERSION, ShapeError, make_shape

Shape = Mapping[str, Any]
Generators = torch.Generator | list[torch.Generator] | None
Scheduler = TypeVar("Scheduler", bound="ShapedScheduler")
Output = DDPMSchedulerOutput | tuple[Tensor, Tensor]

# options of diffusers that change nothing here: the last step is of first order, and nothing is thresholded
WITHOUT_EFFECT = ("lower_order_final", "euler_at_final", "dynamic_thresholding_ratio", "sample_max_value")
MILLION = 13.8  # log odds of a million to one


class ShapedScheduler(OptimalNoise):
    """Base class of the shaped schedulers: `class Shaped...(ShapedScheduler, the diffusers scheduler)`.

    Attributes:
        process: The noise process: shapes and whitens noise, gives targets and loss.
    """

    process: ShapedProcess
    _warned = False  # of a start from white noise

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        init = cls.__init__

        @wraps(init)
        def init_with_others(self: "ShapedScheduler", *arguments: Any, **settings: Any) -> None:
            """Take diffusers' other options as well, where they say what holds anyway."""
            others = {name: settings.pop(name) for name in _others() if name in settings}
            _refuse(cls, others)
            init(self, *arguments, **settings)
            self.register_to_config(**others)

        cls.__init__ = init_with_others

    @classmethod
    def extract_init_dict(cls, config_dict: Mapping[str, Any], **changes: Any) -> tuple[dict, dict, dict]:
        """Find the constructor's arguments in a config, for `from_config` and `from_pretrained`.

        Raises:
            ValueError: An option of the config, or a change to it, has no shaped counterpart.
        """
        left_out = set(config_dict.get("_use_default_values", ())) - set(changes)
        given = {name: value for name, value in config_dict.items() if name not in left_out} | changes
        _refuse(cls, given)
        others = {name: changes.pop(name) for name in _others() if name in changes}
        merged = {**config_dict, **others, "_use_default_values": list(left_out)}
        return super().extract_init_dict(merged, **changes)

    def register_to_config(self, **settings: Any) -> None:
        """Add settings to the config; what the caller left out stays known as such, as in diffusers."""
        before = getattr(self, "_internal_dict", {}).get("_use_default_values")
        if "_use_default_values" not in settings and before:
            settings["_use_default_values"] = [name for name in before if name not in settings]
        elif hasattr(self, "_internal_dict"):  # by the base class, which is given all that the two share
            others = settings.pop("_use_default_values", [])
            if before:
                settings["_use_default_values"] = [*before, *others]
        super().register_to_config(**settings)

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
        if not isinstance(shape, Mapping | None):
            raise ShapeError(f"a noise shape is a mapping, not {shape!r}")
        described = {"operator": BASELINE, "version": SHAPE_VERSION, **(shape or {})}
        made = make_shape(**described)
        if made.blurs and reading != "exact":
            raise ValueError(f"a noise that blurs has the reading 'exact' only, not {reading!r}; set it")
        self.process = ShapedProcess(made, self.betas, reading == "exact", self.config.prediction_type)
        self.register_to_config(shape=plain(described))

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

    def set_timesteps(
        self,
        num_inference_steps: int | None = None,
        device: str | torch.device | None = None,
        timesteps: Sequence[int] | None = None,
    ) -> None:
        """Set the timesteps as diffusers does, without those below 0 that `trailing` can end with there.

        Args:
            num_inference_steps: Reverse steps, 1 or more.
            device: That of `timesteps`.
            timesteps: Instead of a number, the timesteps themselves, falling; not for DDIM.

        Raises:
            ValueError: The timesteps do not fall, or lie outside of the training's.
        """
        if num_inference_steps is not None and num_inference_steps < 1:
            raise ValueError(f"num_inference_steps is {num_inference_steps}; take 1 step or more")
        if timesteps is None:
            super().set_timesteps(num_inference_steps, device)
            self.timesteps = self.timesteps[self.timesteps >= 0]
        else:
            super().set_timesteps(num_inference_steps, device, timesteps=timesteps)
        times, last = self._times, self.process.last
        if times[0] > last or any(t <= u for t, u in pairwise(times)):
            raise ValueError(
                f"{len(times) - 1} steps, {self.config.timestep_spacing!r} spacing, steps_offset "
                f"{self.config.steps_offset}: no falling timesteps in 0..{last}; use fewer or no offset"
            )

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
        self.alphas_cumprod = self.alphas_cumprod.to(original_samples.device)  # training loops index it
        return self.process.add_noise(original_samples, noise, timesteps)

    def get_velocity(self, sample: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
        """Compute v = sqrt(A_t) n_t - sqrt(1 - A_t) x_0 of images `sample`, the other arguments as above."""
        return self.process.velocity(sample, noise, timesteps)

    def training_target(self, x0: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
        """Compute what the network is trained to output (Eq. 4 of SDM).

        Args:
            x0: Images (B, C, H, W).
            noise: Shaped noise, by `shape_noise`.
            timesteps: (B,).
        """
        return self.process.target(x0, noise, timesteps)

    @property
    def _times(self) -> list[int]:
        """The timesteps that are visited, and -1 for the clean data."""
        return [*map(int, self.timesteps.tolist()), -1]

    def _index_of(self, t: int) -> int:
        times = self.timesteps.tolist()
        if t not in times:
            raise ValueError(f"timestep {t} is none of those that set_timesteps chose")
        return times.index(t)

    def _begin(
        self, model_output: Tensor, timestep: Tensor | int, sample: Tensor
    ) -> tuple[Tensor, int, Tensor]:
        """The arguments of a step, checked; in float32 where they are in half precision."""
        t = int(timestep)
        if t != timestep or not 0 <= t <= self.process.last:
            raise ValueError(f"timestep {timestep} is no whole number in 0..{self.process.last}")
        if model_output.shape != sample.shape:
            raise ValueError(
                f"the network's output is {tuple(model_output.shape)}, the sample {tuple(sample.shape)}; "
                "they must have one shape (a learned variance is not supported)"
            )
        if not self._warned and t == int(self.timesteps[0]) and self.log_odds_of_white(sample) > MILLION:
            self._warned = True
            warnings.warn(
                "sampling starts from white noise, but this scheduler's noise is shaped: start from "
                "scheduler.prior(white), as ShapedDDPMPipeline does",
                stacklevel=3,  # the caller of `step`
            )
        return in_float32(model_output), t, in_float32(sample)

    def _end(self, previous: Tensor, x0: Tensor, sample: Tensor, return_dict: bool) -> Output:
        previous, x0 = previous.to(sample.dtype), x0.to(sample.dtype)
        return DDPMSchedulerOutput(previous, x0) if return_dict else (previous, x0)

    def log_odds_of_white(self, x: Tensor) -> float:
        """Compute log p(x | white noise) - log p(x | prior), of independent Gaussian modes.

        A draw from the prior exceeds c with a probability of at most exp(-c), for images of any size and
        number (Markov's inequality for the likelihood ratio). Gains are taken as 0.01 or more, which
        only lowers the value of such a draw.

        Args:
            x: A state at the first timestep, (B, C, H, W).
        """
        shape, size, x = self.process.shape, size_of(x), in_float32(x)
        gains = self.process.noise_gains(size).values[self.process.last].clamp(min=0.01)
        determinant = len(x) * gains.log()[shape.modes(x.shape[1], size)].sum()
        whitened = shape.apply(x, (1 / gains).to(x)[None])
        return float(determinant) + float((whitened**2 - x**2).sum()) / 2

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
    return counterparts[name].from_config(scheduler.config, shape=shape, reading=reading)


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


@cache
def _others() -> dict[str, Any]:
    """The options that diffusers' schedulers have and the shaped ones lack, with their neutral values."""
    kinds = ShapedScheduler.__subclasses__()
    known = {name for kind in kinds for name in _init_parameters(kind)}
    theirs = [_init_parameters(kind.__bases__[1]).items() for kind in kinds]
    return {name: option.default for options in theirs for name, option in options if name not in known}


def _refuse(kind: type[ShapedScheduler], settings: Mapping[str, Any]) -> None:
    """Raise ValueError for an option that has no shaped counterpart, unless it is neutral."""
    allowed = {name: (neutral,) for name, neutral in _others().items() if name not in WITHOUT_EFFECT}
    allowed["variance_type"] = (*get_args(Variance), None)  # None in the config of a DPM-Solver
    for name in allowed.keys() & settings.keys():
        if settings[name] not in allowed[name]:
            raise ValueError(
                f"{kind.__name__} cannot do {name} = {settings[name]!r}; use {name}={allowed[name][0]!r}"
            )


def _init_parameters(kind: type[SchedulerMixin]) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(kind.__init__).parameters
