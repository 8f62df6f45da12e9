"""The library's side. Whatever the benchmark knows of its interfaces stands in this file."""

from pathlib import Path

import numpy as np
import torch

from benchmarks.engine.task import GREY, UNETS, Task
from shapednoise.config.data import NetworkSettings
from shapednoise.config.sampling import SamplerSettings
from shapednoise.config.scoring import ScoringSettings
from shapednoise.config.training import PrecisionSettings, TrainingSettings, UNetSettings
from shapednoise.diffusion.device import compute_dtype, configure_cpu
from shapednoise.diffusion.network import build_unet
from shapednoise.diffusion.sampling import BatchSampler, sample, sampling_scheduler
from shapednoise.diffusion.training import Training
from shapednoise.metrics.extractors import load_extractor
from shapednoise.metrics.features import extract
from shapednoise.metrics.scores import score
from shapednoise.noise.process import ShapedProcess, linear_betas
from shapednoise.noise.schedulers import ShapedDDPMScheduler
from shapednoise.noise.shape import make_shape

PRECISIONS = {
    "low": PrecisionSettings(cuda="fp16", cpu="auto"),
    "fp32": PrecisionSettings(cuda="fp32", cpu="fp32"),
}
NAMES = {torch.float32: "fp32", torch.float16: "fp16", torch.bfloat16: "bf16"}
SCORES = ("fid", "kid", "is", "precision", "recall", "density", "coverage", "fid_se")


class Side:
    """Trains, samples and scores; every method returns plain numbers."""

    def __init__(self, task: Task) -> None:
        configure_cpu(task.threads)
        self.task, self.device = task, torch.device(task.device)
        self.precision = PRECISIONS["low"]
        self.shape = {"operator": "sdm", "strength": task.strength, "axis": GREY}
        self.samples: np.ndarray | None = None

    def dtypes(self) -> dict[str, str]:
        """The dtypes that the network is computed in."""
        name = NAMES[compute_dtype(self.precision, self.device)]
        return {"train": name, "sample": name}

    def start_training(self, seed: int | None = None) -> None:
        """Data, network, optimizer, averaged weights; seed: another one than the task's."""
        task = self.task
        images = np.load(task.array, mmap_mode="r")[: task.count]
        settings = TrainingSettings(
            unet=UNetSettings(**UNETS[task.unet]),
            epochs=task.steps * task.batch_size / len(images),
            batch_size=task.batch_size,
            learning_rate=task.learning_rate,
            warmup_steps=task.warmup_steps,
            precision=self.precision,
        )
        process = ShapedProcess(make_shape(**self.shape), linear_betas(1e-4, 0.02, 1000), exact=False)
        self.training = Training(images, process, settings, task.seed if seed is None else seed, self.device)
        if task.compile:
            self.training.compile(wanted=True)

    def train(self, steps: int) -> dict:
        """Take `steps` steps; returns their losses and the number of images seen."""
        losses = torch.stack([self.training.train_step()[0] for _ in range(steps)])
        return {"losses": losses.tolist(), "images": steps * self.task.batch_size}

    def start_sampling(self) -> None:
        """A network to sample with: that of the training where there was one, else a new one."""
        if hasattr(self, "training"):
            self.unet = self.training.ema_unet().eval()
            return
        torch.manual_seed(self.task.seed)
        self.unet = build_unet(UNetSettings(**UNETS[self.task.unet]), 32).to(self.device).eval()

    def sample(self, count: int, steps: int = 50, seed: int = 0, precision: str | None = None) -> dict:
        """Draw images and keep them, uint8. A precision that is named is without TF32."""
        chosen = PRECISIONS[precision] if precision else self.precision
        if precision:
            torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
        settings = SamplerSettings(images=count, steps=steps, seed=seed, precision=chosen)
        scheduler = sampling_scheduler(ShapedDDPMScheduler(shape=self.shape), settings)
        compile = "on" if self.task.compile else "off"
        self.samples = sample(BatchSampler(self.unet, scheduler, settings, compile=compile))["images"]
        return {"images": len(self.samples)}

    def score(self, reals: int, **options: int) -> dict:
        """All scores of the samples against the first real images, whose features are kept."""
        if not hasattr(self, "real"):
            self.start_features()
            self.real = self._extract(np.load(self.task.array, mmap_mode="r"), reals)
        generated = self._extract(self.samples, len(self.samples))
        settings = ScoringSettings(kid_subset_size=min(1000, len(self.samples), reals), **options)
        found = score(generated, self.real, settings)
        return {
            "extracted": len(self.samples) + reals,
            "scores": {name: found[name] for name in SCORES if name in found},
        }

    def start_features(self) -> None:
        """The network of the scores."""
        self.extractor = load_extractor(Path(self.task.weights), self.device)

    def features(self, count: int) -> dict:
        """Extract features of real images."""
        self._extract(np.load(self.task.array, mmap_mode="r"), count)
        return {"images": count}

    def _extract(self, images: np.ndarray, count: int) -> dict[str, np.ndarray]:
        return extract(self.extractor, images, np.arange(count), NetworkSettings().batch_size)
