"""The reference loop: squeezed diffusion as a careful reader would write it from the published recipe.

Plain PyTorch, diffusers and torch-fidelity, nothing of this library, so that it is a comparison and,
in the tests, an independent check of the noise and of the sampler. It decodes PNGs in a DataLoader,
squeezes noise by a 3 x 3 matrix for each image, averages weights in a loop over the parameters, samples
under autocast as it trains (the published evaluation keeps accelerate's wrapper of the network) and calls
torch-fidelity once for each score.
"""

import contextlib
import io
import itertools
import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import DDPMScheduler, UNet2DModel
from diffusers.optimization import get_cosine_schedule_with_warmup
from PIL import Image
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset, Subset
from torch_fidelity import calculate_metrics
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
from torchvision import transforms

from benchmarks.engine.task import GREY, Task, diffusers_config

SAMPLING_BATCH = {"cpu": 64, "cuda": 500}
FIDELITY_BATCH = 64  # torch-fidelity's default


class Squeeze:
    """S_t = exp(-s(t)) on the axis v and the identity across it; s(t) = s0 beta_t / beta_max."""

    def __init__(self, strength: float, axis: list[float], betas: Tensor) -> None:
        """axis: the unit vector v, three numbers; betas: (T,)."""
        self.strength, self.betas = strength, betas
        v = torch.tensor(axis)
        self.along = torch.outer(v, v)

    def matrix(self, t: int) -> Tensor:
        """S_t, 3 x 3."""
        s = self.strength * self.betas[t] / self.betas.max()
        return torch.eye(3) + (torch.exp(-s) - 1) * self.along

    def noise(self, white: Tensor, timesteps: Tensor) -> Tensor:
        """S_t e of white noise e (B, 3, H, W), timesteps (B,)."""
        matrices = torch.stack([self.matrix(int(t)) for t in timesteps]).to(white.device)
        return torch.einsum("bij,bjhw->bihw", matrices, white)


def reverse_step(
    scheduler: DDPMScheduler, squeeze: Squeeze, output: Tensor, t: int, x: Tensor, **options: Any
) -> Tensor:
    """x of the next timestep: whiten, DDPM's step, squeeze again by the S of the timestep left."""
    matrix = squeeze.matrix(t)
    matrix, inverse = matrix.to(x.device), torch.linalg.inv(matrix).to(x.device)
    whitened = [torch.einsum("ij,bjhw->bihw", inverse, image) for image in (output, x)]
    stepped = scheduler.step(whitened[0], t, whitened[1], **options).prev_sample
    return torch.einsum("ij,bjhw->bihw", matrix, stepped)


class PngImages(Dataset):
    """Images that are decoded, mirrored at random and scaled to [-1, 1] one by one."""

    def __init__(self, path: Path) -> None:
        """path: a pickled list of PNG bytes."""
        self.encoded = pickle.loads(path.read_bytes())
        self.transform = transforms.Compose(
            [transforms.RandomHorizontalFlip(), transforms.ToTensor(), transforms.Normalize([0.5], [0.5])]
        )

    def __len__(self) -> int:
        return len(self.encoded)

    def __getitem__(self, index: int) -> Tensor:
        return self.transform(Image.open(io.BytesIO(self.encoded[index])).convert("RGB"))


def as_dataset(images: np.ndarray) -> Subset:
    """uint8 images as torch-fidelity takes them."""
    return Subset(torch.from_numpy(np.array(images)), range(len(images)))


