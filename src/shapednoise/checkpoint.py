"""Checkpoints of a training in progress. They are not results: they live apart and may be deleted."""

import pickle
import signal
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from shapednoise.console import log
from shapednoise.files import atomic_path


def save_checkpoint(path: Path, state: dict[str, Any], fingerprint: str) -> None:
    """Write the state, whole or not at all, with the fingerprint of what made it."""
    with atomic_path(path) as temporary:
        torch.save({"fingerprint": fingerprint, **state}, temporary)


def load_checkpoint(path: Path, fingerprint: str) -> dict[str, Any] | None:
    """The state of `path`, or None where there is none that fits; says so in one line."""
    if not path.is_file():
        return None
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError, zipfile.BadZipFile) as error:
        log.warning("checkpoint %s is damaged (%s); training starts from step 0", path, error)
        return None
    if state["fingerprint"] != fingerprint:
        log.warning("checkpoint %s was made by other settings or code; training starts from step 0", path)
        return None
    return state


class Interruption:
    """Whether the process was asked to stop, and by which signal."""

    signum: int | None = None


@contextmanager
def interruption() -> Iterator[Interruption]:
    """Turn SIGINT, SIGTERM and SIGUSR1 into a flag for the length of the block, so that a step ends."""
    asked = Interruption()

    def handler(signum: int, frame: object) -> None:
        asked.signum = signum

    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
    before = {signum: signal.signal(signum, handler) for signum in signals}
    try:
        yield asked
    finally:
        for signum, previous in before.items():
            signal.signal(signum, previous)
