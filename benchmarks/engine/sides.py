"""The sides in processes of their own, each of which computes only while it is asked."""

import importlib
import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any

from benchmarks.engine.task import Task

SIDES = ("reference", "ours")  # keys of all results
MODULES = {"reference": "reference", "ours": "library", "machine": "machine"}
QUIET = {"TQDM_DISABLE": "1", "PYTHONWARNINGS": "ignore"}  # no progress bars, no advice on workers


class SideProcess:
    """A side in a process of its own; `start_seconds` is the time that it and its imports took."""

    def __init__(self, side: str, task: Task) -> None:
        began = time.perf_counter()
        self.connection, there = Pipe()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.engine.sides", side, str(there.fileno())],
            pass_fds=[there.fileno()], stdout=sys.stderr, env={**os.environ, **QUIET},
        )  # fmt: skip
        there.close()
        self.connection.send(task)
        self.connection.recv()
        self.start_seconds = time.perf_counter() - began

    def call(self, method: str, **arguments: Any) -> dict:
        """Call a method of the side; `seconds`, `result`, `peak_gb`. Raises EOFError where it has ended."""
        self.connection.send((method, arguments))
        return self.connection.recv()

    def end(self) -> None:
        """No more calls: the process ends."""
        self.connection.close()
        self.process.wait()


@contextmanager
def processes(task: Task, names: tuple[str, ...] = SIDES) -> Iterator[dict[str, SideProcess]]:
    """New processes of the sides, which end with the block."""
    started: dict[str, SideProcess] = {}
    try:
        for name in names:
            started[name] = SideProcess(name, task)
        yield started
    finally:
        for process in started.values():
            process.end()


def in_turn(sides: dict[str, SideProcess], method: str, rounds: int, **arguments: Any) -> dict[str, list]:
    """The answers of both sides, which take turns; who is first changes from round to round."""
    answers: dict[str, list] = {name: [] for name in sides}
    for index in range(rounds):
        for name in list(sides)[:: 1 if index % 2 == 0 else -1]:
            answers[name].append(sides[name].call(method, **arguments))
    return answers


def serve(name: str, connection: Connection) -> None:
    """Answer every call until there are no more."""
    side = importlib.import_module(f"benchmarks.engine.{MODULES[name]}").Side(connection.recv())
    connection.send("ready")
    with suppress(EOFError):
        while True:
            connection.send(answer(side, *connection.recv()))


def answer(side: Any, method: str, arguments: dict) -> dict:
    """Call a method; its result, its seconds, and the peak memory of this process so far."""
    import torch  # noqa: PLC0415  the side has loaded it
    from torch.utils.benchmark import timer  # noqa: PLC0415  waits for a GPU

    began = timer()
    result = getattr(side, method)(**arguments)
    seconds = timer() - began
    gpu = side.device.type == "cuda"
    peak = torch.cuda.max_memory_allocated() / 1e9 if gpu else peak_gb()
    return {"seconds": seconds, "result": result, "peak_gb": peak}


def peak_gb() -> float:
    """The largest resident set of this process so far, in 10^9 bytes."""
    status = Path("/proc/self/status")
    if status.is_file():  # its own peak; ru_maxrss of a new process begins with that of its parent
        return int(re.search(r"VmHWM:\s+(\d+)", status.read_text())[1]) * 1024 / 1e9
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


if __name__ == "__main__":
    serve(sys.argv[1], Connection(int(sys.argv[2])))
