"""Pictures of a directory, a zip or a tar, in the order of their names; sub-directories are classes."""

import hashlib
import os.path
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np

from shapednoise.config.data import ImagesSettings
from shapednoise.data.archives import Member, members
from shapednoise.data.images import block_size
from shapednoise.data.pictures import SUFFIXES, crop_and_resize, read_picture
from shapednoise.errors import UserError
from shapednoise.log import log

BLOCK = 1000


def read_folder(archive: Path, settings: ImagesSettings) -> Iterator[tuple[np.ndarray, list[str] | None]]:
    """Pictures, preprocessed, with the names of their classes, in blocks of up to 1,000.

    Only those of settings.part, and of them the first settings.images. Classes are the directories
    below the one that all pictures share, as in torchvision's ImageFolder; None where there are none.
    """
    with members(archive) as found:
        pictures = _chosen(archive, found, settings)
        at_once = block_size((settings.channels, settings.size, settings.size), BLOCK)
        for start in range(0, len(pictures), at_once):
            block = pictures[start : start + at_once]
            names = [name for _, name in block]
            yield (
                np.stack([_read(member, archive, settings) for member, _ in block]),
                names if all(names) else None,
            )


def count_pictures(archive: Path, settings: ImagesSettings) -> int:
    """How many pictures would be read. None is opened, but a compressed tar is unpacked."""
    with members(archive) as found:
        return len(_chosen(archive, found, settings))


def _chosen(archive: Path, found: list[Member], settings: ImagesSettings) -> list[tuple[Member, str]]:
    """The pictures that are to be read, each with its class. Raises UserError where there are none at all."""
    seen = [member for member in found if not _is_hidden(member.name)]
    pictures = [member for member in seen if _suffix(member.name) in SUFFIXES]
    left_out = _counted(_suffix(member.name) for member in seen if _suffix(member.name) not in SUFFIXES)
    if not pictures:
        raise UserError(f"{archive} holds 0 pictures{left_out}; name another folder, or convert them to png")
    if left_out:
        log.warning("%s: %d pictures%s", archive, len(pictures), left_out)
    low, high = settings.part or (0, 1)
    pairs = zip(pictures, classes(pictures), strict=True)
    return [pair for pair in pairs if low <= split_position(pair[0].name) < high][: settings.images]


def split_position(name: str) -> float:
    """Where a picture lies in [0, 1): a function of its name alone, whatever other pictures there are."""
    return int.from_bytes(hashlib.sha256(name.encode(errors="surrogateescape")).digest()[:6]) / (1 << 48)


def classes(pictures: list[Member]) -> list[str]:
    """The class of each picture, empty where it has none."""
    parents = [PurePosixPath(member.name).parent for member in pictures]
    shared = len(PurePosixPath(os.path.commonpath(parents)).parts) if parents else 0
    return ["".join(parent.parts[shared : shared + 1]) for parent in parents]


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") for part in PurePosixPath(name).parts)


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def _counted(suffixes: Iterator[str]) -> str:
    """How many files of which suffix are left out, the most frequent first; empty: none."""
    counts = Counter(suffixes).most_common()
    listed = ", ".join(f"{count} {suffix or 'without a suffix'}" for suffix, count in counts[:9])
    return f" (left out by their suffix: {listed}{' and others' * (len(counts) > 9)})" if counts else ""


def _read(member: Member, archive: Path, settings: ImagesSettings) -> np.ndarray:
    image = read_picture(member.read(), member.name, archive)
    return crop_and_resize(image, settings.crop, settings.size, settings.channels)
