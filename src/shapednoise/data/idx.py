"""MNIST's file format, idx3-ubyte, gzipped: by itself or inside a Debian package.

The format: four big-endian 32-bit numbers (magic number 0x803, pictures, rows, columns), then the
pixels, one byte each, picture by picture.
"""

import gzip
import io
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import numpy as np

from shapednoise.console import UserError
from shapednoise.data.archives import check_size
from shapednoise.settings.data import ImagesSettings

MAGIC = 0x803
IMAGES, LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"
DEBIAN = b"!<arch>\n"
BLOCK = 5000


def read_idx(archive: Path, settings: ImagesSettings) -> Iterator[tuple[np.ndarray, list[int] | None]]:
    """Training images in their order, padded with black to settings.size, in blocks N x H x W x 1.

    With their classes, where a package has them. Raises UserError where it is another format, another
    number of pictures than it says, pictures that are larger than the size, or a bomb; EOFError,
    OSError or ValueError where it is damaged.
    """
    if archive.is_dir():
        raise UserError(f"{archive} is a directory; name the idx file in it, or set reader: folder")
    images, labels = _opened(archive)
    classes = _labels(labels) if labels else None
    with images, gzip.open(images) as file:
        magic, count, rows, columns = np.frombuffer(file.read(16), ">u4").tolist()
        if magic != MAGIC:
            raise UserError(f"{archive} is no idx3-ubyte file (it begins with {magic:#x}); get it again")
        if not 0 < max(rows, columns) <= settings.size:
            raise UserError(
                f"the pictures of {archive} are {rows} x {columns}; raise size from {settings.size} to that"
            )
        check_size(archive, count * rows * columns)
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


def _labels(packed: BinaryIO) -> list[int]:
    """The classes of an idx1-ubyte file: after two 32-bit numbers one byte each."""
    with packed, gzip.open(packed) as file:
        _, count = np.frombuffer(file.read(8), ">u4").tolist()
        return np.frombuffer(file.read(count), np.uint8).tolist()


def _opened(archive: Path) -> tuple[BinaryIO, BinaryIO | None]:
    """The gzipped images: the archive itself or, of a Debian package, its member; and its labels."""
    with open(archive, "rb") as file:
        if file.read(len(DEBIAN)) != DEBIAN:
            return open(archive, "rb"), None
    with tarfile.open(fileobj=io.BytesIO(_files_of_package(archive))) as tar:
        files = {PurePosixPath(member.name).name: member for member in tar if member.isfile()}
        images, labels = (
            io.BytesIO(tar.extractfile(files[name]).read()) if name in files else None
            for name in (IMAGES, LABELS)
        )
    if images is None:
        raise UserError(f"{archive} has no {IMAGES}; get the package that holds it")
    return images, labels


def _files_of_package(archive: Path) -> bytes:
    """The files of a Debian package as a tar; nothing is installed."""
    try:
        done = subprocess.run(["dpkg-deb", "--fsys-tarfile", archive], capture_output=True, check=True)
    except FileNotFoundError:
        raise UserError(f"dpkg-deb is not installed, which opens {archive}; use another source") from None
    except subprocess.CalledProcessError as error:
        reason = " ".join(error.stderr.decode(errors="replace").split())
        raise UserError(f"{archive} is damaged ({reason[:200]}); delete it and run again") from None
    return done.stdout
