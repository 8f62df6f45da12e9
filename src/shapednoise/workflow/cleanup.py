"""What runs leave behind that is no result: checkpoints, shards, partial files, what torch.compile made.

Nothing is removed that a running process holds, and nothing while it is younger than asked.
"""

import os
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from shapednoise.errors import UserError
from shapednoise.workflow.locks import holder_of, if_free

CHECKPOINTS, COMPILED = "checkpoints", "compiled"
LOCK, RUN_LOCK = "lock", ".run.lock"
PARTIAL = re.compile(r"\.((?P<process>\d+)\.partial\..+|partial-.+)")  # see files.py
DAY_S = 86400.0


@dataclass
class Cleaning:
    """What became of one results folder's leftovers: paths, and the sizes of what was removed or kept."""

    results: Path
    days: float
    removed: dict[Path, int] = field(default_factory=dict)
    young: dict[Path, int] = field(default_factory=dict)
    held: dict[Path, str] = field(default_factory=dict)  # by whom

    def is_old(self, path: Path, files: list[Path]) -> bool:
        """Whether none of these files is younger than asked; if one is, `path` is noted as kept."""
        newest = max((file.lstat().st_mtime for file in files), default=0.0)
        old = self.days == 0 or time.time() - newest >= self.days * DAY_S
        if not old:
            self.young[path] = _size(files)
        return old


def is_results(folder: Path) -> bool:
    """Whether a folder is one that a run writes its results to."""
    return (folder / "config.json").is_file() or (folder / CHECKPOINTS).is_dir()


def clean(results: Path, days: float) -> Cleaning:
    """Remove what is left below a results folder and older than so many days; 0: whatever its age.

    Nothing is removed while a run has the folder. Raises UserError where it is no results folder.
    """
    if not is_results(results):
        raise UserError(f"{results} is no results folder: it has neither config.json nor {CHECKPOINTS}/")
    cleaning = Cleaning(results, days)
    if not (results / CHECKPOINTS).is_dir() and not list(_partials(results)):
        return cleaning
    with if_free(results / RUN_LOCK) as free:
        if free:
            _clean(cleaning)
        else:
            cleaning.held[results] = holder_of(results / RUN_LOCK)
    return cleaning


def _clean(cleaning: Cleaning) -> None:
    checkpoints = cleaning.results / CHECKPOINTS
    for folder in _jobs(checkpoints):
        _clean_job(cleaning, folder)
    if not cleaning.held:  # jobs that outlived their run may use these
        _remove_if_old(cleaning, checkpoints / COMPILED)
        for partial in _partials(cleaning.results):
            _remove_if_old(cleaning, partial)
    _remove_empty(checkpoints)


def _jobs(checkpoints: Path) -> Iterator[Path]:
    """The folders of jobs in progress or interrupted: those that have files."""
    for parent, folders, names in os.walk(checkpoints):
        if Path(parent) == checkpoints and COMPILED in folders:
            folders.remove(COMPILED)
        if names:
            yield Path(parent)


def _clean_job(cleaning: Cleaning, folder: Path) -> None:
    """Remove the files of a job that does not run. A lock that was left alone is of no use at any age."""
    with if_free(folder / LOCK) as free:
        if not free:
            cleaning.held[folder] = holder_of(folder / LOCK)
            return
        files = [path for path in folder.iterdir() if not path.is_dir()]
        content = [path for path in files if not path.name.startswith(LOCK)]
        if cleaning.is_old(folder, content):
            cleaning.removed[folder] = _size(content)
            for path in sorted(files, key=lambda path: path.name == LOCK):  # the lock itself last
                path.unlink()


def _partials(results: Path) -> Iterator[Path]:
    """What processes that ended early left of files and folders that they were writing."""
    for parent, folders, names in os.walk(results):
        if Path(parent) == results and CHECKPOINTS in folders:
            folders.remove(CHECKPOINTS)
        for name in [*folders, *names]:
            if (match := PARTIAL.fullmatch(name)) and not _runs(match["process"]):
                yield Path(parent, name)
        folders[:] = [name for name in folders if not PARTIAL.fullmatch(name)]


def _runs(process: str | None) -> bool:
    """Whether a process of this number runs on this machine."""
    return process is not None and Path("/proc", process).exists()


def _remove_if_old(cleaning: Cleaning, path: Path) -> None:
    if not path.exists():
        return
    files = [path] if path.is_file() else [file for file in path.rglob("*") if not file.is_dir()]
    if cleaning.is_old(path, files):
        cleaning.removed[path] = _size(files)
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _remove_empty(folder: Path) -> None:
    """Remove a folder and those below it, as far as they are empty."""
    for parent, _, _ in os.walk(folder, topdown=False):
        if not any(Path(parent).iterdir()):
            Path(parent).rmdir()


def _size(files: list[Path]) -> int:
    return sum(file.lstat().st_size for file in files)
