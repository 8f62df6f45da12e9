"""Pictures of any format that Pillow reads, to arrays of one size."""

import contextlib
import io
import struct
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from shapednoise.errors import UserError

UNREADABLE = (
    *(OSError, ValueError, SyntaxError, EOFError, IndexError, struct.error, MemoryError),
    *(Image.DecompressionBombError, Image.DecompressionBombWarning),
)
# of formats whose pixels Pillow reads by itself, without a program or a plugin
SUFFIXES = {
    *(
        ".apng",
        ".avif",
        ".bmp",
        ".dib",
        ".gif",
        ".ico",
        ".j2k",
        ".jfif",
        ".jp2",
        ".jpe",
        ".jpeg",
        ".jpf",
        ".jpg",
    ),
    *(
        ".jpx",
        ".mpo",
        ".pbm",
        ".pcx",
        ".pgm",
        ".png",
        ".pnm",
        ".ppm",
        ".psd",
        ".qoi",
        ".tga",
        ".tif",
        ".tiff",
    ),
    *(".sgi", ".webp"),
}
TRANSPARENT = ("LA", "La", "PA", "RGBA", "RGBa")


def read_picture(content: bytes, name: str, archive: Path) -> Image.Image:
    """A picture as it is meant to be seen: upright, of 8 bits a channel, nothing of it transparent.

    Of several frames or pages it is the first.

    name and archive are for messages. Raises UserError where it cannot be read, has more pixels than
    Pillow's limit against decompression bombs, or values of no known range.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(content))
            image.load()
            with contextlib.suppress(*UNREADABLE):  # a broken EXIF says nothing about the picture
                ImageOps.exif_transpose(image, in_place=True)
            return _opaque(_of_8_bits(image))
    except UNREADABLE as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(
            f"{name} in {archive} is no readable picture ({reason}); remove it or get the archive again"
        ) from error


def _of_8_bits(image: Image.Image) -> Image.Image:
    """Grey of 16 bits by its high byte, which is what Pillow takes of 16-bit colour; others as they are.

    Raises ValueError for 32 bits and floats. Pillow's own conversion clips all of these at 255.
    """
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format in ("PNG", "PPM")):
        return Image.fromarray((np.asarray(image).astype(np.int32) >> 8).astype(np.uint8))
    if image.mode in ("I", "F"):
        raise ValueError("its values have no known range; save it with 8 or 16 bits a channel")
    return image


def _opaque(image: Image.Image) -> Image.Image:
    """A picture with transparency before black; others as they are."""
    if image.mode not in TRANSPARENT and "transparency" not in image.info:
        return image
    image = image.convert("RGBA")
    black = Image.new("RGBA", image.size, "black")
    return Image.alpha_composite(black, image).convert("RGB")


def crop_and_resize(image: Image.Image, crop: int | None, size: int, channels: int = 3) -> np.ndarray:
    """Centre crop to crop x crop, antialiased resize to size x size; uint8, size x size x channels.

    A picture smaller than the crop is padded with black; without a crop the largest square is taken.
    One channel is the luma of the colours (ITU-R 601-2).
    """
    image = image.convert("L" if channels == 1 else "RGB")
    crop = crop or min(image.size)
    left, top = (image.width - crop) // 2, (image.height - crop) // 2
    image = image.crop((left, top, left + crop, top + crop))
    if crop != size:
        image = image.resize((size, size), Image.Resampling.BICUBIC, reducing_gap=None)
    return np.asarray(image).reshape(size, size, channels)
