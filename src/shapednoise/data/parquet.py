"""Data sets of the Hugging Face hub: a parquet file with one picture a row."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from shapednoise.config.data import ImagesSettings
from shapednoise.data.archives import check_total
from shapednoise.data.idx import framed
from shapednoise.data.pictures import crop_and_resize, read_picture
from shapednoise.errors import UserError

MAGIC = b"PAR1"
PICTURES, LABELS = ("img", "image"), ("label", "fine_label")
BLOCK = 1000
AT_ONCE = 1 << 30  # bytes: a picture that many rows share is stored once, and each row may be that one


def is_parquet(archive: Path) -> bool:
    """Whether a file begins as parquet files do."""
    if archive.is_dir():
        return False
    with open(archive, "rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def read_parquet(archive: Path, settings: ImagesSettings) -> Iterator[tuple[np.ndarray, list[Any] | None]]:
    """Pictures in the order of the rows, with their classes, in blocks of up to 1,000, fewer of large ones.

    A column `img` or `image` of picture files, as bytes or as {bytes, path}; `label` or `fine_label`.
    Pictures of the reader `folder` are preprocessed; those of the others keep their pixels, `framed` for
    the size. Raises UserError where there are none, and
    pyarrow's errors where the file is damaged.
    """
    if settings.part:
        raise UserError(f"the pictures of {archive} have no names of their own to split by; remove part")
    file = pq.ParquetFile(archive)
    sizes = [file.metadata.row_group(index).total_byte_size for index in range(file.num_row_groups)]
    check_total(archive, sum(sizes))
    rows = max(1, min(BLOCK, AT_ONCE // max([1, *sizes])))
    names = file.schema_arrow.names
    picture, label = (next((name for name in known if name in names), None) for known in (PICTURES, LABELS))
    if not picture:
        raise UserError(f"{archive} has no column {' or '.join(PICTURES)}, but {names}; name another source")
    row, sides = 0, set()
    for batch in file.iter_batches(rows, columns=[picture, *([label] if label else [])]):
        contents = batch.column(picture).to_pylist()
        images = [_read(content, f"row {row + i}", archive, settings) for i, content in enumerate(contents)]
        sides |= {image.shape for image in images}
        if len(sides) > 1:
            raise UserError(f"the pictures of {archive} have several sizes; raise size to the largest")
        labels = batch.column(label).to_pylist() if label else [None]
        yield np.stack(images), None if None in labels else labels
        row += len(images)


def _read(content: Any, name: str, archive: Path, settings: ImagesSettings) -> np.ndarray:
    content = content["bytes"] if isinstance(content, dict) else content
    if not isinstance(content, bytes):
        raise UserError(f"{name} in {archive} holds no picture file; get it from another source")
    image = read_picture(content, name, archive)
    if settings.reader == "folder":
        return crop_and_resize(image, settings.crop, settings.size, settings.channels)
    pixels = np.asarray(image.convert("L" if settings.channels == 1 else "RGB"))
    return framed(pixels.reshape(1, image.height, image.width, settings.channels), settings.size)[0]
