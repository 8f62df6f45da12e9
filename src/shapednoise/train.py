"""Train the denoiser on shaped noise: mean squared error against the noise that was added (Eq. 4).

The data set lives on the device as it is stored; flips and scaling happen there. The random state of step
k is a function of (seed, k) and the order of the data one of (seed, epoch), so that a training that
was interrupted and resumed is the training that was not.
"""

import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import UNet2DModel
from diffusers.optimization import get_cosine_schedule_with_warmup
from diffusers.training_utils import EMAModel
from torch import Tensor

from shapednoise.checkpoint import interruption, load_checkpoint, save_checkpoint
from shapednoise.console import UserError, log, progress
from shapednoise.data.scale import to_unit
from shapednoise.device import autocast, compute_dtype
from shapednoise.model import build_unet
from shapednoise.noise.process import ShapedProcess
from shapednoise.settings.training import TrainingSettings

LOG_STEPS = 50


@dataclass(frozen=True)
class Checkpointing:
    """Where a training keeps its state, what made it, and how often it is written."""

    path: Path
    fingerprint: str
    every_seconds: float = 600.0


class Interrupted(UserError):
    """The training was asked to stop by a signal and has written its checkpoint."""

    def __init__(self, signum: int, step: int) -> None:
        super().__init__(f"interrupted after step {step}; run again to continue from there")
        self.exit_code = 128 + signum


