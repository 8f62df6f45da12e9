"""What the machine can do: its rate of matrix products, and the operations that the network needs."""

from collections.abc import Callable

import torch
from diffusers import UNet2DModel
from torch import Tensor
from torch.nn import functional
from torch.utils.benchmark import timer
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.engine.task import Task, diffusers_config
from shapednoise.config.training import PrecisionSettings
from shapednoise.diffusion.device import compute_dtype, configure_cpu

SIZES = {"cpu": (1024, 2048, 4096), "cuda": (1024, 2048, 4096, 8192)}
DTYPES = {
    "cpu": {"fp32": torch.float32, "bf16": torch.bfloat16},
    "cuda": {"fp32": torch.float32, "tf32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16},
}
LEAST_SECONDS = 0.5  # that each product is repeated for; the fastest counts
REPEATS = {"cpu": 1, "cuda": 20}  # products between two looks at the clock


class Side:
    """The third process: measures the machine while the others wait."""

    def __init__(self, task: Task) -> None:
        configure_cpu(task.threads)
        self.task, self.device = task, torch.device(task.device)
        self.gpu = self.device.type == "cuda"

    @torch.inference_mode()
    def matmul(self) -> dict:
        """By dtype the best of all sizes and ways: FLOP/s, and the way and size that reached it.

        A processor without instructions for bf16 takes minutes for a product, and is not asked.
        """
        native = {torch.float32, compute_dtype(PrecisionSettings(cpu="auto"), self.device)}
        names = [name for name, dtype in DTYPES[self.device.type].items() if self.gpu or dtype in native]
        return {name: self._best(name) for name in names}

    def _best(self, name: str) -> dict:
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = name == "tf32"
        dtype = DTYPES[self.device.type][name]
        found = [
            {"flops": 2 * size**3 / self._seconds(product), "way": way, "size": size}
            for size in SIZES[self.device.type]
            for way, product in products(size, dtype, self.device).items()
        ]
        return max(found, key=lambda one: one["flops"])

    def _seconds(self, product: Callable[[], Tensor]) -> float:
        """The least seconds of one product."""
        repeats, seconds = REPEATS[self.device.type], []
        product()
        while sum(seconds) < LEAST_SECONDS:
            start = timer()
            for _ in range(repeats):
                product()
            seconds.append(timer() - start)
        return min(seconds) / repeats

    def network(self) -> dict:
        """Floating-point operations of one image: forward, and training, taken as three times that."""
        with torch.device("meta"), FlopCounterMode(display=False) as counter:
            UNet2DModel(**diffusers_config(self.task.unet))(torch.zeros(1, 3, 32, 32), 0)
        forward = counter.get_total_flops()
        return {"forward": forward, "training": 3 * forward}


def products(size: int, dtype: torch.dtype, device: torch.device) -> dict[str, Callable[[], Tensor]]:
    """Ways to multiply two size x size matrices: torch.matmul and, of oneDNN or cuDNN, a 1 x 1 convolution.

    torch.matmul may go to a library that is slow on this processor (MKL on one that is not Intel's). The
    convolution has its rows in 16 images: with fewer, torch leaves it to the same library.
    """
    one, other = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    image = one.view(16, 1, size // 16, size).permute(0, 3, 1, 2)  # channels last
    kernel = other.view(size, size, 1, 1).contiguous(memory_format=torch.channels_last)
    return {
        "torch.matmul": lambda: one @ other,
        "1x1 convolution": lambda: functional.conv2d(image, kernel),
    }
