"""One side in a process of its own: calls come as JSON lines, seconds and results go back as such.

    python -m benchmarks.engine.worker SIDE TASK

Started by processes.py. What libraries print goes to standard error.
"""

import importlib
import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.engine.task import task_from

MODULES = {name: f"benchmarks.engine.{name}" for name in ("reference", "ours", "machine")}


def main() -> None:
    """Answer every call until there are no more."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    module = importlib.import_module(MODULES[sys.argv[1]])
    side = module.Side(task_from(sys.argv[2]))
    _reply(replies, {"ready": True})
    for line in sys.stdin:
        call = json.loads(line)
        _reply(replies, answer(side, call["method"], call["arguments"]))


def answer(side: Any, method: str, arguments: dict) -> dict:
    """Call a method; its result, its seconds, and the peak memory of this process so far."""
    synchronise(side)
    began = time.perf_counter()
    result = getattr(side, method)(**arguments)
    synchronise(side)
    return {"seconds": time.perf_counter() - began, "result": result, "peak_gb": peak_gb(side)}


def synchronise(side: Any) -> None:
    """Wait for the device, where it computes on its own."""
    if side.device.type == "cuda":
        import torch  # noqa: PLC0415  the side has loaded it

        torch.cuda.synchronize()


def peak_gb(side: Any) -> float:
    """Most memory held, in 10^9 bytes: tensors on a GPU, else the resident set of this process."""
    if side.device.type == "cuda":
        import torch  # noqa: PLC0415

        return torch.cuda.max_memory_allocated() / 1e9
    status = Path("/proc/self/status")
    if status.is_file():  # its own peak; ru_maxrss of a new process begins with that of its parent
        [line] = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) * 1024 / 1e9
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def _reply(stream: Any, content: dict) -> None:
    stream.write(json.dumps(content) + "\n")
    stream.flush()


if __name__ == "__main__":
    main()
