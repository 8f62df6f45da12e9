"""Settings of a model and of its training: what a trained model depends on."""

import math
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from shapednoise.config.base import Settings

FEW_WARMUPS = 4  # a training of fewer is hardly at its peak rate
LARGEST_WINDOW = 1 / 3  # of the training, that the average of the weights may reach back over
SNAPSHOTS = "snapshots"  # folder in that of a model


def snapshot_folder(epoch: float | None) -> str:
    """Where in a model's folder the weights of a snapshot are, `/snapshots/epoch3`; empty: of the end."""
    return f"/{SNAPSHOTS}/epoch{epoch:g}" if epoch else ""


class PrecisionSettings(Settings):
    """Numbers of the network's forward pass under autocast; weights and loss stay float32."""

    cuda: Literal["fp32", "fp16", "bf16"] = Field(
        "fp16", description="On a GPU (the paper trains and samples in fp16)."
    )
    cpu: Literal["fp32", "auto"] = Field(
        "fp32", description="On a CPU; auto: bf16 where the processor multiplies it natively, else fp32."
    )


Fraction = Annotated[float, Field(ge=0, lt=1)]


class UNetSettings(Settings):
    """The denoiser, a diffusers UNet2DModel."""

    channels: tuple[Annotated[int, Field(ge=1, le=8192)], ...] = Field(
        min_length=1, max_length=8, description="Channels of each level, finest first."
    )
    layers_per_block: int = Field(2, ge=1, le=32, description="Residual blocks a level.")
    attention_levels: tuple[int, ...] = Field((), description="Levels with self-attention, 1 is the finest.")
    norm_groups: int = Field(32, ge=1, description="Groups of each group normalisation.")

    @model_validator(mode="after")
    def _fits(self) -> "UNetSettings":
        for channels in self.channels:
            if channels % self.norm_groups:
                raise ValueError(f"channels {channels} is no multiple of norm_groups {self.norm_groups}")
        for level in self.attention_levels:
            if not 1 <= level <= len(self.channels):
                raise ValueError(f"attention level {level} is outside 1..{len(self.channels)}")
        return self


class ScheduleSettings(Settings):
    """The variance schedule: beta_t rises linearly from beta_start to beta_end."""

    timesteps: int = Field(1000, ge=2, le=100_000, description="T, the number of training timesteps.")
    beta_start: float = Field(1e-4, gt=0, lt=1, description="beta of the first timestep.")
    beta_end: float = Field(0.02, gt=0, lt=1, description="beta of the last timestep.")

    def for_diffusers(self) -> dict[str, Any]:
        """The same under the names of diffusers' schedulers, which linear_betas takes too."""
        return {
            "beta_start": self.beta_start,
            "beta_end": self.beta_end,
            "num_train_timesteps": self.timesteps,
        }

    @model_validator(mode="after")
    def _rises(self) -> "ScheduleSettings":
        if self.beta_end < self.beta_start:
            raise ValueError(f"beta_end {self.beta_end:g} is below beta_start {self.beta_start:g}; swap them")
        return self


class EMASettings(Settings):
    """Exponential moving average of the weights; samples are drawn with it."""

    decay: float = Field(0.9999, ge=0, lt=1, description="Largest decay.")
    inverse_gamma: float = Field(
        1.0, gt=0, description="Warm-up: decay = 1 - (1 + step / inverse_gamma)^-power."
    )
    power: float = Field(0.75, gt=0, description="Exponent of the warm-up.")


class TrainingSettings(Settings):
    """Everything that training sees besides data, noise and seed."""

    unet: UNetSettings = Field(description="The network.")
    schedule: ScheduleSettings = Field(ScheduleSettings(), description="Timesteps and variances.")
    prediction: Literal["epsilon", "v_prediction"] = Field(
        "epsilon", description="What the network predicts: the shaped noise, or v (Salimans and Ho 2022)."
    )
    ema: EMASettings = Field(EMASettings(), description="Average of the weights.")
    precision: PrecisionSettings = Field(PrecisionSettings(), description="Numbers of the forward pass.")
    epochs: float = Field(gt=0, le=1e6, description="Passes over the data set; a fraction is allowed.")
    snapshots: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        (), description="Epochs after which the averaged weights are kept, besides those of the end."
    )
    batch_size: int = Field(128, ge=1, le=100_000, description="Images a step.")
    learning_rate: float = Field(1e-4, gt=0, description="Peak learning rate of AdamW.")
    adam_betas: tuple[Fraction, Fraction] = Field((0.95, 0.999), description="Betas of AdamW.")
    weight_decay: float = Field(1e-6, ge=0, description="Decoupled weight decay of AdamW.")
    warmup_steps: int = Field(500, ge=0, description="Steps of linear warm-up before the cosine decay.")
    clip_norm: float = Field(1.0, gt=0, description="Largest norm of the gradient.")
    horizontal_flips: bool = Field(True, description="Mirror each image with probability 1/2.")

    @model_validator(mode="after")
    def _ends_after_its_snapshots(self) -> "TrainingSettings":
        if self.snapshots and max(self.snapshots) > self.epochs:
            raise ValueError(f"a snapshot after {max(self.snapshots):g} of {self.epochs:g} epochs; remove it")
        return self

    def steps(self, images: int) -> int:
        """The steps of a training on so many images."""
        return math.ceil(self.epochs * images / self.batch_size)

    def unfit(self, images: int, needed: int = 0) -> str:
        """What cannot work with so many images, of which the scores need so many; empty: nothing."""
        problems = []
        if images < needed:
            remedy = "lower scoring.kid_subset_size (or reference_images)"
            problems.append(f"the scores need {needed} images, there are {images}; {remedy}")
        if self.steps(images) <= self.warmup_steps:
            problems.append(f"{self._length(images)}, no more than the warm-up; {self._remedy(images)}")
        return "; ".join(problems)

    def doubts(self, images: int) -> list[str]:
        """What will work badly with so many images, a sentence each."""
        steps, found = self.steps(images), []
        if steps < FEW_WARMUPS * self.warmup_steps:
            found.append(f"{self._length(images)}, few beside the warm-up; {self._remedy(images)}.")
        ramp = (1 + steps / self.ema.inverse_gamma) ** self.ema.power
        window = min(ramp, 1 / (1 - self.ema.decay))
        if window > LARGEST_WINDOW * steps:
            found.append(
                f"The average of the weights reaches back over about {window:.0f} of {steps} steps, to an "
                "early network; raise training.epochs or lower ema.power."
            )
        return found

    def _length(self, images: int) -> str:
        return f"{self.epochs:g} epochs of {images} images are {self.steps(images)} steps"

    def _remedy(self, images: int) -> str:
        epochs = math.ceil(FEW_WARMUPS * self.warmup_steps * self.batch_size / images)
        return f"raise training.epochs to {epochs} or more, or lower warmup_steps from {self.warmup_steps}"
