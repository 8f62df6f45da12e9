"""Checkpoints of a training in progress. They are not results: they live apart and may be deleted.

A checkpoint is a file STEP-DIGEST.pt: its name holds the digest of its content, by which a file torn by a
crash, a full disk or a copy is recognized. The last two are kept.
"""

import os
import pickle
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch

from shapednoise.files import sha256_of_file
from shapednoise.log import log

PARTIAL = ".partial.pt"
Fingerprint = dict[str, str]


class Checkpoints:
    """The checkpoints of one training in a folder that no other process uses."""

    def __init__(
        self, folder: Path, fingerprint: Fingerprint, every_seconds: float = 600.0, every_steps: int = 0
    ) -> None:
        """fingerprint: a digest of each thing that the training depends on, such as settings and code.

        every_seconds, every_steps: how often one is due; 0 steps: the clock alone decides.
        """
        self.folder = folder
        # plain text: PyTorch's version is a class of its own, which a safe load refuses
        self.fingerprint = {name: str(value) for name, value in fingerprint.items()}
        self.every_seconds, self.every_steps = every_seconds, every_steps
        self._last: Path | None = None  # the last one that was written or used

    def due(self, steps: int, seconds: float) -> bool:
        """Whether the next one is due, this long after the last one."""
        return seconds >= self.every_seconds or bool(self.every_steps and steps >= self.every_steps)

    def save(self, step: int, state: dict[str, Any]) -> bool:
        """Write the state, whole or not at all, and remove all but this one and the one before it.

        A checkpoint that cannot be written (a full disk) does not end the training: False, and a warning.
        """
        partial = self.folder / f".{os.getpid()}{PARTIAL}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            torch.save({"fingerprint": self.fingerprint, "state": state}, partial)
            path = partial.replace(self.folder / f"{step:09d}-{_digest(partial)}.pt")
        except (OSError, RuntimeError) as error:  # torch's writer turns a full disk into the latter
            with suppress(OSError):
                partial.unlink()
            log.warning("no checkpoint of step %d: %s cannot be written (%s)", step, self.folder, error)
            return False
        for other in set(self._newest_first()) - {path, self._last}:
            other.unlink(missing_ok=True)
        self._last = path
        return True

    def load(self) -> dict[str, Any] | None:
        """The newest state that is whole and fits, or None. The log names files that are not used."""
        for left_by_a_crash in self.folder.glob(f".*{PARTIAL}"):
            left_by_a_crash.unlink(missing_ok=True)
        paths = self._newest_first()
        for path in paths:
            state = self._read(path)
            if state is not None:
                self._last = path
                return state
        if paths:
            log.warning("no checkpoint in %s can be used; training starts from step 0", self.folder)
        return None

    def remove(self) -> None:
        """Remove the folder, when the final weights are written."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _newest_first(self) -> list[Path]:
        return sorted(self.folder.glob("[0-9]*-*.pt"), reverse=True)

    def _read(self, path: Path) -> dict[str, Any] | None:
        try:
            if _digest(path) != path.stem.partition("-")[2]:
                raise ValueError("its content has changed since it was written")
            saved = torch.load(path, map_location="cpu", weights_only=True)
            theirs: Fingerprint = saved["fingerprint"]
        except (OSError, ValueError, KeyError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
            why = str(error).partition("\n")[0]
            log.warning("checkpoint %s is damaged (%s) and is not used", path, why)
            return None
        if other := [name for name, digest in self.fingerprint.items() if theirs.get(name) != digest]:
            log.warning("checkpoint %s was made by other %s and is not used", path, " and ".join(other))
            return None
        return saved["state"]


def _digest(path: Path) -> str:
    return sha256_of_file(path)[:16]


class ReceivedSignal:
    """The number of the signal that was received, or None."""

    signum: int | None = None


@contextmanager
def defer_signals() -> Iterator[ReceivedSignal]:
    """Note SIGINT, SIGTERM and SIGUSR1 during the block instead of ending, so that a step completes."""
    received = ReceivedSignal()

    def handler(signum: int, frame: object) -> None:
        received.signum = signum

    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
    before = {signum: signal.signal(signum, handler) for signum in signals}
    try:
        yield received
    finally:
        for signum, previous in before.items():
            signal.signal(signum, previous)
