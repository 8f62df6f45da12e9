"""MNIST's file format, idx3-ubyte, gzipped or not: by itself, in a zip, a directory or a Debian package.

The format: four big-endian 32-bit numbers (magic number 0x803, pictures, rows, columns), then the
pixels, one byte each, picture by picture. Labels beside them are idx1-ubyte: magic number 0x801, their
number, one byte each.
"""

import gzip
import io
import lzma
import re
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import numpy as np

from shapednoise.config.data import ImagesSettings
from shapednoise.data.archives import careful_headers, check_file, check_total, members
from shapednoise.data.images import block_size
from shapednoise.errors import UserError

MAGIC, MAGIC_OF_LABELS = 0x803, 0x801
IMAGES, LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"
NAME = re.compile(r"(.*)train-(images|labels)[-.]idx[13]-ubyte(\.gz)?")  # as in other packages
GZIP = b"\x1f\x8b"
DEBIAN, AR_HEADER = b"!<arch>\n", 60
TARS = {"data.tar": lambda file: file, "data.tar.gz": gzip.open, "data.tar.xz": lzma.open}
KINDS = ("images", "labels")
BLOCK = 5000
LONGEST_SIDE = 1 << 13


def read_idx(archive: Path, settings: ImagesSettings) -> Iterator[tuple[np.ndarray, list[int] | None]]:
    """Training images in their order, `framed` for settings.size, in blocks N x H x W x 1.

    With their classes, where a package, a zip or a directory has them too. Raises UserError where it is
    another format, another number of pictures than it says, or of labels, or beyond the limits of the
    zip-bomb guard; one of archives.DAMAGED or ValueError where it is damaged.
    """
    images, labels = _opened(archive)
    with images, _unpacked(images) as file:
        magic, count, rows, columns = np.frombuffer(file.read(16), ">u4").tolist()
        if magic != MAGIC:
            raise UserError(f"{archive} is no idx3-ubyte file (it begins with {magic:#x}); get it again")
        if not min(rows, columns):
            raise UserError(f"the pictures of {archive} are {rows} x {columns}; get it again")
        check_total(archive, count * rows * columns)
        classes = _labels(labels, archive, count) if labels else None
        at_once = block_size((rows, columns), BLOCK)
        for start in range(0, count, at_once):
            shape = (min(at_once, count - start), rows, columns)
            content = file.read(shape[0] * rows * columns)
            block = framed(np.frombuffer(content, np.uint8).reshape(shape), settings.size)[..., None]
            yield block, classes and classes[start : start + at_once]
        if file.read(1):
            raise UserError(f"{archive} holds more than the {count} images that it says; get it again")


def framed(images: np.ndarray, size: int) -> np.ndarray:
    """Images N x H x W or N x H x W x C in the middle of black ones (28 -> 32: two pixels a side).

    Those are size x size, or the least multiple of that which holds the images, for `block_means`. Raises
    ValueError for sides beyond LONGEST_SIDE: a thin picture becomes a huge one.
    """
    side = size * max(-(-length // size) for length in images.shape[1:3])
    if side > LONGEST_SIDE:
        raise ValueError(f"pictures of {images.shape[1]} x {images.shape[2]}, beyond {LONGEST_SIDE}")
    missing = [side - length for length in images.shape[1:3]]
    around = [(gap // 2, gap - gap // 2) for gap in missing]
    return np.pad(images, [(0, 0), *around, *[(0, 0)] * (images.ndim - 3)])


def _labels(packed: BinaryIO, archive: Path, images: int) -> list[int]:
    """The classes of an idx1-ubyte file, one an image. Raises UserError where it is another one."""
    with packed, _unpacked(packed) as file:
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
    """The images, gzipped or not: the archive itself or a file in it; and its labels."""
    if archive.is_dir() or zipfile.is_zipfile(archive):
        return _members(archive)
    with open(archive, "rb") as file:
        if file.read(len(DEBIAN)) != DEBIAN:
            return open(archive, "rb"), None
    files = _files_of_package(archive)
    if IMAGES not in files:
        raise UserError(f"{archive} has no {IMAGES}; get the package that holds it")
    return io.BytesIO(files[IMAGES]), io.BytesIO(files[LABELS]) if LABELS in files else None


def _members(archive: Path) -> tuple[BinaryIO, BinaryIO | None]:
    """Images and labels of a zip or a directory, by their names. Raises UserError for none or several."""
    with members(archive) as found:
        named = [(NAME.fullmatch(PurePosixPath(member.name).name), member) for member in found]
        files = {match.group(1, 2): member for match, member in named if match}
        sets = [name for name, kind in files if kind == "images"]
        if len(sets) != 1:
            several = f"several sets, {', '.join(sets)}" if sets else "no train-images-idx3-ubyte"
            raise UserError(f"{archive} has {several}; name the idx file in it, or set reader: folder")
        contents = [files[sets[0], kind].read() if (sets[0], kind) in files else None for kind in KINDS]
    images, labels = (content and io.BytesIO(content) for content in contents)
    return images, labels


def _unpacked(file: BinaryIO) -> BinaryIO:
    packed = file.read(len(GZIP)) == GZIP
    file.seek(0)
    return gzip.open(file) if packed else file


def _files_of_package(archive: Path) -> dict[str, bytes]:
    """Images and labels of a Debian package, by name: an ar archive, of which one member is a packed tar.

    Its other files are passed over, nothing is installed. Raises UserError where there is no such member.
    """
    size_of_all = archive.stat().st_size
    with open(archive, "rb") as file:
        file.seek(len(DEBIAN))
        while header := file.read(AR_HEADER):
            name, size = header[:16].decode().rstrip(" /"), int(header[48:58])
            if file.tell() + size > size_of_all:
                raise EOFError("it ends early")
            if name in TARS:
                with TARS[name](io.BytesIO(file.read(size))) as tar:
                    return _wanted(tar, archive)
            file.seek(size + size % 2, io.SEEK_CUR)
    raise UserError(f"{archive} has no data.tar, .gz or .xz; use another source")


def _wanted(stream: BinaryIO, archive: Path) -> dict[str, bytes]:
    """Images and labels of a tar that is read once, by name. Raises UserError where it is unsafe."""
    files, total = {}, 0
    with tarfile.open(fileobj=stream, mode="r|", tarinfo=careful_headers(archive)) as tar:
        for member in tar:
            check_file(archive, member.name, member.size)
            total += member.size
            check_total(archive, total)
            name = PurePosixPath(member.name).name
            if member.isfile() and name in (IMAGES, LABELS):
                files[name] = tar.extractfile(member).read()
    return files
