"""A diffusers pipeline that draws the shaped prior: `ShapedDDPMPipeline.from_pretrained(folder)()`."""

from collections.abc import Callable, Sequence

import torch
from diffusers import DiffusionPipeline, ImagePipelineOutput, UNet2DModel
from diffusers.utils.torch_utils import randn_tensor
from torch import Tensor

from shapednoise.noise.schedulers import AnyShaped, with_scheduler
from shapednoise.noise.strengths import at_strength, labels_of

Generators = torch.Generator | Sequence[torch.Generator] | None
StepCallback = Callable[[int, Tensor], None]


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
    size = unet.config.sample_size
    height, width = (size, size) if isinstance(size, int) else size
    shape = (count, unet.config.in_channels, height, width)
    x = scheduler.prior(randn_tensor(shape, generator, device=unet.device))
    labels = labels_of(scheduler.config.shape, count, x.device)
    for t in scheduler.timesteps.tolist():
        # a tensor, since torch.compile would make a program for every number
        output = unet(x, torch.full((count,), t, device=x.device), *labels).sample.to(x.dtype)
        x, x0 = scheduler.step(output, t, x, generator=generator, return_dict=False)
        if callback_on_step_end:
            callback_on_step_end(t, x0)
    return x


class ShapedDDPMPipeline(DiffusionPipeline):
    """Unconditional generation with shaped noise; saved and loaded as any diffusers pipeline.

    Args:
        unet: The network that predicts the shaped noise (or v, or x_0, as the scheduler says).
        scheduler: A shaped scheduler.
    """

    model_cpu_offload_seq = "unet"

    def __init__(self, unet: UNet2DModel, scheduler: AnyShaped) -> None:
        super().__init__()
        self.register_modules(unet=unet, scheduler=scheduler)

    @torch.no_grad()
    def __call__(
        self,
        batch_size: int = 1,
        generator: Generators = None,
        num_inference_steps: int = 50,
        output_type: str = "pil",
        return_dict: bool = True,
        strength: float | None = None,
    ) -> ImagePipelineOutput | tuple:
        """Sample images.

        Args:
            batch_size: How many images, B.
            generator: One for all, or one per image.
            num_inference_steps: Reverse steps.
            output_type: `pil`; `np` for (B, H, W, C) and `pt` for (B, C, H, W), both float in [0, 1].
            return_dict: Whether to return an object with `images`, or a tuple.
            strength: s of the noise, for a network that was trained on many; None: the scheduler's own.

        Raises:
            ShapeError: The network was not trained at this strength.
        """
        scheduler = self.scheduler
        if strength is not None:
            shape = at_strength(scheduler.config.shape, strength)
            scheduler = with_scheduler(scheduler, type(scheduler), shape=shape)
        scheduler.set_timesteps(num_inference_steps)
        images = sample_loop(self.unet, scheduler, batch_size, generator)
        images = (images / 2 + 0.5).clamp(0, 1)
        if output_type != "pt":
            images = images.cpu().permute(0, 2, 3, 1).numpy()
            if output_type == "pil":
                images = self.numpy_to_pil(images)
        return ImagePipelineOutput(images=images) if return_dict else (images,)
