"""MNIST's file format, idx3-ubyte, gzipped: by itself or inside a Debian package.

The format: four big-endian 32-bit numbers (magic number 0x803, pictures, rows, columns), then the
pixels, one byte each, picture by picture. Labels beside them are idx1-ubyte: magic number 0x801, their
number, one byte each.
"""

import gzip
import io
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import numpy as np

from shapednoise.config.data import ImagesSettings
from shapednoise.data.archives import careful_headers, check_file, check_size
from shapednoise.errors import UserError

MAGIC, MAGIC_OF_LABELS = 0x803, 0x801
IMAGES, LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"
DEBIAN = b"!<arch>\n"
BLOCK = 5000
PADDING = 1 << 20  # bytes after the last file of a tar, at most


def read_idx(archive: Path, settings: ImagesSettings) -> Iterator[tuple[np.ndarray, list[int] | None]]:
    """Training images in their order, padded with black to settings.size, in blocks N x H x W x 1.

    With their classes, where a package has them. Raises UserError where it is another format, another
    number of pictures than it says, or of labels, pictures that are larger than the size, or a bomb;
    EOFError, OSError or ValueError where it is damaged.
    """
    if archive.is_dir():
        raise UserError(f"{archive} is a directory; name the idx file in it, or set reader: folder")
    images, labels = _opened(archive)
    with images, gzip.open(images) as file:
        magic, count, rows, columns = np.frombuffer(file.read(16), ">u4").tolist()
        if magic != MAGIC:
            raise UserError(f"{archive} is no idx3-ubyte file (it begins with {magic:#x}); get it again")
        if not 0 < max(rows, columns) <= settings.size:
            raise UserError(
                f"the pictures of {archive} are {rows} x {columns}; raise size from {settings.size} to that"
            )
        check_size(archive, count * rows * columns)
        classes = _labels(labels, archive, count) if labels else None
        for start in range(0, count, BLOCK):
            shape = (min(BLOCK, count - start), rows, columns)
            content = file.read(shape[0] * rows * columns)
            block = pad(np.frombuffer(content, np.uint8).reshape(shape), settings.size)[..., None]
            yield block, classes and classes[start : start + BLOCK]
        if file.read(1):
            raise UserError(f"{archive} holds more than the {count} images that it says; get it again")


def pad(images: np.ndarray, size: int) -> np.ndarray:
    """Images N x H x W or N x H x W x C in the middle of black ones (28 -> 32: two pixels a side)."""
    missing = [size - length for length in images.shape[1:3]]
    around = [(gap // 2, gap - gap // 2) for gap in missing]
    return np.pad(images, [(0, 0), *around, *[(0, 0)] * (images.ndim - 3)])


def _labels(packed: BinaryIO, archive: Path, images: int) -> list[int]:
    """The classes of an idx1-ubyte file, one an image. Raises UserError where it is another one."""
    with packed, gzip.open(packed) as file:
        magic, count = np.frombuffer(file.read(8), ">u4").tolist()
        if magic != MAGIC_OF_LABELS:
            raise UserError(
                f"the labels of {archive} begin with {magic:#x}, not {MAGIC_OF_LABELS:#x}; get it again"
            )
        found = file.read(images + 1)
        if not count == len(found) == images:
            raise UserError(f"{archive} has not one label for each of its {images} images; get it again")
        return list(found)


def _opened(archive: Path) -> tuple[BinaryIO, BinaryIO | None]:
    """The gzipped images: the archive itself or, of a Debian package, its member; and its labels."""
    with open(archive, "rb") as file:
        if file.read(len(DEBIAN)) != DEBIAN:
            return open(archive, "rb"), None
    files = _files_of_package(archive)
    if IMAGES not in files:
        raise UserError(f"{archive} has no {IMAGES}; get the package that holds it")
    return io.BytesIO(files[IMAGES]), io.BytesIO(files[LABELS]) if LABELS in files else None


def _files_of_package(archive: Path) -> dict[str, bytes]:
    """Images and labels of a Debian package, by name; its other files are passed over, nothing installed.

    Raises UserError where the package is a bomb or damaged, or dpkg-deb is missing.
    """
    command, problem = ["dpkg-deb", "--fsys-tarfile", archive], ""
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors)
        except FileNotFoundError:
            raise UserError(f"dpkg-deb is not installed, which opens {archive}; use another source") from None
        with process:
            try:
                with process.stdout as stream:
                    files = _wanted(stream, archive)
                    stream.read(PADDING)
            except tarfile.TarError as error:
                problem = str(error)
        if process.returncode or problem:
            errors.seek(0)
            reason = " ".join([problem, *errors.read(1000).decode(errors="replace").split()]).strip()
            raise UserError(f"{archive} is damaged ({reason[:200]}); delete it and run again")
    return files


def _wanted(stream: BinaryIO, archive: Path) -> dict[str, bytes]:
    """Images and labels of a tar that is read once, by name. Raises UserError where it is a bomb."""
    files, total = {}, 0
    with tarfile.open(fileobj=stream, mode="r|", tarinfo=careful_headers(archive)) as tar:
        for member in tar:
            check_file(archive, member.name, member.size)
            total += member.size
            check_size(archive, total)
            name = PurePosixPath(member.name).name
            if member.isfile() and name in (IMAGES, LABELS):
                files[name] = tar.extractfile(member).read()
    return files