class Training:
    """A training in progress: network, optimiser, EMA, and the step they have reached."""

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
        self.images = torch.from_numpy(np.array(images)).to(device)
        self.steps = math.ceil(settings.epochs * len(images) / settings.batch_size)
        self.dtype = compute_dtype(settings.precision, device)
        torch.manual_seed(seed)
        self.unet = build_unet(settings.unet, images.shape[-1], images.shape[1]).to(device)
        if device.type == "cuda":
            self.unet.to(memory_format=torch.channels_last)
        self.optimiser = torch.optim.AdamW(
            self.unet.parameters(),
            lr=settings.learning_rate,
            betas=settings.adam_betas,
            weight_decay=settings.weight_decay,
            fused=True,
        )
        self.rate = get_cosine_schedule_with_warmup(self.optimiser, settings.warmup_steps, self.steps)
        self.scaler = torch.amp.GradScaler(device.type, enabled=self.dtype == torch.float16)
        self.ema = EMAModel(
            self.unet.parameters(),
            decay=settings.ema.decay,
            use_ema_warmup=True,
            inv_gamma=settings.ema.inverse_gamma,
            power=settings.ema.power,
            foreach=True,
        )
        self.step = 0
        self.seconds = 0.0
        self.rows: list[dict[str, float]] = []
        self._order: tuple[int, Tensor] = (-1, torch.empty(0))

    def take_step(self) -> tuple[Tensor, Tensor]:
        """One optimiser step; returns loss and gradient norm, still on the device."""
        x0, timesteps, white = self._draw()
        noise = self.process.shape_noise(white, timesteps)
        x_t = self.process.add_noise(x0, noise, timesteps)
        target = self.process.target(x0, noise, timesteps)
        with autocast(self.device, self.dtype):
            prediction = self.unet(x_t, timesteps).sample
        loss = self.process.loss(prediction.float(), target, timesteps)
        self.scaler.scale(loss).backward()
        self.scaler.unscale_(self.optimiser)
        norm = torch.nn.utils.clip_grad_norm_(self.unet.parameters(), self.settings.clip_norm)
        self.scaler.step(self.optimiser)
        self.scaler.update()
        self.optimiser.zero_grad(set_to_none=True)
        self.rate.step()
        self.ema.step(self.unet.parameters())
        self.step += 1
        return loss.detach(), norm

    def state(self) -> dict[str, Any]:
        """Everything that the next step depends on."""
        return {
            "step": self.step,
            "seconds": self.seconds,
            "rows": self.rows,
            "unet": self.unet.state_dict(),
            "ema": self.ema.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "rate": self.rate.state_dict(),
            "scaler": self.scaler.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a saved state."""
        self.step, self.seconds, self.rows = state["step"], state["seconds"], state["rows"]
        for name in ("unet", "ema", "optimiser", "rate", "scaler"):
            getattr(self, name).load_state_dict(state[name])
        self.ema.to(self.device)

    def ema_unet(self) -> UNet2DModel:
        """The network with the averaged weights."""
        self.ema.copy_to(self.unet.parameters())
        return self.unet

    def _draw(self) -> tuple[Tensor, Tensor, Tensor]:
        """Images of this step in [-1, 1], their timesteps, and white noise."""
        generator = torch.Generator(self.device).manual_seed(mixed_seed(self.seed, self.step))
        x0 = self.images[self._indices()]
        count = len(x0)
        if self.settings.horizontal_flips:
            mirrored = torch.rand(count, 1, 1, 1, generator=generator, device=self.device) < 0.5
            x0 = torch.where(mirrored, x0.flip(-1), x0)
        x0 = to_unit(x0)
        timesteps = torch.randint(len(self.process.betas), (count,), generator=generator, device=self.device)
        white = torch.randn(x0.shape, generator=generator, device=self.device)
        return x0, timesteps, white

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
            generator = torch.Generator().manual_seed(mixed_seed(self.seed, epoch, 1))
            order = torch.randperm(len(self.images), generator=generator)
            if self.device.type == "cuda":
                order = order.pin_memory()
            self._order = (epoch, order.to(self.device, non_blocking=True))
        return self._order[1]


def mixed_seed(*numbers: int) -> int:
    """A well-mixed 63-bit seed that is a function of the numbers."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> np.uint64(1))


def train(training: Training, checkpointing: Checkpointing) -> None:
    """Run a training to its last step, from a fitting checkpoint where there is one.

    Raises Interrupted after a signal (the checkpoint is written) and UserError where the loss is
    no longer finite.
    """
    saved = load_checkpoint(checkpointing.path, checkpointing.fingerprint)
    if saved:
        training.restore(saved)
        log.info("continuing from step %d of %d", training.step, training.steps)
    last_saved = time.monotonic()
    recorder = Recorder(training)
    with (
        interruption() as asked,
        progress(total=training.steps, initial=training.step, desc="train", unit="step") as bar,
    ):
        while training.step < training.steps:
            recorder.add(*training.take_step())
            bar.update()
            if training.step == training.steps:
                break  # complete: a signal that came now has nothing to save
            if asked.signum or time.monotonic() - last_saved > checkpointing.every_seconds:
                recorder.flush()
                save_checkpoint(checkpointing.path, training.state(), checkpointing.fingerprint)
                last_saved = time.monotonic()
            if asked.signum:
                raise Interrupted(asked.signum, training.step)
    recorder.flush()


class Recorder:
    """Collects losses on the device and reads them every LOG_STEPS steps, so that no step waits."""

    def __init__(self, training: Training) -> None:
        self.training = training
        self.pending: list[Tensor] = []
        self.since = time.monotonic()

    def add(self, loss: Tensor, norm: Tensor) -> None:
        """Note a step's loss and gradient norm (fp16 skips a step whose norm is not finite)."""
        self.pending.append(torch.stack([loss, torch.where(torch.isfinite(norm), norm, torch.nan)]))
        if self.training.step % LOG_STEPS == 0:
            self.flush()

    def flush(self) -> None:
        """Read what is pending into one row: means over the steps since the last row."""
        if not self.pending:
            return
        values = torch.stack(self.pending)
        if not bool(torch.isfinite(values[:, 0]).all()):
            first = self.training.step - len(values) + 1 + int((~torch.isfinite(values[:, 0])).nonzero()[0])
            raise UserError(f"the loss is not finite at step {first}; lower the recipe's learning_rate")
        loss, norm = values.nanmean(0).tolist()
        now = time.monotonic()
        self.training.seconds += now - self.since
        images = len(values) * self.training.settings.batch_size
        self.training.rows.append(
            {
                "step": self.training.step,
                "loss": loss,
                "gradient_norm": norm,
                "learning_rate": self.training.rate.get_last_lr()[0],
                "ema_decay": self.training.ema.cur_decay_value,
                "images_per_second": round(images / (now - self.since), 2),
            }
        )
        self.pending, self.since = [], now
