"""The device that networks run on, the precision they run in, and how they use threads and memory."""

import contextlib
import ctypes
import os
import platform
from pathlib import Path

import torch
from torch import Tensor, nn

from shapednoise.config.training import PrecisionSettings
from shapednoise.errors import UserError
from shapednoise.log import log

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # parameters of glibc's mallopt
DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}


def pick_device() -> torch.device:
    """The first GPU that is visible (CUDA_VISIBLE_DEVICES is honoured), else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def use_threads(threads: int) -> None:
    """Compute with this many processor threads, and keep the memory that tensors give back.

    The C library returns large blocks to the system, which must then fill each new one with zeros, page
    by page; a step of a network allocates and frees hundreds. Elsewhere than with glibc nothing changes.
    """
    torch.set_num_threads(threads)
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(MMAP_THRESHOLD, 2**30)
        library.mallopt(TRIM_THRESHOLD, 2**31 - 1)


def compute_dtype(settings: PrecisionSettings, device: torch.device) -> torch.dtype:
    """The dtype of the forward pass on this device; `auto` on a CPU is bf16 where that is native."""
    if device.type == "cuda":
        return DTYPES[settings.cuda]
    if settings.cpu == "auto":
        abilities = torch.cpu.get_capabilities()
        native = abilities.get("avx512_bf16") or abilities.get("amx_bf16") or abilities.get("bf16")
        return torch.bfloat16 if native else torch.float32
    return torch.float32


def numbers_of(settings: PrecisionSettings, device: torch.device) -> dict[str, str]:
    """What the last digits of a network's results depend on, for records and fingerprints."""
    precision = str(compute_dtype(settings, device)).removeprefix("torch.")
    return {"device": device.type, "precision": precision, "torch": str(torch.__version__)}


def autocast(device: torch.device, dtype: torch.dtype) -> contextlib.AbstractContextManager:
    """Autocast to dtype; nothing for float32."""
    if dtype == torch.float32:
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype)


def compiled(
    network: nn.Module, arguments: tuple[Tensor, ...], dtype: torch.dtype, wanted: bool
) -> nn.Module:
    """The network by torch.compile, tried once with arguments of the one shape that it is for.

    That needs a C++ compiler and, on a GPU, one that Triton knows. Where it fails: UserError if it is
    wanted, else a warning and the network as it is.
    """
    program = torch.compile(network, dynamic=False)
    try:
        with torch.set_grad_enabled(network.training), autocast(arguments[0].device, dtype):
            program(*arguments)
    except Exception as error:
        if is_out_of_memory(error):
            raise
        why = " ".join(str(error).split())[:200]
        if wanted:
            raise UserError(f"engine.compile is on, but torch.compile fails ({why}); say off") from error
        log.warning("torch.compile fails (%s); going on without it", why)
        return network
    return program


def is_out_of_memory(error: BaseException) -> bool:
    """Whether PyTorch failed for want of memory, on a GPU or on the CPU."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def hardware() -> dict[str, str | int]:
    """What this process computes on, for provenance: processor, threads, GPU if there is one."""
    description: dict[str, str | int] = {"cpu": _cpu_name(), "threads": torch.get_num_threads()}
    description["cores"] = os.cpu_count() or 1
    if torch.cuda.is_available():
        description["gpu"] = torch.cuda.get_device_name()
    return description


def _cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
