"""A diffusers pipeline that draws the shaped prior: `ShapedDDPMPipeline.from_pretrained(folder)()`."""

import inspect
import json
from collections.abc import Callable, Sequence
from numbers import Integral
from pathlib import Path
from typing import Any

import torch
from diffusers import DiffusionPipeline, ImagePipelineOutput, UNet2DModel
from diffusers.models.embeddings import TimestepEmbedding
from diffusers.utils.torch_utils import randn_tensor
from torch import Tensor

from shapednoise.noise import PIPELINE_CLASS, PIPELINE_CODE
from shapednoise.noise.scheduler_base import ShapedScheduler
from shapednoise.noise.schedulers import AnyShaped, with_scheduler
from shapednoise.noise.strengths import at_strength, labels_of

Generators = torch.Generator | Sequence[torch.Generator] | None
StepCallback = Callable[[int, Tensor], None]
PipelineCallback = Callable[[DiffusionPipeline, int, int, dict[str, Tensor]], dict[str, Tensor] | None]
OUTPUT_TYPES = ("pil", "np", "pt", "latent")


@torch.no_grad()
def sample_loop(
    unet: UNet2DModel,
    scheduler: AnyShaped,
    count: int,
    generator: Generators = None,
    callback_on_step_end: StepCallback | None = None,
) -> Tensor:
    """Sample images by the scheduler's current timesteps.

    Args:
        unet: The network, in evaluation mode.
        scheduler: The sampler; its timesteps are set.
        count: How many images.
        generator: One for all, or one per image (then image i does not depend on the batch).
        callback_on_step_end: Called with the timestep and the predicted x_0 (count, C, H, W) after
            every step.

    Returns:
        Images (count, C, H, W), about in [-1, 1].
    """
    dtype = unet.dtype
    x = starting_noise(unet, scheduler, count, generator, unet.device, dtype)
    for t in scheduler.timesteps.tolist():
        x, x0 = reverse(unet, scheduler, t, x, generator, dtype)
        if callback_on_step_end:
            callback_on_step_end(t, x0)
    return x


def starting_noise(
    unet: UNet2DModel,
    scheduler: AnyShaped,
    count: int,
    generator: Generators,
    device: torch.device,
    dtype: torch.dtype,
) -> Tensor:
    """Draw the prior (count, C, H, W); in float32 for a network whose dtype is half precision."""
    size = unet.config.sample_size
    height, width = (size, size) if isinstance(size, int) else size
    shape = (count, unet.config.in_channels, height, width)
    state_dtype = torch.promote_types(dtype, torch.float32)
    return scheduler.prior(randn_tensor(shape, generator, device=device, dtype=state_dtype))


def reverse(
    unet: UNet2DModel,
    scheduler: AnyShaped,
    t: int,
    x: Tensor,
    generator: Generators,
    dtype: torch.dtype,
    **options: Any,
) -> tuple[Tensor, Tensor]:
    """Take one step from x_t with a network of this dtype; return the next sample and the predicted x_0."""
    # a tensor, since torch.compile would make a program for every number
    timesteps = torch.full((len(x),), t, device=x.device)
    labels = labels_of(scheduler.config.shape, len(x), x.device)
    output = unet(x.to(dtype), timesteps, *labels).sample.to(x.dtype)
    return scheduler.step(output, t, x, generator=generator, return_dict=False, **options)


def _in_dtype_of_weights(embedding: TimestepEmbedding, inputs: tuple[Tensor]) -> tuple[Tensor, ...]:
    """UNet2DModel gives its labels as float32, whatever its dtype."""
    return tuple(each.to(embedding.linear_1.weight.dtype) for each in inputs)


