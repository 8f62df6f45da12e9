"""Remove what interrupted runs leave: checkpoints, partial files, and what torch.compile made.

Nothing is removed that a running process holds, and nothing that is younger than asked.
"""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from shapednoise.errors import UserError
from shapednoise.files import PARTIAL, is_abandoned
from shapednoise.workflow.locks import holder_of, try_lock

CHECKPOINTS, COMPILED = "checkpoints", "compiled"
LOCK, RUN_LOCK = "lock", ".run.lock"


@dataclass
class Cleaning:
    """What was removed and what was not: paths with their bytes, or with the holder of their lock."""

    days: float
    removed: dict[Path, int] = field(default_factory=dict)
    skipped_recent: dict[Path, int] = field(default_factory=dict)
    skipped_locked: dict[Path, str] = field(default_factory=dict)

    def remove(self, path: Path) -> None:
        """Remove a file or folder unless one of its files, besides locks, is too young."""
        files = [path] if path.is_file() else [file for file in path.rglob("*") if not file.is_dir()]
        stats = [file.lstat() for file in files if not file.name.startswith(LOCK)]
        newest, size = max((s.st_mtime for s in stats), default=0.0), sum(s.st_size for s in stats)
        if self.days and time.time() - newest < 86400 * self.days:
            self.skipped_recent[path] = size
            return
        self.removed[path] = size
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def is_results(folder: Path) -> bool:
    """Whether a folder is the results folder of a config."""
    return (folder / "config.json").is_file() or (folder / CHECKPOINTS).is_dir()


def clean(results: Path, days: float) -> Cleaning:
    """Remove leftovers of a results folder that are older than `days`; 0: of any age.

    Raises UserError if it is no results folder.
    """
    if not is_results(results):
        raise UserError(f"{results} is no results folder: it has neither config.json nor {CHECKPOINTS}/")
    cleaning, checkpoints = Cleaning(days), results / CHECKPOINTS
    files = [path for path in checkpoints.rglob("*") if not path.is_dir()]
    compiled = checkpoints / COMPILED
    jobs = sorted({file.parent for file in files if not file.is_relative_to(compiled)})
    shared = [*filter(Path.exists, [compiled]), *_partials(results)]  # jobs may use these
    if jobs or shared:
        with try_lock(results / RUN_LOCK) as free:
            if free:
                _remove(cleaning, jobs, shared)
                _remove_empty(checkpoints)
            else:
                cleaning.skipped_locked[results] = holder_of(results / RUN_LOCK)
    return cleaning


def _remove(cleaning: Cleaning, jobs: list[Path], shared: list[Path]) -> None:
    for job in jobs:
        with try_lock(job / LOCK) as free:
            if free:
                cleaning.remove(job)
            else:
                cleaning.skipped_locked[job] = holder_of(job / LOCK)
    if not cleaning.skipped_locked:
        for path in shared:
            cleaning.remove(path)


def _partials(results: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(results):
        if Path(parent) == results and CHECKPOINTS in folders:
            folders.remove(CHECKPOINTS)
        yield from (Path(parent, name) for name in [*folders, *names] if is_abandoned(name))
        folders[:] = [name for name in folders if not PARTIAL.fullmatch(name)]


def _remove_empty(folder: Path) -> None:
    for parent, _, _ in os.walk(folder, topdown=False):
        with suppress(OSError):
            Path(parent).rmdir()