class Side:
    """Trains, samples and scores; every method returns plain numbers."""

    def __init__(self, task: Task) -> None:
        torch.set_num_threads(task.threads)
        self.task, self.device = task, torch.device(task.device)
        self.gpu = self.device.type == "cuda"
        self.scheduler = DDPMScheduler(num_train_timesteps=1000, beta_start=1e-4, beta_end=0.02)
        self.squeeze = Squeeze(task.strength, GREY, self.scheduler.betas)
        self.samples: np.ndarray | None = None

    def dtypes(self) -> dict[str, str]:
        """The dtypes that the network is computed in."""
        return dict.fromkeys(("train", "sample"), "fp16" if self.gpu else "fp32")

    def autocast(self) -> contextlib.AbstractContextManager:
        """Mixed precision on a GPU."""
        return torch.autocast("cuda", torch.float16) if self.gpu else contextlib.nullcontext()

    def start_training(self, seed: int | None = None) -> None:
        """Data, network, optimizer, averaged weights; seed: another one than the task's."""
        task, images = self.task, PngImages(Path(self.task.pngs))
        torch.manual_seed(task.seed if seed is None else seed)
        loader = DataLoader(
            images, task.batch_size, shuffle=True, num_workers=task.workers, pin_memory=self.gpu
        )
        self.batches = (batch for _ in itertools.count() for batch in loader)  # epoch after epoch
        self.unet = UNet2DModel(**diffusers_config(task.unet)).to(self.device)
        self.optimizer = torch.optim.AdamW(
            self.unet.parameters(), lr=self.task.learning_rate, betas=(0.95, 0.999), weight_decay=1e-6
        )
        self.lr_scheduler = get_cosine_schedule_with_warmup(
            self.optimizer, self.task.warmup_steps, self.task.steps
        )
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=self.gpu)
        self.averaged = [parameter.detach().clone() for parameter in self.unet.parameters()]
        self.step = 0

    def train(self, steps: int) -> dict:
        """Take `steps` steps; returns their losses and the number of images seen."""
        losses, images = [], 0
        for _ in range(steps):
            batch = next(self.batches)
            losses.append(self._train_step(batch.to(self.device)))
            images += len(batch)
        return {"losses": losses, "images": images}

    def _train_step(self, clean: Tensor) -> float:
        white = torch.randn_like(clean)
        timesteps = torch.randint(0, 1000, (len(clean),), device=self.device)
        noise = self.squeeze.noise(white, timesteps)
        noisy = self.scheduler.add_noise(clean, noise, timesteps)
        with self.autocast():
            predicted = self.unet(noisy, timesteps).sample
            loss = functional.mse_loss(predicted.float(), noise)
        self.optimizer.zero_grad()
        self.scaler.scale(loss).backward()
        self.scaler.unscale_(self.optimizer)
        torch.nn.utils.clip_grad_norm_(self.unet.parameters(), 1.0)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.lr_scheduler.step()
        self._average()
        return loss.item()

    @torch.no_grad()
    def _average(self) -> None:
        """Exponential moving average, its decay warmed up."""
        decay = min(0.9999, 1 - (1 + self.step) ** -0.75)
        for averaged, parameter in zip(self.averaged, self.unet.parameters(), strict=True):
            averaged.mul_(decay).add_(parameter, alpha=1 - decay)
        self.step += 1

    def start_sampling(self) -> None:
        """A network to sample with: that of the training where there was one, else a new one."""
        if not hasattr(self, "unet"):
            torch.manual_seed(self.task.seed)
            self.unet = UNet2DModel(**diffusers_config(self.task.unet)).to(self.device)
            return
        with torch.no_grad():
            for parameter, averaged in zip(self.unet.parameters(), self.averaged, strict=True):
                parameter.copy_(averaged)

    def sample(self, count: int, steps: int = 50) -> dict:
        """Draw images and keep them, uint8."""
        self.unet.eval()
        self.scheduler.set_timesteps(steps)
        batch = SAMPLING_BATCH[self.device.type]
        parts = [self._sample(min(batch, count - start)) for start in range(0, count, batch)]
        self.samples = np.concatenate(parts)
        return {"images": len(self.samples)}

    @torch.no_grad()
    def _sample(self, count: int) -> np.ndarray:
        white = torch.randn(count, 3, 32, 32, device=self.device)
        x = self.squeeze.noise(white, torch.full((count,), 999))
        for t in self.scheduler.timesteps.tolist():
            with self.autocast():
                output = self.unet(x, t).sample
            x = reverse_step(self.scheduler, self.squeeze, output.float(), t, x)
        return ((x / 2 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy()

    def score(self, reals: int) -> dict:
        """FID, Inception Score, precision and recall: torch-fidelity is called once for each."""
        generated = as_dataset(self.samples)
        real = as_dataset(np.load(self.task.array, mmap_mode="r")[:reals])
        common = {
            "input1": generated, "cuda": self.gpu, "batch_size": FIDELITY_BATCH, "cache": False,
            "verbose": False, "feature_extractor": "inception-v3-compat",
            "feature_extractor_weights_path": self.task.weights,
        }  # fmt: skip
        found = calculate_metrics(fid=True, input2=real, **common)
        found |= calculate_metrics(isc=True, **common)
        found |= calculate_metrics(prc=True, input2=real, feature_layer_prc="2048", **common)
        return {
            "extracted": 3 * len(generated) + 2 * len(real),
            "scores": {name: value if math.isfinite(value) else None for name, value in found.items()},
        }

    def start_features(self) -> None:
        """The network of the scores."""
        self.extractor = FeatureExtractorInceptionV3("inception", ["2048"], self.task.weights)
        self.extractor.to(self.device).eval()

    @torch.no_grad()
    def features(self, count: int) -> dict:
        """Extract features of real images."""
        images = as_dataset(np.load(self.task.array, mmap_mode="r")[:count])
        for batch in DataLoader(images, batch_size=FIDELITY_BATCH):
            self.extractor(batch.to(self.device))[0].cpu()
        return {"images": count}
