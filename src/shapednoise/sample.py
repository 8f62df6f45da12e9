"""Draw a sample set from a trained model.

Image i starts from, and is stepped with, noise that is a function of (seed, i): the same i is
comparable across strengths, batch sizes and devices. Images are rounded to uint8 once, here.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from diffusers import UNet2DModel
from torch import Tensor

from shapednoise.console import progress
from shapednoise.data.scale import to_uint8
from shapednoise.device import autocast, compute_dtype
from shapednoise.noise.pipeline import draw
from shapednoise.noise.schedulers import (
    AnyShaped,
    ShapedDDIMScheduler,
    ShapedDDPMScheduler,
    ShapedDPMSolverScheduler,
    with_scheduler,
)
from shapednoise.settings.sampling import SamplerSettings

WATCHED_IMAGES = 8
WATCHED_FRAMES = 10
CPU_BATCH, CUDA_BATCH = 64, 500


@dataclass
class Trajectory:
    """Predictions of x_0 for the first images on the way from noise to picture."""

    timesteps: list[int] = field(default_factory=list)
    frames: list[np.ndarray] = field(default_factory=list)

    def as_arrays(self) -> dict[str, np.ndarray]:
        """`timesteps` (F,) and `frames` uint8 (F, images, C, H, W), at most WATCHED_FRAMES of them."""
        last = len(self.timesteps) - 1
        kept = np.unique(np.linspace(0, last, WATCHED_FRAMES).round().astype(int))
        return {
            "timesteps": np.array([self.timesteps[i] for i in kept]),
            "frames": np.stack([self.frames[i] for i in kept]),
        }


def sampling_scheduler(trained: AnyShaped, settings: SamplerSettings) -> AnyShaped:
    """The noise process a model was trained with, under this sampler."""
    kind, own = {
        "ancestral": (ShapedDDPMScheduler, {"variance_type": settings.variance}),
        "ddim": (ShapedDDIMScheduler, {"eta": settings.eta}),
        "dpm_solver": (ShapedDPMSolverScheduler, {}),
    }[settings.method]
    scheduler = with_scheduler(
        trained,
        kind,
        reading=settings.reading,
        clip_sample=settings.clamping == "whitened",
        clip_data=settings.clamping == "data",
        timestep_spacing=settings.spacing,
        **own,
    )
    scheduler.set_timesteps(settings.steps)
    return scheduler


def image_generators(seed: int, indices: range) -> list[torch.Generator]:
    """One generator an image, on the CPU, so that every device draws the same noise.

    Seeds of one sample set are consecutive from a mixed start, so that no two images share one.
    """
    start = int(np.random.SeedSequence(seed).generate_state(1)[0])
    return [torch.Generator().manual_seed((start + i) % 2**32) for i in indices]


def sample(
    unet: UNet2DModel,
    scheduler: AnyShaped,
    settings: SamplerSettings,
    store: Callable[[int, np.ndarray], None],
    batch_size: int | None = None,
) -> Trajectory:
    """Draw settings.images images and hand them to store(first index, uint8 B x C x H x W).

    Returns the trajectory of the first WATCHED_IMAGES images.
    """
    device = unet.device
    dtype = compute_dtype(settings.precision, device)
    batch_size = batch_size or (CUDA_BATCH if device.type == "cuda" else CPU_BATCH)
    trajectory = Trajectory()

    def watch(t: int, x0: Tensor) -> None:
        trajectory.timesteps.append(t)
        trajectory.frames.append(to_uint8(x0[:WATCHED_IMAGES]).cpu().numpy())

    with progress(total=settings.images, desc="sample", unit="image") as bar:
        for start in range(0, settings.images, batch_size):
            indices = range(start, min(start + batch_size, settings.images))
            generators = image_generators(settings.seed, indices)
            with autocast(device, dtype):
                x = draw(unet, scheduler, len(indices), generators, watch if start == 0 else None)
            store(start, to_uint8(x).cpu().numpy())
            bar.update(len(indices))
    return trajectory
