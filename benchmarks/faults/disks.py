"""Disks that are full, and folders that are read-only. Both need the right to mount."""

import errno
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

from benchmarks.faults.runs import (
    AGAIN,
    POINT,
    Bench,
    Row,
    Trial,
    faults_of,
    lose,
    shortened,
    trial,
    wait_for,
)
from tests.workspace import Workspace


def disk_trials(bench: Bench) -> Iterator[Row]:
    if not can_mount(bench.folder):
        print("full and read-only disks are left out: mounting a file system needs root", file=sys.stderr)
        return
    samples, features, model = (f"{kind}/{POINT}" for kind in ("samples", "features", "models"))
    yield full_disk(bench, "shard", (samples, features), "checkpoints/samples/**/0*.npz")
    yield full_disk(bench, "checkpoint", (model, samples, features), "checkpoints/training/**/0*.pt")
    yield read_only(bench, "the results folder", "results")
    yield read_only(bench, "the folder of the samples", "results/tiny/samples")


def can_mount(folder: Path) -> bool:
    try:
        with mounted(folder / "try", "-t", "tmpfs", "-o", "size=64k", "tmpfs"):
            return True
    except PermissionError:
        return False


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[None]:
    """A file system at a folder. Raises PermissionError where this user or machine does not mount."""
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["mount", *options, str(folder)], capture_output=True, text=True, check=False)
    if os.geteuid() or done.returncode:
        raise PermissionError(done.stderr)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def small_disk(bench: Bench) -> Iterator[Trial]:
    """A copy of the finished workspace on a disk of 20 MB; the data folder is elsewhere."""
    disk = Path(tempfile.mkdtemp(prefix="disk-", dir=bench.folder))
    with mounted(disk, "-t", "tmpfs", "-o", "size=20m", "tmpfs"):
        light = SimpleNamespace(copy=lambda path: copy_without_data(bench.finished, path))
        made = Trial(light, disk, bench.expected)
        try:
            yield made
        finally:
            made.close()


def copy_without_data(source: Workspace, path: Path) -> Workspace:
    """A copy whose data folder is a link to the first one's."""

    def left_out(folder: str, names: list[str]) -> set[str]:
        return {"data"} if Path(folder) == source.path else {"__pycache__"} & set(names)

    shutil.copytree(source.path, path, symlinks=True, ignore=left_out)
    (path / "data").symlink_to(source.path / "data")
    return Workspace(path, source.overlay)


def full_disk(bench: Bench, piece: str, redo: tuple[str, ...], sign: str) -> Row:
    """Somebody else's file fills the disk, as soon as the first checkpoint or shard is there."""
    with small_disk(bench) as made:
        made.retries = 0
        lose(made, *redo, f"scores/{POINT}", "tables")
        run = made.start()
        wait_for(lambda: run.ended or list(made.results.glob(sign)))
        fill(made.workspace.path / "somebody's file")
        row = Row("the disk is full (20 MB)", f"after the first {piece}")
        row.code = run.wait()
        row.said, row.wrong = shortened(run.text, made), faults_of(run.text)
        if "No space left on device" not in run.text or row.code == 0:
            row.wrong.append("the disk was not full")
        remount = ["mount", "-o", "remount,size=40m", str(made.workspace.path.parent)]
        subprocess.run(remount, check=True)
        row.user = "makes room, " + AGAIN
        made.finish(row)
        return row


def fill(path: Path) -> None:
    """Write until the disk is full."""
    with open(path, "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise


def read_only(bench: Bench, what: str, folder: str) -> Row:
    """A folder is mounted read-only, and the samples of a point are wanted again."""
    with trial(bench, bench.finished) as made:
        made.retries = 0
        lose(made, f"samples/{POINT}", f"features/{POINT}", f"scores/{POINT}", "tables")
        place = made.workspace.path / folder
        with mounted(place, "--bind", str(place)):
            subprocess.run(["mount", "-o", "remount,ro,bind", str(place)], check=True)
            run = made.run()
        row = Row(f"{what} is read-only", "from the start", shortened(run.text, made), run.process.returncode)
        row.wrong = faults_of(run.text)
        if "Read-only file system" not in run.text or row.code == 0:
            row.wrong.append("that was not said")
        row.user = "makes it writable, " + AGAIN
        made.finish(row)
        return row
