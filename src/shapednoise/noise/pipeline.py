"""A diffusers pipeline that draws the shaped prior: `ShapedDDPMPipeline.from_pretrained(folder)()`."""

from collections.abc import Callable, Sequence

import torch
from diffusers import DiffusionPipeline, ImagePipelineOutput, UNet2DModel
from diffusers.utils.torch_utils import randn_tensor
from torch import Tensor

from shapednoise.noise.schedulers import AnyShaped

Generators = torch.Generator | Sequence[torch.Generator] | None
Watcher = Callable[[int, Tensor], None]


@torch.no_grad()
def draw(
    unet: UNet2DModel,
    scheduler: AnyShaped,
    count: int,
    generator: Generators = None,
    watch: Watcher | None = None,
) -> Tensor:
    """Draw `count` images (count, C, H, W), about [-1, 1], by the scheduler's current timesteps.

    generator: one for all, or one per image (then image i does not depend on the batch).
    watch: called as watch(timestep, predicted x_0) after every step.
    """
    size = unet.config.sample_size
    height, width = (size, size) if isinstance(size, int) else size
    shape = (count, unet.config.in_channels, height, width)
    x = scheduler.prior(randn_tensor(shape, generator, device=unet.device))
    for t in scheduler.timesteps.tolist():
        # a tensor, since torch.compile would make a program for every number
        output = unet(x, torch.full((count,), t, device=x.device)).sample.to(x.dtype)
        x, x0 = scheduler.step(output, t, x, generator=generator, return_dict=False)
        if watch:
            watch(t, x0)
    return x


class ShapedDDPMPipeline(DiffusionPipeline):
    """Unconditional generation with shaped noise; saved and loaded as any diffusers pipeline."""

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
    ) -> ImagePipelineOutput | tuple:
        """Draw `batch_size` images.

        output_type: `pil`; `np` for (B, H, W, C) and `pt` for (B, C, H, W), both float in [0, 1].
        """
        self.scheduler.set_timesteps(num_inference_steps)
        images = draw(self.unet, self.scheduler, batch_size, generator)
        images = (images / 2 + 0.5).clamp(0, 1)
        if output_type != "pt":
            images = images.cpu().permute(0, 2, 3, 1).numpy()
            if output_type == "pil":
                images = self.numpy_to_pil(images)
        return ImagePipelineOutput(images=images) if return_dict else (images,)
