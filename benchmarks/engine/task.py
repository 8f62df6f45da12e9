"""What both sides of the benchmark are given. Nothing here imports the library or torch."""

import math
from dataclasses import dataclass

UNETS = {
    "paper": {
        "channels": [128, 256, 512, 512], "layers_per_block": 2, "attention_levels": [4], "norm_groups": 32
    },
    "demo": {
        "channels": [16, 32, 64, 64], "layers_per_block": 1, "attention_levels": [4], "norm_groups": 8
    },
}  # fmt: skip
POINT = {"images": 500_000, "samples": 10_000, "reals": 50_000}  # one point of the paper's figures
FEWEST = 12  # images that every score can be computed from, with its interval
GREY = [1 / math.sqrt(3)] * 3  # the principal color axis of natural images, nearly


@dataclass(frozen=True)
class Task:
    """Network, recipe, files and device. Both sides get the same."""

    unet: str = "paper"
    device: str = "cpu"
    threads: int = 1
    batch_size: int = 128  # images a training step
    steps: int = 3910  # of the whole training, for the learning rate
    seed: int = 0
    pngs: str = ""  # pickled list of the training images as PNG bytes, for the reference loop
    array: str = ""  # all images, uint8 N x C x H x W (.npy)
    count: int = 50_000  # training images: the first ones of the array
    weights: str = ""  # of Inception (.pth)
    strength: float = -0.4
    learning_rate: float = 1e-4
    warmup_steps: int = 500
    workers: int = 2  # processes that decode images, of the reference loop
    compile: bool = False  # the library: torch.compile the network


def diffusers_config(unet: str) -> dict:
    """The arguments of diffusers' UNet2DModel for 32 x 32 color images."""
    settings = UNETS[unet]
    attention = [level in settings["attention_levels"] for level in range(1, len(settings["channels"]) + 1)]
    return {
        "sample_size": 32,
        "in_channels": 3,
        "out_channels": 3,
        "layers_per_block": settings["layers_per_block"],
        "block_out_channels": tuple(settings["channels"]),
        "norm_num_groups": settings["norm_groups"],
        "down_block_types": tuple("AttnDownBlock2D" if a else "DownBlock2D" for a in attention),
        "up_block_types": tuple("AttnUpBlock2D" if a else "UpBlock2D" for a in reversed(attention)),
    }


def point_at(fraction: float) -> dict[str, int]:
    """Images of each stage of a whole point, at this fraction of the paper's."""
    return {name: max(FEWEST, round(count * fraction)) for name, count in POINT.items()}
