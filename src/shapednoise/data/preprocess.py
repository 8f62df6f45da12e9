"""Turn a data set's archive into the canonical array: uint8, N x C x H x W, one .npy file.

C is 3, or 1 for grey. Whatever source an archive came from, the array is the same; its sha256 is
compared with the published data where it is known. Pixels keep their values; nothing is scaled or
normalised here.
"""

import errno
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from shapednoise.config.data import ImagesSettings
from shapednoise.data.archives import DAMAGED
from shapednoise.data.cifar import read_cifar
from shapednoise.data.folder import read_folder
from shapednoise.data.idx import read_idx
from shapednoise.data.parquet import is_parquet, read_parquet
from shapednoise.errors import UserError
from shapednoise.files import growing_array
from shapednoise.log import progress

# A reader takes the path of an archive and settings and yields blocks: images N x H x W x C (uint8), and
# the class of each, or None where the archive has none. A new one is named in settings/data.py, too.
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
    """Write the canonical array of an archive (or of a directory) and return what it holds.

    Raises UserError where the archive is damaged or unsafe, has too few images, classes of other sizes
    or other pixels; nothing is left at the destination then.
    """
    digest, done, labels = hashlib.sha256(), 0, []
    shape = (settings.channels, settings.size, settings.size)
    with growing_array(destination, shape, "uint8") as append:
        for images, names in progress(_blocks(archive, settings), desc=f"read {archive.name}", unit="block"):
            left = None if settings.images is None else settings.images - done
            wanted = np.ascontiguousarray(images[:left])
            digest.update(wanted)
            append(wanted.transpose(0, 3, 1, 2))
            done += len(wanted)
            labels.append(None if names is None else names[:left])
        content = Content(digest.hexdigest(), done, None if None in labels else _counted(labels))
        _check(content, archive, settings)
    return content


def _blocks(archive: Path, settings: ImagesSettings) -> Iterator[Block]:
    """The blocks of an archive. Raises UserError where it is damaged."""
    try:
        yield from (read_parquet if is_parquet(archive) else READERS[settings.reader])(archive, settings)
    except (*DAMAGED, KeyError, ValueError) as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EACCES):
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


def _check(content: Content, archive: Path, settings: ImagesSettings) -> None:
    """Raise UserError where the content is not what the settings say."""
    if settings.images and content.images < settings.images:
        raise UserError(
            f"{archive} holds {content.images} images, the config says {settings.images}; get it again"
        )
    if content.images < 2:
        raise UserError(f"{archive} holds {content.images} pictures, at least 2 are needed; add some")
    if content.classes is not None and sum(content.classes.values()) != content.images:
        raise UserError(f"{archive} has not one label an image; delete it and run again")
    if settings.per_class and content.classes is not None:
        counts, wanted = tuple(content.classes.values()), settings.per_class
        if counts != (wanted if isinstance(wanted, tuple) else (wanted,) * len(counts)):
            raise UserError(
                f"{archive} has {_brief(counts)} images of its classes, the config says "
                f"{_brief(wanted)} (per_class); {_remedy(archive)}"
            )
    if settings.sha256 and content.sha256_of_pixels != settings.sha256:
        raise UserError(
            f"the pixels of {archive} have sha256 {content.sha256_of_pixels[:16]}..., "
            f"expected {settings.sha256[:16]}...; {_remedy(archive)}"
        )


def _brief(counts: int | tuple[int, ...]) -> str:
    """Counts of classes, shortened: of equal ones the smallest and the largest."""
    if isinstance(counts, int):
        return f"{counts} of each"
    return ", ".join(map(str, counts)) if len(counts) <= 10 else f"{min(counts)} to {max(counts)}"