class ShapedDDPMPipeline(DiffusionPipeline):
    """Unconditional generation with shaped noise; saved and loaded as any diffusers pipeline.

    Args:
        unet: The network that predicts the shaped noise (or v, or x_0, as the scheduler says).
        scheduler: A shaped scheduler.

    Raises:
        ValueError: The scheduler, also one that is set later, is not shaped.
    """

    model_cpu_offload_seq = "unet"
    _callback_tensor_inputs = ("latents",)

    def __init__(self, unet: UNet2DModel, scheduler: AnyShaped) -> None:
        super().__init__()
        if isinstance(getattr(unet, "class_embedding", None), TimestepEmbedding):
            unet.class_embedding.register_forward_pre_hook(_in_dtype_of_weights)
        self.register_modules(unet=unet, scheduler=scheduler)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "scheduler" and not isinstance(value, ShapedScheduler):
            raise ValueError(f"{type(value).__name__} is not shaped; use convert_scheduler(scheduler, shape)")
        super().__setattr__(name, value)

    def to_json_string(self) -> str:
        """Return the index of a saved pipeline."""
        index = json.loads(super().to_json_string()) | {"_class_name": PIPELINE_CLASS}
        return json.dumps(index, indent=2, sort_keys=True) + "\n"

    def save_config(self, save_directory: str | Path, *arguments: Any, **options: Any) -> None:
        """Save the index, and the file by which diffusers' generic loading finds this class."""
        super().save_config(save_directory, *arguments, **options)
        for name, code in PIPELINE_CODE.items():
            Path(save_directory, name).write_text(code, encoding="utf-8")

    @classmethod
    def _dict_from_json_file(cls, json_file: str | Path) -> dict[str, Any]:
        """The index when this class itself is loaded: nothing in the folder is run."""
        return super()._dict_from_json_file(json_file) | {"_class_name": cls.__name__}

    @torch.no_grad()
    def __call__(
        self,
        batch_size: int = 1,
        generator: Generators = None,
        num_inference_steps: int = 50,
        output_type: str = "pil",
        return_dict: bool = True,
        eta: float | None = None,
        callback_on_step_end: PipelineCallback | None = None,
        callback_on_step_end_tensor_inputs: Sequence[str] = ("latents",),
        strength: float | None = None,
    ) -> ImagePipelineOutput | tuple:
        """Sample images.

        Args:
            batch_size: How many images, B.
            generator: One for all, or one per image.
            num_inference_steps: Reverse steps.
            output_type: `pil`; `np` for (B, H, W, C) and `pt` for (B, C, H, W), both float in [0, 1];
                `latent` for the sample as it is, (B, C, H, W), about in [-1, 1].
            return_dict: Whether to return an object with `images`, or a tuple.
            eta: Of ShapedDDIMScheduler, in [0, 1]; None: that of its config.
            callback_on_step_end: Called as f(pipeline, index, timestep, {"latents": x}) after every step;
                "latents" of what it returns replaces x.
            callback_on_step_end_tensor_inputs: What the callback is given, of "latents".
            strength: s of the noise, for a network that was trained on many; None: the scheduler's own.

        Raises:
            ValueError: An argument is out of range, or the scheduler has no eta.
            ShapeError: The network was not trained at this strength.
        """
        if output_type not in OUTPUT_TYPES:
            raise ValueError(f"output_type {output_type!r}: use one of {', '.join(OUTPUT_TYPES)}")
        if not set(callback_on_step_end_tensor_inputs) <= set(self._callback_tensor_inputs):
            raise ValueError(
                f"a callback can have {', '.join(self._callback_tensor_inputs)} and nothing else"
            )
        if eta is not None and "eta" not in inspect.signature(self.scheduler.step).parameters:
            raise ValueError(f"{type(self.scheduler).__name__} has no eta; use ShapedDDIMScheduler")
        if not isinstance(batch_size, Integral) or batch_size < 1:
            raise ValueError(f"batch_size {batch_size!r}: give the number of images, 1 or more")
        if isinstance(generator, int):
            raise ValueError(f"generator {generator}: give torch.Generator().manual_seed({generator})")
        if isinstance(generator, Sequence):
            generator = list(generator)
            if len(generator) != batch_size:
                raise ValueError(f"{len(generator)} generators for {batch_size} images; give one for each")
        options = {} if eta is None else {"eta": eta}
        unet, scheduler, dtype = self.unet, self.scheduler, self.unet.dtype
        if strength is not None:
            shape = at_strength(scheduler.config.shape, strength)
            scheduler = with_scheduler(scheduler, type(scheduler), shape=shape)
        scheduler.set_timesteps(num_inference_steps)
        x = starting_noise(unet, scheduler, batch_size, generator, self._execution_device, dtype)
        for i, t in enumerate(self.progress_bar(scheduler.timesteps.tolist())):
            x, _ = reverse(unet, scheduler, t, x, generator, dtype, **options)
            if callback_on_step_end:
                inputs = {"latents": x} if callback_on_step_end_tensor_inputs else {}
                x = (callback_on_step_end(self, i, t, inputs) or {}).get("latents", x)
        images = x if output_type == "latent" else (x / 2 + 0.5).clamp(0, 1)
        if output_type in ("pil", "np"):
            images = images.cpu().permute(0, 2, 3, 1).numpy()
        if output_type == "pil":
            images = self.numpy_to_pil(images)
        self.maybe_free_model_hooks()
        return ImagePipelineOutput(images=images) if return_dict else (images,)
