"""MNIST's file format, idx3-ubyte, gzipped: by itself or inside a Debian package.

The format: four big-endian 32-bit numbers (magic number 0x803, pictures, rows, columns), then the
pixels, one byte each, picture by picture.
"""

import gzip
import io
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from shapednoise.console import UserError
from shapednoise.settings.data import ImagesSettings

MAGIC = 0x803
MEMBER = "train-images-idx3-ubyte.gz"
DEBIAN = b"!<arch>\n"
BLOCK = 5000


def read_idx(archive: Path, settings: ImagesSettings) -> Iterator[np.ndarray]:
    """Training images in their order, padded with black to settings.size, in blocks N x H x W x 1.

    Raises UserError where it is another format, another number of pictures than it says, or pictures
    that are larger than the size; EOFError, OSError or ValueError where it is damaged.
    """
    with _opened(archive) as packed, gzip.open(packed) as file:
        magic, count, rows, columns = np.frombuffer(file.read(16), ">u4").tolist()
        if magic != MAGIC:
            raise UserError(f"{archive} is no idx3-ubyte file (it begins with {magic:#x}); get it again")
        if max(rows, columns) > settings.size:
            raise UserError(
                f"the pictures of {archive} are {rows} x {columns}; raise size from {settings.size} to that"
            )
        for start in range(0, count, BLOCK):
            shape = (min(BLOCK, count - start), rows, columns)
            content = file.read(shape[0] * rows * columns)
            yield pad(np.frombuffer(content, np.uint8).reshape(shape), settings.size)[..., None]
        if file.read(1):
            raise UserError(f"{archive} holds more than the {count} images that it says; get it again")


def pad(images: np.ndarray, size: int) -> np.ndarray:
    """Images N x H x W in the middle of black ones, N x size x size (28 -> 32: two pixels a side)."""
    missing = [size - length for length in images.shape[1:]]
    return np.pad(images, ((0, 0), *((gap // 2, gap - gap // 2) for gap in missing)))


def _opened(archive: Path) -> BinaryIO:
    """The gzipped file: the archive itself or, of a Debian package, the member of that name."""
    with open(archive, "rb") as file:
        if file.read(len(DEBIAN)) != DEBIAN:
            return open(archive, "rb")
    with tarfile.open(fileobj=io.BytesIO(_files_of_package(archive))) as tar:
        for member in tar:
            if member.name.endswith(MEMBER):
                return io.BytesIO(tar.extractfile(member).read())
    raise UserError(f"{archive} has no {MEMBER}; get the package that holds it")


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
