"""Measure what a trained network leaves open of x_0, for the optimal variance of reverse steps."""

import numpy as np
import torch
from diffusers import UNet2DModel

from shapednoise.config.sampling import DenoisingSettings
from shapednoise.data.images import normalize_to_minus_one_one
from shapednoise.diffusion.device import autocast, compute_dtype
from shapednoise.log import progress
from shapednoise.noise.denoising_variance import DenoisingErrors, DenoisingVariance
from shapednoise.noise.schedulers import AnyShaped
from shapednoise.noise.strengths import labels_of


@torch.no_grad()
def measure_denoising_variance(
    unet: UNet2DModel,
    scheduler: AnyShaped,
    images: np.ndarray,
    of_data: DenoisingVariance,
    settings: DenoisingSettings,
    batch_size: int = 250,
) -> DenoisingVariance:
    """Measure Var[x_0 | x_t] of a network on noised training images.

    Args:
        unet: The network, in evaluation mode, on its device.
        scheduler: The noise process that it was trained with.
        images: Of the training set, N x C x H x W, uint8 or float16 on the [-1, 1] scale.
        of_data: The closed form: axes and spectrum of the data.
        settings: How many images, at which timesteps.
        batch_size: Images that the network takes at once.
    """
    generator = torch.Generator().manual_seed(settings.seed)
    chosen = torch.randperm(len(images), generator=generator)[: settings.images].sort().values
    x0 = normalize_to_minus_one_one(torch.from_numpy(images[chosen.numpy()])).to(unet.device)
    errors = DenoisingErrors(of_data, scheduler.process)
    dtype = compute_dtype(settings.precision, unet.device)
    last = scheduler.config.num_train_timesteps - 1
    times = sorted(set(np.linspace(0, last, settings.timesteps).round().astype(int).tolist()))
    for t in progress(times, desc="denoising", unit="timestep"):
        white = torch.randn(x0.shape, generator=generator).to(x0)
        parts = []
        for clean, fresh in zip(x0.split(batch_size), white.split(batch_size), strict=True):
            timesteps = torch.full((len(clean),), t, device=x0.device)
            labels = labels_of(scheduler.config.shape, len(clean), x0.device)
            noise = scheduler.shape_noise(fresh, timesteps)
            noisy = scheduler.add_noise(clean, noise, timesteps)
            with autocast(unet.device, dtype):
                output = unet(noisy, timesteps, *labels).sample.to(noisy.dtype)
            parts.append((noise - scheduler.predict_noise(output, t, noisy)).cpu())
        errors.add(t, torch.cat(parts))
    return errors.result()
