"""The one place that writes files: every output appears whole or not at all.

A file is written beside its destination under a temporary name and renamed when it is complete, so
an interruption, a full disk or a crash never leaves a partial file that looks finished.
"""

import errno
import glob
import hashlib
import json
import os
import re
import secrets
import shutil
import socket
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from shapednoise.errors import CANNOT_WRITE, DamagedFile
from shapednoise.log import log

# names under which atomic_path and atomic_directory write
PARTIAL = re.compile(r"\.((?P<process>\d+)\.(?P<host>.+)\.partial\..+|partial-.+)")
# what reading a damaged .npy or .npz file raises
DAMAGED = (OSError, ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile)

# what macOS, Windows and file servers keep beside the user's files, in lower case
SYSTEM = {
    *("__macosx", ".ds_store", ".spotlight-v100", ".fseventsd", ".trashes", "icon\r"),
    *("thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin", "system volume information"),
    *("@eadir", "#recycle", "lost+found"),
}


@contextmanager
def atomic_path(destination: str | Path) -> Iterator[Path]:
    """Yield a temporary path (a file or a directory may be made there) that becomes `destination`.

    On an exception the temporary path is removed and `destination` is left as it was. What a killed
    process of this machine left is removed. What cannot be written is an OSError that names `destination`.
    """
    destination = Path(destination)
    destination.parent.mkdir(parents=True, exist_ok=True)
    # The real suffix is kept, since writers such as PIL and matplotlib choose the format by it. Where others
    # may write, too, nobody knows the name beforehand to plant a link there.
    begin, ending = f".{socket.gethostname()}.partial.", f".{destination.name}"
    temporary = destination.with_name(f".{os.getpid()}{begin}{secrets.token_hex(4)}{ending}")
    for left in destination.parent.glob(f".*{glob.escape(begin)}{8 * '?'}{glob.escape(ending)}"):
        if is_abandoned(left.name):
            _remove(left)
    try:
        with _named(destination, temporary):
            yield temporary
            temporary.replace(destination)
    finally:
        _remove(temporary)


@contextmanager
def atomic_directory(destination: str | Path, last: str) -> Iterator[Path]:
    """Yield a temporary directory whose files are moved into `destination` when it is complete.

    The file named `last` is moved last: readers take its presence as the sign that all are there. One process
    at a time may write a directory; what a killed one left is removed.
    """
    destination = Path(destination)
    destination.mkdir(parents=True, exist_ok=True)
    temporary = destination.with_name(f".partial-{destination.name}")
    with _named(destination, temporary):
        _remove(temporary)
        temporary.mkdir()
        try:
            yield temporary
            files = sorted(p.relative_to(temporary) for p in temporary.rglob("*") if p.is_file())
            (destination / last).unlink(missing_ok=True)  # of an older result, which this one replaces
            for file in sorted(files, key=lambda name: str(name) == last):
                (destination / file).parent.mkdir(parents=True, exist_ok=True)
                (temporary / file).replace(destination / file)
        finally:
            _remove(temporary)


def is_abandoned(name: str) -> bool:
    """Whether a file's name is that of an incomplete one that no process of this machine is writing."""
    match = PARTIAL.fullmatch(name)
    if not match or match["host"] != socket.gethostname():
        return bool(match)
    try:
        os.kill(int(match["process"]), 0)
    except OSError as error:
        return error.errno == errno.ESRCH
    return False


def _remove(path: Path) -> None:
    """Remove a temporary file or directory. Errors are ignored, as nothing reads it."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    with suppress(OSError):
        path.unlink()


def no_link(path: str | Path, flags: int) -> int:
    """An opener for `open` that follows no link, which somebody else may have put there: OSError (ELOOP)."""
    return os.open(path, flags | os.O_NOFOLLOW, 0o666)


def write_text(path: str | Path, text: str) -> None:
    """Write `text` (UTF-8) to `path`, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | Path, content: Any) -> None:
    """Write `content` as indented JSON; floats keep full precision, NaN is refused (ValueError)."""
    write_text(path, json.dumps(content, indent=2, allow_nan=False) + "\n")


