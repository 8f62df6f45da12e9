"""Train the denoiser on shaped noise: mean squared error against the noise that was added (Eq. 4).

The data set lives on the device as it is stored, on a processor memory-mapped; flips and scaling happen
there. The random state of step k is a function of (seed, k) and the order of the data one of (seed, epoch),
so that a training that was interrupted and resumed is the training that was not. Where the process is one of
many strengths, each image of a step has one of its own, and the network is told which.
"""

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from diffusers import UNet2DModel
from diffusers.optimization import get_cosine_schedule_with_warmup
from diffusers.training_utils import EMAModel
from torch import Tensor

from shapednoise.config.machine import Compilation
from shapednoise.config.training import TrainingSettings
from shapednoise.data.images import normalize_to_minus_one_one, on_device
from shapednoise.diffusion.attention import choose_attention
from shapednoise.diffusion.checkpoints import Checkpoints, defer_signals
from shapednoise.diffusion.device import autocast, compiled, compute_dtype, is_out_of_memory
from shapednoise.diffusion.network import build_unet
from shapednoise.diffusion.record import TrainingRecord
from shapednoise.errors import Interrupted, UserError
from shapednoise.log import log, progress
from shapednoise.noise.process import ShapedProcess
from shapednoise.noise.shape import SHAPE_VERSION

LOG_STEPS = 50
WARM_STEPS = 10  # in which libraries are loaded
PACE_STEPS = 20  # after them, by which the pace is measured
COMPILE_SECONDS, COMPILE_GAIN = 120.0, 0.2  # cost of torch.compile, fraction of time saved


