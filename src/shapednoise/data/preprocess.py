"""Turn a data set's archive into its array: uint8, N x C x H x W, one .npy file.

C is 3, or 1 for grey. Whatever source an archive came from, the array is the same; its sha256 is
compared with what the config says, where it does. Pixels keep their values, or are means of blocks where
a smaller size is wanted; nothing else is scaled or normalized here. Training and the reference of the
scores read the same array.
"""

import errno
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from shapednoise.config.data import ImagesSettings
from shapednoise.data.archives import DAMAGED
from shapednoise.data.cifar import read_cifar
from shapednoise.data.folder import read_folder
from shapednoise.data.idx import read_idx
from shapednoise.data.parquet import is_parquet, read_parquet
from shapednoise.errors import FULL, UserError
from shapednoise.files import growing_array
from shapednoise.log import progress

# A reader takes the path of an archive and settings and yields blocks: images N x H x W x C (uint8), and the
# class of each, or None where the archive has none. Its name here is a value of ImagesSettings.reader.
Block = tuple[np.ndarray, Sequence[Any] | None]
READERS: dict[str, Callable[[Path, ImagesSettings], Iterator[Block]]] = {
    "cifar": read_cifar,
    "folder": read_folder,
    "idx": read_idx,
}


class Content(NamedTuple):
    """What an array holds: sha256 of its pixels in N x H x W x C order, images, and images of each class."""

    sha256_of_pixels: str
    images: int
    classes: dict[str, int] | None


def preprocess_archive(archive: Path, settings: ImagesSettings, destination: Path) -> Content:
    """Write the array of an archive (or of a directory) and return what it holds.

    Raises UserError where the archive is damaged or unsafe, has too few images, classes of other sizes
    or other pixels; nothing is left at the destination then.
    """
    digest, done, labels = hashlib.sha256(), 0, []
    shape = (settings.channels, settings.size, settings.size)
    with growing_array(destination, shape, "uint8") as append:
        for images, names in progress(_blocks(archive, settings), desc=f"read {archive.name}", unit="block"):
            left = None if settings.images is None else settings.images - done
            wanted = np.ascontiguousarray(block_means(images[:left], settings.size))
            digest.update(wanted)
            append(wanted.transpose(0, 3, 1, 2))
            done += len(wanted)
            labels.append(None if names is None else names[:left])
        content = Content(digest.hexdigest(), done, None if None in labels else _counted(labels))
        if problem := _problem(content, settings):
            raise UserError(f"{archive} {problem}; {_remedy(archive)}")
    return content


def block_means(images: np.ndarray, size: int) -> np.ndarray:
    """Images N x S x S x C, uint8, as N x size x size x C: means of square blocks, S a multiple of the size.

    Rounded to the nearest, halves to even; images of the size are returned as they are.
    """
    count, side, _, channels = images.shape
    if side == size:
        return images
    blocks = images.reshape(count, size, side // size, size, side // size, channels)
    return blocks.mean((2, 4), dtype=np.float64).round().astype(np.uint8)


def _blocks(archive: Path, settings: ImagesSettings) -> Iterator[Block]:
    """The blocks of an archive. Raises UserError where it is damaged."""
    try:
        yield from (read_parquet if is_parquet(archive) else READERS[settings.reader])(archive, settings)
    except NotImplementedError as error:  # of zipfile
        raise UserError(f"{archive} cannot be read ({error}); pack it anew, with deflate") from error
    except (*DAMAGED, KeyError, ValueError, pa.ArrowException) as error:
        if isinstance(error, OSError) and error.errno in (*FULL, errno.EACCES):
            raise
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"{archive} is damaged ({reason}); {_remedy(archive)}") from error


def _remedy(archive: Path) -> str:
    """What to do about content that is wrong; a directory is the user's own and not to be deleted."""
    return "correct it or the config" if archive.is_dir() else "delete it and run again"


def _counted(labels: Sequence[Sequence[Any]]) -> dict[str, int]:
    """How many images each class has, in the order of the classes."""
    counts = Counter(chain.from_iterable(labels))
    return {str(label): counts[label] for label in sorted(counts)}


def _problem(content: Content, settings: ImagesSettings) -> str:
    """What the content is that the settings do not say; empty: nothing."""
    if settings.images and content.images < settings.images:
        return f"holds {content.images} images, the config says {settings.images}"
    if content.images < 2:
        return f"holds {content.images} pictures, at least 2 are needed"
    if content.classes is not None:
        counts, wanted = tuple(content.classes.values()), settings.per_class
        if sum(counts) != content.images:
            return "has not one label for each image"
        if wanted and counts != (wanted if isinstance(wanted, tuple) else (wanted,) * len(counts)):
            given = f"the config says {_brief(wanted)} (per_class)"
            return f"has {_brief(counts)} images of its classes, {given}"
    if settings.sha256 and content.sha256_of_pixels != settings.sha256:
        return f"has pixels of sha256 {content.sha256_of_pixels[:16]}..., expected {settings.sha256[:16]}..."
    return ""


def _brief(counts: int | tuple[int, ...]) -> str:
    """Counts of classes, shortened: of equal ones the smallest and the largest."""
    if isinstance(counts, int):
        return f"{counts} of each"
    return ", ".join(map(str, counts)) if len(counts) <= 10 else f"{min(counts)} to {max(counts)}"
