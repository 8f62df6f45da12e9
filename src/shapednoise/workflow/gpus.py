"""One GPU for each process of a machine, or a share of one.

Snakemake's resource `gpu` counts the jobs that run at once, but does not say which job has which GPU.
"""

import os
import socket
import tempfile
from pathlib import Path

import torch

from shapednoise.workflow.locks import claim_slot

_claimed: list[torch.device] = []


def claim_device(points_per_gpu: int = 1) -> torch.device:
    """A GPU with a free slot, made torch's current one, or the CPU if there is no GPU.

    points_per_gpu: how many processes of this user may share a GPU. The slot is this process's until it
    ends, and a further call gives the same device. If all slots are taken, it waits for one and says so
    in one line. Which GPUs are visible (CUDA_VISIBLE_DEVICES) may differ between processes; TMPDIR must
    not, since the slots are files there. Raises UserError if their folder cannot be made.
    """
    if not torch.cuda.is_available():
        return torch.device("cpu")
    if not _claimed:
        names = [_name(index) for index in range(torch.cuda.device_count())]
        folder = Path(tempfile.gettempdir()) / f"shapednoise-gpus-{os.getuid()}"
        _claimed.append(torch.device("cuda", claim_slot(names, points_per_gpu, folder)))
        torch.cuda.set_device(_claimed[0])
    return _claimed[0]


def _name(index: int) -> str:
    """A name for a visible GPU that all processes of all machines agree on.

    That is its UUID, unless it has none or is a part of a GPU (MIG), whose UUID may be that of the whole.
    """
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
    entry = (visible[index].strip() if index < len(visible) else "") or str(index)
    uuid = str(getattr(torch.cuda.get_device_properties(index), "uuid", ""))
    if entry.startswith("MIG-") or not uuid.strip("0-"):
        return f"{socket.gethostname()}-{entry}"
    return uuid
