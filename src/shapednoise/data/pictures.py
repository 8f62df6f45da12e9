"""Pictures of any format that Pillow reads, to arrays: the one preprocessing of pictures."""

import io
import struct
import warnings
from pathlib import Path

import numpy as np
from PIL import Image

from shapednoise.console import UserError

UNREADABLE = (
    *(OSError, ValueError, SyntaxError, EOFError, IndexError, struct.error, MemoryError),
    *(Image.DecompressionBombError, Image.DecompressionBombWarning),
)


def read_picture(content: bytes, name: str, archive: Path) -> Image.Image:
    """A picture, decoded. name and archive are for messages.

    Raises UserError where it cannot be read or has more pixels than Pillow takes for sane.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(content))
            image.load()
            return image
    except UNREADABLE as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(
            f"{name} in {archive} is no readable picture ({reason}); remove it or get the archive again"
        ) from error


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
