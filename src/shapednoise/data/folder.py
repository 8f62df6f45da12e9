"""Pictures of a directory, a zip or a tar, in the order of their names; sub-directories are classes."""

import hashlib
import os.path
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np
from torchvision.datasets.folder import is_image_file

from shapednoise.config.data import ImagesSettings
from shapednoise.data.archives import Member, members
from shapednoise.data.pictures import crop_and_resize, read_picture

BLOCK = 1000


def read_folder(archive: Path, settings: ImagesSettings) -> Iterator[tuple[np.ndarray, list[str] | None]]:
    """Pictures, preprocessed, with the names of their classes, in blocks of up to 1,000.

    Only those of settings.part, and of them the first settings.images. Classes are the directories
    below the one that all pictures share, as in torchvision's ImageFolder; None where there are none.
    """
    with members(archive) as found:
        pictures = [member for member in found if _is_picture(member.name)]
        labels = dict(zip((member.name for member in pictures), classes(pictures), strict=True))
        if settings.part:
            low, high = settings.part
            pictures = [member for member in pictures if low <= split_position(member.name) < high]
        pictures = pictures[: settings.images]
        for start in range(0, len(pictures), BLOCK):
            block = pictures[start : start + BLOCK]
            images = [_read(member, archive, settings) for member in block]
            names = [labels[member.name] for member in block]
            yield np.stack(images), names if all(names) else None


def split_position(name: str) -> float:
    """Where a picture lies in [0, 1): a function of its name alone, whatever other pictures there are."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:6]) / (1 << 48)


def classes(pictures: list[Member]) -> list[str]:
    """The class of each picture, empty where it has none."""
    parents = [PurePosixPath(member.name).parent for member in pictures]
    shared = len(PurePosixPath(os.path.commonpath(parents)).parts) if parents else 0
    return ["".join(parent.parts[shared : shared + 1]) for parent in parents]


def _is_picture(name: str) -> bool:
    """Whether it is a picture file, and none of those that a desktop hides among them."""
    hidden = any(part.startswith(".") for part in PurePosixPath(name).parts)
    return is_image_file(name) and not hidden and "__MACOSX" not in name


def _read(member: Member, archive: Path, settings: ImagesSettings) -> np.ndarray:
    image = read_picture(member.read(), member.name, archive)
    return crop_and_resize(image, settings.crop, settings.size, settings.channels)
