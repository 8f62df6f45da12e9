"""What both sides of the benchmark are given. Nothing here imports the library or torch."""

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

UNETS = {
    "paper": {"channels": [128, 256, 512, 512], "layers": 2, "attention_levels": [4], "norm_groups": 32},
    "demo": {"channels": [16, 32, 64, 64], "layers": 1, "attention_levels": [4], "norm_groups": 8},
}
POINT = {"images": 500_000, "samples": 10_000, "reals": 50_000}  # one point of the paper's figures
FEWEST = 12  # images that every score can be computed from, with its interval
GREY = [1 / math.sqrt(3)] * 3  # the principal colour axis of natural images, nearly


@dataclass(frozen=True)
class Task:
    """Network, recipe, files and device. Both sides get the same."""

    unet: str = "paper"
    device: str = "cpu"
    threads: int = 1
    batch_size: int = 128  # images a training step
    steps: int = 3910  # of the whole training, for the learning rate
    seed: int = 0
    pngs: str = ""  # pickled list of the training images as PNG bytes, for the reference
    array: str = ""  # all images, uint8 N x C x H x W (.npy)
    count: int = 50_000  # training images: the first ones of the array
    weights: str = ""  # of Inception (.pth)
    strength: float = -0.4
    learning_rate: float = 1e-4
    warmup_steps: int = 500
    workers: int = 2  # processes that decode images, of the reference
    compile: bool = False  # ours: torch.compile the network
    precision: str = "low"  # ours: low (fp16 on a GPU, bf16 on a CPU that has it) or fp32

    @property
    def levels(self) -> int:
        """Resolutions of the network."""
        return len(UNETS[self.unet]["channels"])

    def text(self) -> str:
        """As JSON, for another process."""
        return json.dumps(asdict(self))


def task_from(text: str) -> Task:
    """The task of its JSON text. Raises TypeError for an unknown field."""
    return Task(**json.loads(text))


def diffusers_config(unet: str) -> dict:
    """The arguments of diffusers' UNet2DModel for 32 x 32 colour images."""
    settings = UNETS[unet]
    attention = [level in settings["attention_levels"] for level in range(1, len(settings["channels"]) + 1)]
    return {
        "sample_size": 32,
        "in_channels": 3,
        "out_channels": 3,
        "layers_per_block": settings["layers"],
        "block_out_channels": tuple(settings["channels"]),
        "norm_num_groups": settings["norm_groups"],
        "down_block_types": tuple("AttnDownBlock2D" if a else "DownBlock2D" for a in attention),
        "up_block_types": tuple("AttnUpBlock2D" if a else "UpBlock2D" for a in reversed(attention)),
    }


def point_of(fraction: float) -> dict[str, int]:
    """Images of each stage of a whole point, at this fraction of the paper's."""
    return {name: max(FEWEST, round(count * fraction)) for name, count in POINT.items()}


def write_pngs(array: Path, count: int, target: Path) -> None:
    """Write the first `count` images of the array as a pickled list of PNG bytes."""
    import io  # noqa: PLC0415
    import pickle  # noqa: PLC0415

    import numpy as np  # noqa: PLC0415
    from PIL import Image  # noqa: PLC0415

    encoded = []
    for image in np.load(array, mmap_mode="r")[:count]:
        stream = io.BytesIO()
        Image.fromarray(image.transpose(1, 2, 0)).save(stream, "png")
        encoded.append(stream.getvalue())
    target.write_bytes(pickle.dumps(encoded))
