"""Draw a sample set from a trained model.

Image i starts from, and is stepped with, noise that is a function of (seed, i): the same i is
comparable across strengths, batch sizes and devices. Networks round otherwise in batches of other sizes;
nothing else here does. Images are rounded to uint8 once, here.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from diffusers import UNet2DModel
from diffusers.utils import logging as diffusers_logging
from torch import Tensor

from shapednoise.config.machine import Compilation
from shapednoise.config.sampling import SamplerSettings
from shapednoise.data.images import to_uint8
from shapednoise.diffusion.attention import choose_attention
from shapednoise.diffusion.device import autocast, compiled, compute_dtype, is_out_of_memory
from shapednoise.errors import UserError
from shapednoise.log import log, progress
from shapednoise.noise.denoising_variance import DenoisingVariance
from shapednoise.noise.pipeline import ShapedDDPMPipeline, StepCallback, sample_loop
from shapednoise.noise.schedulers import (
    AnyShaped,
    ShapedDDIMScheduler,
    ShapedDDPMScheduler,
    ShapedDPMSolverScheduler,
    with_scheduler,
)
from shapednoise.noise.strengths import at_strength, labels_of
from shapednoise.resumable import Arrays, ResumableArrays

WATCHED_IMAGES = 8
WATCHED_FRAMES = 10
CPU_BATCH, CUDA_BATCH = 128, 512  # images between two records, and of 32 x 32 pixels at once
PROBE = 16  # images by which the memory of one is measured
COMPILED_FROM = 5_000_000  # network calls, counted by images, from which torch.compile pays off on a GPU


@dataclass
class Trajectory:
    """Predictions of x_0 for the first images on the way from noise to picture."""

    timesteps: list[int] = field(default_factory=list)
    frames: list[np.ndarray] = field(default_factory=list)

    def watch(self, t: int, x0: Tensor) -> None:
        """Note the prediction at timestep t; a trajectory that starts again replaces the former one."""
        if self.timesteps and t >= self.timesteps[-1]:
            self.timesteps, self.frames = [], []
        self.timesteps.append(t)
        self.frames.append(to_uint8(x0[:WATCHED_IMAGES]).cpu().numpy())

    def as_arrays(self) -> dict[str, np.ndarray]:
        """`timesteps` (F,) and `frames` uint8 (F, images, C, H, W), at most WATCHED_FRAMES of them."""
        last = len(self.timesteps) - 1
        chosen = np.unique(np.linspace(0, last, WATCHED_FRAMES).round().astype(int))
        return {
            "timesteps": np.array([self.timesteps[i] for i in chosen]),
            "frames": np.stack([self.frames[i] for i in chosen]),
        }


def sampling_scheduler(
    trained: AnyShaped,
    settings: SamplerSettings,
    strength: float | None = None,
    denoising: DenoisingVariance | None = None,
) -> AnyShaped:
    """The noise process a model was trained with, under this sampler.

    strength: of a network that was trained on many; None: the one that the process has.
    denoising: what an optimal variance is of, where the settings ask for one.
    """
    shape = trained.config.shape
    kind, own = {
        "ancestral": (ShapedDDPMScheduler, {"variance_type": settings.variance}),
        "ddim": (ShapedDDIMScheduler, {"eta": settings.eta}),
        "dpm_solver": (ShapedDPMSolverScheduler, {}),
    }[settings.method]
    if settings.optimal:
        own = own | {
            "variance_type": settings.variance,
            "denoising_variance": denoising and denoising.describe(),
            "clipped_steps": settings.clipped_steps,
        }
    scheduler = with_scheduler(
        trained,
        kind,
        shape=shape if strength is None else at_strength(shape, strength),
        reading=settings.reading,
        clip_sample=settings.clamping == "whitened",
        clip_data=settings.clamping == "data",
        timestep_spacing=settings.spacing,
        **own,
    )
    scheduler.set_timesteps(settings.steps)
    return scheduler


def load_model(folder: Path) -> ShapedDDPMPipeline:
    """The pipeline of a trained model, to be evaluated. Raises UserError where it is incomplete."""
    diffusers_logging.disable_progress_bar()
    try:
        pipeline = ShapedDDPMPipeline.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError) as error:
        raise UserError(f"{folder} holds no complete model ({error}); delete it and run again") from error
    pipeline.unet.eval()
    return pipeline


def image_generators(seed: int, indices: range) -> list[torch.Generator]:
    """One generator an image, on the CPU, so that every device draws the same noise.

    Seeds of one sample set are consecutive from a mixed start, so that no two images share one.
    """
    start = int(np.random.SeedSequence(seed).generate_state(1)[0])
    return [torch.Generator().manual_seed((start + i) % 2**32) for i in indices]


class BatchSampler:
    """Draws images of one model by one sampler, batch by batch; halves the batch when memory runs out."""

    def __init__(
        self,
        unet: UNet2DModel,
        scheduler: AnyShaped,
        settings: SamplerSettings,
        batch_size: int | None = None,
        compile: Compilation = "off",
        sharing: int = 1,
    ) -> None:
        """unet: in evaluation mode, on its device. batch_size: at most; None: what fits into memory.

        compile: see config/machine.py. sharing: how many jobs share the GPU.
        """
        self.unet, self.scheduler, self.settings = unet, scheduler, settings
        self.device = unet.device
        self.dtype = compute_dtype(settings.precision, self.device)
        choose_attention(unet, self.dtype)
        self.batch_size = batch_size or self._auto_batch_size(sharing)
        on_gpu = self.device.type == "cuda"
        if on_gpu:
            unet.to(memory_format=torch.channels_last)
        many = settings.images * len(scheduler.timesteps) >= COMPILED_FROM
        self.network = unet
        if compile == "on" or (compile == "auto" and on_gpu and many):
            self.network = compiled(unet, self._arguments(self.batch_size), self.dtype, compile == "on")

    def images(self, indices: range, watch: StepCallback | None = None) -> np.ndarray:
        """Images of these indices, uint8 (n, C, H, W). Raises UserError if not even one fits in memory."""
        parts, start = [], 0
        while start < len(indices):
            part = indices[start : start + self.batch_size]
            try:
                parts.append(self._batch(part, watch if start == 0 else None))
                start += len(part)
            except RuntimeError as error:
                self._reduce_batch_size(error)
        return np.concatenate(parts)

    def _batch(self, indices: range, watch: StepCallback | None) -> np.ndarray:
        generators = image_generators(self.settings.seed, indices)
        # a compiled network is made for one shape
        network = self.network if len(indices) == self.batch_size else self.unet
        with autocast(self.device, self.dtype):
            x = sample_loop(network, self.scheduler, len(indices), generators, watch)
        return to_uint8(x).cpu().numpy()

    def _reduce_batch_size(self, error: RuntimeError) -> None:
        if not is_out_of_memory(error):
            raise error
        if self.batch_size == 1:
            raise UserError("out of memory while sampling one image at a time; use another device") from error
        self.batch_size //= 2
        log.warning("out of memory: sampling continues with %d images at a time", self.batch_size)
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def _arguments(self, count: int) -> tuple[Tensor, ...]:
        """Arguments of the network for a batch of `count` images."""
        config = self.unet.config
        x = torch.zeros(count, config.in_channels, config.sample_size, config.sample_size, device=self.device)
        labels = labels_of(self.scheduler.config.shape, count, self.device)
        return x, torch.zeros(count, dtype=torch.long, device=self.device), *labels

    @torch.no_grad()
    def _auto_batch_size(self, sharing: int) -> int:
        """The batch size: on a GPU, what this job's share of the free memory holds by a probe's peak."""
        if self.device.type != "cuda":
            return max(1, CPU_BATCH * 32**2 // self.unet.config.sample_size**2)
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        try:
            with autocast(self.device, self.dtype):
                self.unet(*self._arguments(PROBE))
        except torch.OutOfMemoryError:
            return 1
        each = (torch.cuda.max_memory_allocated() - before) / PROBE
        free = torch.cuda.mem_get_info()[0] / sharing
        return max(1, min(CUDA_BATCH, int(0.7 * free / each)))


def sample(sampler: BatchSampler, work: ResumableArrays | None = None) -> Arrays:
    """Draw the sampler's images.

    Args:
        sampler: the model, its scheduler and the settings.
        work: the arrays to fill; what is done there is not drawn.

    Returns:
        `images`, uint8 (n, C, H, W), and the trajectory of the first WATCHED_IMAGES: `timesteps` (F,) and
        `frames`, uint8 (F, images, C, H, W).
    """
    total = sampler.settings.images
    work = work or ResumableArrays(total)
    least = CUDA_BATCH if sampler.device.type == "cuda" else CPU_BATCH
    size = -(-least // sampler.batch_size) * sampler.batch_size  # batches of one size, for a compiled network
    with progress(total=total, initial=work.done, desc="sample", unit="image") as bar:
        while work.done < total:
            indices = range(work.done, min(work.done + size, total))
            if indices.start:
                work.append({"images": sampler.images(indices)})
            else:
                trajectory = Trajectory()
                images = sampler.images(indices, trajectory.watch)
                work.append({"images": images}, trajectory.as_arrays())
            bar.update(len(indices))
    return work.arrays