def read_json(path: str | Path) -> Any:
    """Read a JSON file. Raises DamagedFile where it is none."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise DamagedFile(path, error) from error


def reserve_array(path: Path, shape: tuple[int, ...], dtype: np.dtype | str) -> np.memmap:
    """Make a .npy file of this shape and return it memory-mapped.

    Its disk space is reserved, so that a full disk is an OSError (ENOSPC, naming the file) at the start and
    not a bus error hours later.
    """
    header = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": shape}
    bytes_needed = int(np.prod(shape)) * np.dtype(dtype).itemsize
    try:
        with open(path, "wb", opener=no_link) as file:
            np.lib.format.write_array_header_1_0(file, header)
            file.flush()
            os.posix_fallocate(file.fileno(), file.tell(), bytes_needed)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise OSError(error.errno, f"no room for {bytes_needed} bytes", str(path)) from None
    return np.lib.format.open_memmap(path, mode="r+")


@contextmanager
def new_array(path: str | Path, shape: tuple[int, ...], dtype: str) -> Iterator[np.ndarray]:
    """Yield a memory-mapped array (see reserve_array) that becomes the .npy file `path` after the block."""
    with atomic_path(path) as temporary:
        array = reserve_array(temporary, shape, dtype)
        yield array
        array.flush()


@contextmanager
def growing_array(
    path: str | Path, shape: tuple[int, ...], dtype: str
) -> Iterator[Callable[[np.ndarray], None]]:
    """Yield a function that appends blocks N x shape; together they become the .npy file `path`.

    Their number need not be known beforehand. A full disk is an OSError that names the file.
    """
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        header = {"descr": np.dtype(dtype).str, "fortran_order": False}
        count = 0
        # NumPy leaves room in a header for its first number to grow
        np.lib.format.write_array_header_1_0(file, {**header, "shape": (0, *shape)})

        def append(block: np.ndarray) -> None:
            nonlocal count
            file.write(np.ascontiguousarray(block, dtype))
            count += len(block)

        yield append
        file.seek(0)
        np.lib.format.write_array_header_1_0(file, {**header, "shape": (count, *shape)})


@contextmanager
def _named(path: Path, temporary: Path) -> Iterator[None]:
    """Make errors of writing `temporary` OSErrors that name `path`.

    The error of a full disk names no file, and safetensors (Rust) raises its own kind.
    """
    try:
        yield
    except Exception as error:
        number, file = getattr(error, "errno", None), getattr(error, "filename", None)
        if found := re.search(r"\(os error (\d+)\)", str(error)):
            number = int(found[1])
        if number not in CANNOT_WRITE or not str(file or temporary).startswith(str(temporary)):
            raise
        raise OSError(number, os.strerror(number), str(path)) from error


def sha256_of_file(path: str | Path) -> str:
    """Hex sha256 of a file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_system_file(name: str) -> bool:
    """Whether a relative name is of what a system keeps beside the user's files: SYSTEM, or macOS's `._x`."""
    return any(part.lower() in SYSTEM or part.startswith("._") for part in PurePosixPath(name).parts)


def files_of(folder: str | Path) -> list[str]:
    """Names of all regular files of a folder, relative to it, sorted, without those of the system.

    Links are followed; those that lead nowhere are warned of. Raises OSError where a folder cannot be read.
    """
    files: list[Path] = []
    others: list[Path] = []
    for path in _walk(Path(folder), ()):
        (files if path.is_file() else others).append(path)
    if lost := sorted(path for path in others if not path.exists()):
        log.warning("%s: left out %d links that lead nowhere, such as %s", folder, len(lost), lost[0])
    return sorted(path.relative_to(folder).as_posix() for path in files)


def _walk(folder: Path, above: tuple[Path, ...]) -> Iterator[Path]:
    """What is no folder; a link to one that holds the place where it was met, which has no end, is passed."""
    above = (*above, folder.resolve())
    for path in folder.iterdir():
        if is_system_file(path.name):
            continue
        if not path.is_dir():
            yield path
        elif not path.is_symlink() or not any(place.is_relative_to(path.resolve()) for place in above):
            yield from _walk(path, above)


def sha256_of_path(path: str | Path) -> str:
    """Hex sha256 of a file's bytes or, of a folder, over the sorted names and contents of its files."""
    path = Path(path)
    if not path.is_dir():
        return sha256_of_file(path)
    return sha256_of_json({name: sha256_of_file(path / name) for name in files_of(path)})


def sha256_of_json(content: Any) -> str:
    """Hex sha256 of JSON content, independent of the order of its keys."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
