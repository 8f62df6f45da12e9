"""Processes of the two sides, and rounds in which they take turns."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.engine.task import Task

ROOT = Path(__file__).resolve().parents[2]
SIDES = ("reference", "ours")
QUIET = {"TQDM_DISABLE": "1", "PYTHONWARNINGS": "ignore"}  # no progress bars, no advice on workers


class SideProcess:
    """A side in a process of its own, which computes only while it is asked."""

    def __init__(self, side: str, task: Task) -> None:
        """Returns when it is ready; `start_seconds` is the time that the process and its imports took."""
        began = time.perf_counter()
        self.side = side
        command = [sys.executable, "-m", "benchmarks.engine.worker", side, task.text()]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, **QUIET},
        )
        self._read()
        self.start_seconds = time.perf_counter() - began

    def call(self, method: str, **arguments: Any) -> dict:
        """Call a method of the side; `seconds`, `result`, `peak_gb`. Raises RuntimeError where it ends."""
        self.process.stdin.write(json.dumps({"method": method, "arguments": arguments}) + "\n")
        self.process.stdin.flush()
        return self._read()

    def end(self) -> None:
        """No more calls: the process ends."""
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()

    def _read(self) -> dict:
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the process of {self.side} ended with code {self.process.wait()}")
        return json.loads(line)


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
