"""Turn a data set's archive into the canonical array: uint8, N x C x H x W, one .npy file.

C is 3, or 1 for grey. Whatever source an archive came from, the array is the same; its sha256 is
compared with the published data where it is known. Pixels keep their values; nothing is scaled or
normalised here.
"""

import hashlib
import io
import pickle
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from shapednoise.console import UserError, progress
from shapednoise.data.idx import read_idx
from shapednoise.files import new_array
from shapednoise.settings.data import ImagesSettings

DAMAGED = (
    *(EOFError, OSError, KeyError, ValueError, zlib.error),
    *(tarfile.TarError, zipfile.BadZipFile, pickle.PickleError),
)
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")


def write_canonical(archive: Path, settings: ImagesSettings, destination: Path) -> str:
    """Write the canonical array and return the sha256 of its pixels in N x H x W x C order.

    Raises UserError where the archive is damaged, has too few images or has other pixels.
    """
    reader = {"cifar": read_cifar, "images": read_images, "idx": read_idx}[settings.reader]
    digest = hashlib.sha256()
    count, size = settings.images, settings.size
    with new_array(destination, (count, settings.channels, size, size), "uint8") as array:
        done = 0
        try:
            for block in progress(reader(archive, settings), desc=f"read {archive.name}", unit="block"):
                wanted = np.ascontiguousarray(block[: count - done])
                digest.update(wanted)
                array[done : done + len(wanted)] = wanted.transpose(0, 3, 1, 2)
                done += len(wanted)
        except DAMAGED as error:
            reason = " ".join(str(error).split())
            raise UserError(f"{archive} is damaged ({reason}); delete it and run again") from error
        if done < count:
            raise UserError(f"{archive} holds {done} images, the config says {count}; get it again")
        if settings.sha256 and digest.hexdigest() != settings.sha256:
            raise UserError(
                f"the pixels of {archive} have sha256 {digest.hexdigest()[:16]}..., "
                f"expected {settings.sha256[:16]}...; delete it and run again"
            )
    return digest.hexdigest()


def read_cifar(archive: Path, settings: ImagesSettings) -> Iterator[np.ndarray]:
    """Training images of CIFAR-10 or CIFAR-100 in their official order, in blocks N x 32 x 32 x 3."""
    with tarfile.open(archive) as tar:
        members = {PurePosixPath(member.name).name: member for member in tar if member.isfile()}
        names = sorted(name for name in members if name.startswith("data_batch_")) or ["train"]
        for name in names:
            if name not in members:
                raise UserError(f"{archive} is no CIFAR archive: it has no {name}")
            content = tar.extractfile(members[name])
            assert content is not None
            if name.endswith(".png"):  # one image a row, pixels in raster order
                yield np.asarray(Image.open(content).convert("RGB")).reshape(-1, 32, 32, 3)
            else:  # one image a row: the red plane, then green, then blue
                planes = ArraysOnly(content, encoding="bytes").load()[b"data"]
                yield planes.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)


class ArraysOnly(pickle.Unpickler):
    """An unpickler that makes NumPy arrays and plain containers and refuses everything else."""

    ALLOWED = frozenset({"_reconstruct", "ndarray", "dtype", "_frombuffer", "encode", "scalar"})

    def find_class(self, module: str, name: str) -> Any:
        """The class of a pickled object. Raises UnpicklingError for any that is not allowed."""
        if name in self.ALLOWED and module.partition(".")[0] in ("numpy", "_codecs"):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"it wants to load {module}.{name}")


def read_images(archive: Path, settings: ImagesSettings) -> Iterator[np.ndarray]:
    """Pictures of a zip or tar in the order of their names, preprocessed, in blocks of up to 1,000."""
    block = []
    for name, content in _pictures(archive, settings.images):
        try:
            image = Image.open(io.BytesIO(content))
            block.append(preprocess(image, settings.crop, settings.size, settings.channels))
        except (UnidentifiedImageError, OSError) as error:
            raise UserError(f"{name} in {archive} is no readable picture ({error})") from error
        if len(block) == 1000:
            yield np.stack(block)
            block = []
    if block:
        yield np.stack(block)


def preprocess(image: Image.Image, crop: int | None, size: int, channels: int = 3) -> np.ndarray:
    """Centre crop to crop x crop, antialiased resize to size x size; uint8, size x size x channels.

    The one preprocessing of pictures, for training and for the reference of the scores alike. A
    picture smaller than the crop is padded with black; without a crop the largest square is taken.
    One channel is the luma of the colours (ITU-R 601-2).
    """
    image = image.convert("L" if channels == 1 else "RGB")
    crop = crop or min(image.size)
    left, top = (image.width - crop) // 2, (image.height - crop) // 2
    image = image.crop((left, top, left + crop, top + crop))
    if crop != size:
        image = image.resize((size, size), Image.Resampling.BICUBIC, reducing_gap=None)
    return np.asarray(image).reshape(size, size, channels)


def _pictures(archive: Path, count: int) -> Iterator[tuple[str, bytes]]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as pack:
            names = sorted(name for name in pack.namelist() if name.lower().endswith(PICTURES))
            for name in names[:count]:
                yield name, pack.read(name)
    else:
        with tarfile.open(archive) as tar:
            members = [m for m in tar if m.isfile() and m.name.lower().endswith(PICTURES)]
            for member in sorted(members, key=lambda m: m.name)[:count]:
                content = tar.extractfile(member)
                assert content is not None
                yield member.name, content.read()
