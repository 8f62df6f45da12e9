"""Processes that hold something until their standard input is closed."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

PROGRAM = """
import os, signal, sys
from pathlib import Path
from shapednoise.workflow.cli import run
from shapednoise.workflow.locks import claim_slot, exclusive_lock, hold_until_exit
path = Path(sys.argv[1])
signal.alarm(600)  # a test that fails does not wait for ever
def say(what):
    print(what, flush=True)
    sys.stdin.read()
def main():
    {body}
run(main)
"""


def said(process: subprocess.Popen) -> str:
    """The next line of a process's output; waits for it."""
    return process.stdout.readline().strip()


class Processes:
    """Starts processes and ends those that are left."""

    def __init__(self, stack: ExitStack) -> None:
        self.stack = stack

    def start(self, body: str, path: object) -> subprocess.Popen:
        """A process whose `main` is `body`, where `say` prints a line and waits for the end of its input."""
        command = [sys.executable, "-c", PROGRAM.format(body=body), str(path)]
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        process = self.stack.enter_context(subprocess.Popen(command, text=True, **pipes))
        self.stack.callback(process.kill)
        return process


@contextmanager
def processes() -> Iterator[Processes]:
    with ExitStack() as stack:
        yield Processes(stack)
