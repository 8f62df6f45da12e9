"""Ways to compute a recipe's network, by turns in one process: as the library does (plain) and otherwise.

    python -m benchmarks.ways --part sampling [--configs study.yaml] [--ways fused compile]

Prints images per second of processor time, which a busy machine falsifies less than the clock, and the median
over rounds of each way's ratio to `plain`. Compiling is left out of it and printed apart. Random images.
"""

import statistics
import time
from pathlib import Path

import numpy as np
import torch
from diffusers.models.attention_processor import Attention, AttnProcessor2_0

from benchmarks.common import markdown, new_parser
from shapednoise.diffusion.attention import choose_attention
from shapednoise.diffusion.device import compiled, compute_dtype, configure_cpu, pick_device
from shapednoise.diffusion.network import build_unet
from shapednoise.diffusion.training import Training
from shapednoise.noise.process import linear_betas
from shapednoise.noise.strengths import training_process
from shapednoise.workflow.project import load_config

WAYS = {
    "plain": {},
    "last": {"last": True},
    "compile": {"compile": True},
    "both": {"last": True, "compile": True},
    "fused": {"fused": True},  # diffusers' own attention
    "fused_compile": {"fused": True, "compile": True},
}
BATCHES = {"batch4": 4}  # times the plain batch; of sampling alone
AXIS = [1 / 3**0.5] * 3


def arrange(network, last: bool, fused: bool) -> None:
    """Channels last, and diffusers' attention, where wanted."""
    if last:
        network.to(memory_format=torch.channels_last)
    for module in network.modules():
        if fused and isinstance(module, Attention):
            module.set_processor(AttnProcessor2_0())


class Sampling:
    """Forward passes of the network in evaluation mode."""

    def __init__(self, config, recipe: str, size: int, batch: int, compile: bool, **layout: bool) -> None:
        settings, device = config.recipes[recipe], pick_device()
        torch.manual_seed(0)
        unet = build_unet(settings.training.unet, size, of_strengths=True).to(device).eval()
        dtype = compute_dtype(settings.sampling.precision, device)
        x, t = torch.randn(batch, 3, size, size, device=device), torch.full((batch,), 500, device=device)
        self.arguments, self.images, self.device, self.dtype = (x, t, t.float()), batch, device, dtype
        choose_attention(unet, dtype)
        arrange(unet, **layout)
        self.network = compiled(unet, self.arguments, dtype, wanted=True) if compile else unet

    @torch.no_grad()
    def step(self) -> torch.Tensor:
        """One forward pass."""
        with torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
            return self.network(*self.arguments).sample


class TrainingSteps:
    """Steps of a training of many strengths."""

    def __init__(self, config, recipe: str, size: int, batch: int, compile: bool, **layout: bool) -> None:
        settings = config.recipes[recipe].training.model_copy(update={"batch_size": batch})
        images = np.random.default_rng(0).integers(0, 256, (512, 3, size, size), np.uint8)
        shape = {"operator": "sdm", "strength": 0.0, "axis": AXIS, "trained_strengths": [-0.4, 0.0, 0.4]}
        process = training_process(shape, linear_betas(**settings.schedule.for_diffusers()), False)
        self.training, self.images = Training(images, process, settings, 0, pick_device()), batch
        arrange(self.training.unet, **layout)
        if compile:
            self.training.compile(wanted=True)

    def step(self) -> torch.Tensor:
        """One optimizer step."""
        return self.training.train_step()[0]


def main() -> None:
    parser = new_parser(__doc__)
    parser.add_argument("--part", choices=["sampling", "training"], default="sampling")
    parser.add_argument("--ways", nargs="+", choices=[*WAYS, *BATCHES], default=[*WAYS], help="besides plain")
    parser.add_argument(
        "--configs", nargs="*", type=Path, default=[Path("study.yaml")], help="over config.yaml"
    )
    parser.add_argument("--size", type=int, default=16, help="pixels")
    parser.add_argument("--batch", type=int, default=64, help="images at once")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    configure_cpu(arguments.threads)
    config = load_config(Path("config.yaml"), *arguments.configs)
    kind = {"sampling": Sampling, "training": TrainingSteps}[arguments.part]
    sides, rates = {}, {}
    for way in dict.fromkeys(["plain", *arguments.ways]):
        began = time.process_time()
        options = {"last": False, "fused": False, "compile": False, **WAYS.get(way, {})}
        batch = arguments.batch * BATCHES.get(way, 1)
        sides[way] = kind(config, config.recipe, arguments.size, batch, **options)
        sides[way].step()  # warm-up
        print(f"{way}: {time.process_time() - began:.1f} s of processor time to start", flush=True)
    for _ in range(arguments.rounds):
        for way, side in sides.items():
            began = time.process_time()
            side.step()
            rates.setdefault(way, []).append(side.images / (time.process_time() - began))
    rows = []
    for way, found in rates.items():
        ratios = [one / plain for one, plain in zip(found, rates["plain"], strict=True)]
        texts = (statistics.median(found), statistics.median(ratios), min(ratios), max(ratios))
        rows.append([way, *(f"{number:.3g}" for number in texts)])
    print(markdown(["way", "images/s", "ratio", "least", "most"], rows))


if __name__ == "__main__":
    main()