class Training:
    """A training in progress: network, optimizer, EMA, and the step they have reached."""

    def __init__(
        self,
        images: np.ndarray,
        process: ShapedProcess,
        settings: TrainingSettings,
        seed: int,
        device: torch.device,
    ) -> None:
        """images: N x C x S x S, see data/images.py. process: the noise and its schedule."""
        self.settings, self.process, self.seed, self.device = settings, process, seed, device
        self.images = on_device(images, device)
        self.steps = math.ceil(settings.epochs * len(images) / settings.batch_size)
        self.dtype = compute_dtype(settings.precision, device)
        torch.manual_seed(seed)
        of_strengths = process.labels is not None
        self.unet = build_unet(settings.unet, images.shape[-1], images.shape[1], of_strengths).to(device)
        if device.type == "cuda":
            self.unet.to(memory_format=torch.channels_last)
        choose_attention(self.unet, self.dtype)
        self.optimizer = torch.optim.AdamW(
            self.unet.parameters(),
            lr=settings.learning_rate,
            betas=settings.adam_betas,
            weight_decay=settings.weight_decay,
            fused=True,
        )
        self.lr_scheduler = get_cosine_schedule_with_warmup(self.optimizer, settings.warmup_steps, self.steps)
        self.scaler = torch.amp.GradScaler(device.type, enabled=self.dtype == torch.float16)
        self.ema = EMAModel(
            self.unet.parameters(),
            decay=settings.ema.decay,
            use_ema_warmup=True,
            inv_gamma=settings.ema.inverse_gamma,
            power=settings.ema.power,
            foreach=True,
        )
        self.network = self.unet  # or what torch.compile makes of it
        self.step = 0
        self.record = TrainingRecord()
        self.snapshots: dict[float, list[Tensor]] = {}  # averaged weights by the epochs that they are of
        self._order: tuple[int, Tensor] = (-1, torch.empty(0))

    @property
    def row(self) -> dict[str, float]:
        """The columns of the training curve that describe the present step."""
        return {
            "step": self.step,
            "learning_rate": self.lr_scheduler.get_last_lr()[0],
            "ema_decay": self.ema.cur_decay_value,
        }

    def train_step(self) -> tuple[Tensor, Tensor]:
        """One optimizer step. Returns loss and gradient norm, which stay on the device."""
        x0, timesteps, white = self._draw()
        times, labels = self._strengths(timesteps)
        noise = self.process.shape_noise(white, times)
        x_t = self.process.add_noise(x0, noise, times)
        target = self.process.target(x0, noise, times)
        with autocast(self.device, self.dtype):
            prediction = self.network(x_t, timesteps, *labels).sample
        loss = self.process.loss(prediction.float(), target, times)
        self.scaler.scale(loss).backward()
        self.scaler.unscale_(self.optimizer)
        norm = torch.nn.utils.clip_grad_norm_(self.unet.parameters(), self.settings.clip_norm)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        self.lr_scheduler.step()
        self.ema.step(self.unet.parameters())
        self.step += 1
        for epoch in self.settings.snapshots:
            if self.step == math.ceil(epoch * len(self.images) / self.settings.batch_size):
                self.snapshots[epoch] = [weight.cpu().clone() for weight in self.ema.shadow_params]
        return loss.detach(), norm

    def compile(self, wanted: bool) -> None:
        """Compile the network. If that fails: UserError if `wanted`, else a warning."""
        x = self.images[:1].float().repeat(self.settings.batch_size, 1, 1, 1)
        timesteps = torch.zeros(len(x), dtype=torch.long, device=self.device)
        arguments = (x, timesteps, *self._strengths(timesteps)[1])
        self.network = compiled(self.unet, arguments, self.dtype, wanted)

    def state(self) -> dict[str, Any]:
        """Everything that the next step depends on."""
        return {
            "step": self.step,
            "record": self.record.state(),
            "snapshots": self.snapshots,
            "unet": self.unet.state_dict(),
            "ema": self.ema.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "lr_scheduler": self.lr_scheduler.state_dict(),
            "scaler": self.scaler.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a saved state."""
        self.step = state["step"]
        self.record = TrainingRecord(**state["record"])
        self.snapshots = state["snapshots"]
        for name in ("unet", "ema", "optimizer", "lr_scheduler", "scaler"):
            getattr(self, name).load_state_dict(state[name])
        self.ema.to(self.device)

    def ema_unet(self, epoch: float | None = None) -> UNet2DModel:
        """The network with the averaged weights, those of now or of a snapshot; the training ends by that."""
        averaged = self.ema.shadow_params if epoch is None else self.snapshots[epoch]
        with torch.no_grad():
            for weight, average in zip(self.unet.parameters(), averaged, strict=True):
                weight.copy_(average)
        return self.unet

    def _draw(self) -> tuple[Tensor, Tensor, Tensor]:
        """Images of this step in [-1, 1], their timesteps, and white noise."""
        generator = torch.Generator(self.device).manual_seed(derive_seed(self.seed, self.step))
        x0 = self.images[self._indices()]
        count = len(x0)
        if self.settings.horizontal_flips:
            mirrored = torch.rand(count, 1, 1, 1, generator=generator, device=self.device) < 0.5
            x0 = torch.where(mirrored, x0.flip(-1), x0)
        x0 = normalize_to_minus_one_one(x0)
        timesteps = torch.randint(len(self.process.betas), (count,), generator=generator, device=self.device)
        white = torch.randn(x0.shape, generator=generator, device=self.device)
        return x0, timesteps, white

    def _strengths(self, timesteps: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The timesteps as the process counts them, with a strength an image, and the network's labels."""
        if self.process.labels is None:
            return timesteps, ()
        generator = torch.Generator(self.device).manual_seed(derive_seed(self.seed, self.step, 2))
        labels = self.process.labels.to(self.device)
        drawn = torch.randint(len(labels), timesteps.shape, generator=generator, device=self.device)
        return timesteps + drawn * len(self.process.betas), (labels[drawn],)

    def _indices(self) -> Tensor:
        """The images of this step: the next batch of the shuffled epochs laid end to end."""
        count, batch = len(self.images), self.settings.batch_size
        start = self.step * batch
        epochs = range(start // count, (start + batch - 1) // count + 1)
        stream = torch.cat([self._epoch_order(epoch) for epoch in epochs])
        offset = start - epochs[0] * count
        return stream[offset : offset + batch]

    def _epoch_order(self, epoch: int) -> Tensor:
        if self._order[0] != epoch:
            generator = torch.Generator().manual_seed(derive_seed(self.seed, epoch, 1))
            order = torch.randperm(len(self.images), generator=generator)
            if self.device.type == "cuda":
                order = order.pin_memory()
            self._order = (epoch, order.to(self.device, non_blocking=True))
        return self._order[1]


def training_facts(
    settings: TrainingSettings,
    shape: Mapping[str, Any],
    marginal: str,
    seed: int,
    pixels: str | None,
) -> dict[str, Any]:
    """All that a model depends on, besides the code, for its provenance.

    shape: the description of the noise shape, with its axis. pixels: the sha256 of the images. Of the keys,
    `scheduler` is the config of the model's scheduler.
    """
    scheduler = {
        **settings.schedule.for_diffusers(),
        "prediction_type": settings.prediction,
        "shape": {"version": SHAPE_VERSION, **shape},
        "reading": marginal,
        "clip_sample": marginal == "published",  # the published code clamps, the equations do not
    }
    return {
        "training": settings.model_dump(mode="json"),
        "scheduler": scheduler,
        "seed": seed,
        "sha256_of_pixels": pixels,
    }


def derive_seed(*numbers: int) -> int:
    """A well-mixed 63-bit seed that is a function of the numbers."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> np.uint64(1))


def train(training: Training, checkpoints: Checkpoints, compile: Compilation = "off") -> None:
    """Run a training to its last step, from the newest checkpoint that fits where there is one.

    compile: torch.compile the network; `auto`: on a GPU, if that pays off by the pace of the first steps.
    Raises Interrupted after a signal (the checkpoint is written), and UserError if loss or gradient is not
    finite or the memory does not suffice; earlier checkpoints are kept.
    """
    saved = checkpoints.load()
    with reraise_oom(training.settings):
        if saved:
            training.restore(saved)
            log.info("continuing from step %d of %d", training.step, training.steps)
        _steps(training, checkpoints, compile)


@contextmanager
def reraise_oom(settings: TrainingSettings) -> Iterator[None]:
    """Turn an out-of-memory error of PyTorch into a UserError that names the settings to lower."""
    try:
        yield
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        raise UserError(
            f"out of memory with batch_size {settings.batch_size}; lower the recipe's training.batch_size or "
            "training.unet.channels, or engine.points_per_gpu"
        ) from error


def _steps(training: Training, checkpoints: Checkpoints, compile: Compilation) -> None:
    """Run the remaining steps."""
    first, began = training.step, time.monotonic()
    last_step, last_saved = first, began
    if compile == "on":
        training.compile(wanted=True)
    training.record.resume()
    with (
        defer_signals() as received,
        progress(total=training.steps, initial=first, desc="train", unit="step") as bar,
    ):
        while training.step < training.steps:
            training.record.add(*training.train_step())
            bar.update()
            if training.step % LOG_STEPS == 0 or training.step == training.steps:
                training.record.log_row(training)
                log.row(training.record.rows[-1])
            if training.step == training.steps:
                break  # complete: a signal that came now has nothing to save
            signum, now = received.signum, time.monotonic()  # one that comes later waits for the next step
            if signum or checkpoints.due(training.step - last_step, now - last_saved):
                training.record.check(training)  # never checkpoint non-finite weights
                done = checkpoints.save(training.step, training.state())
                last_step, last_saved = training.step, time.monotonic()
            if signum:
                raise Interrupted(signum, training.step, done)
            if compile != "auto" or training.device.type != "cuda":
                continue
            if training.step == first + WARM_STEPS:
                torch.cuda.synchronize()
                began = time.monotonic()
            elif training.step == first + WARM_STEPS + PACE_STEPS:
                torch.cuda.synchronize()
                pace = (time.monotonic() - began) / PACE_STEPS
                if compile_pays_off(pace, training.steps - training.step):
                    training.compile(wanted=False)


def compile_pays_off(pace: float, steps: int) -> bool:
    """Whether compiling saves time on a GPU. pace: seconds a step, of so many steps that are left."""
    return COMPILE_GAIN * pace * steps > COMPILE_SECONDS
