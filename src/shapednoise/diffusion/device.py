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


def configure_cpu(threads: int) -> None:
    """Compute with this many processor threads, and let glibc reuse the memory of freed tensors.

    By default it returns large blocks to the system, which fills each new one with zeros, page by page; a
    training step allocates and frees hundreds. Other C libraries are left as they are.
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


def compute_environment(settings: PrecisionSettings, device: torch.device) -> dict[str, str]:
    """Device, precision and PyTorch version, which the last digits of results depend on."""
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
    """The network compiled by torch.compile for the shape of these arguments, called with them once.

    That needs a C++ compiler and, on a GPU, one that Triton supports. If it fails: UserError if `wanted`,
    else a warning and the network itself.
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
            raise UserError(f"torch.compile fails ({why}); set engine.compile: off") from error
        log.warning("torch.compile fails (%s); continuing without it", why)
        return network
    return program  # type: ignore[return-value]  # torch.compile makes a module of a module


def is_out_of_memory(error: BaseException) -> bool:
    """Whether PyTorch ran out of memory, on a GPU or on the CPU."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def hardware() -> dict[str, str | int]:
    """The hardware of this process, for provenance: processor, threads, cores and, if there is one, GPU."""
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
