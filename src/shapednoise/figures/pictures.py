"""Pictures of a sample set: tiles, a 6 x 6 grid, a strip and a GIF of the way from noise to image."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from shapednoise.files import atomic_path

GAP = 2
ZOOM = 3
LABEL_HEIGHT = 16


def tile(rows: Sequence[np.ndarray], zoom: int = 1) -> np.ndarray:
    """Rows of images (each uint8 n x C x H x W) as one H x W x 3 picture, white gaps between them.

    C is 3, or 1 for grey. zoom: every pixel becomes zoom x zoom pixels.
    """
    height, width = rows[0].shape[2] * zoom, rows[0].shape[3] * zoom
    columns = max(len(row) for row in rows)
    shape = (len(rows) * (height + GAP) - GAP, columns * (width + GAP) - GAP, 3)
    canvas = np.full(shape, 255, np.uint8)
    for y, row in enumerate(rows):
        for x, image in enumerate(row):
            top, left = y * (height + GAP), x * (width + GAP)
            enlarged = image.transpose(1, 2, 0).repeat(zoom, 0).repeat(zoom, 1)
            canvas[top : top + height, left : left + width] = enlarged
    return canvas


def square_grid(images: np.ndarray, side: int, zoom: int = 1) -> np.ndarray:
    """The first side x side images in rows of `side`."""
    rows = [images[start : start + side] for start in range(0, min(side * side, len(images)), side)]
    return tile(rows, zoom)


def save_grid(images: np.ndarray, path: str | Path, side: int = 6) -> None:
    """The first side x side images (uint8 N x C x H x W) as one PNG, enlarged."""
    with atomic_path(path) as temporary:
        Image.fromarray(square_grid(images, side, ZOOM)).save(temporary)


def save_strip(frames: np.ndarray, timesteps: np.ndarray, path: str | Path) -> None:
    """Predictions of x_0, one image a row, one timestep a column with its number above."""
    picture = Image.fromarray(tile(list(frames.swapaxes(0, 1)), ZOOM))
    canvas = Image.new("RGB", (picture.width, picture.height + LABEL_HEIGHT), "white")
    canvas.paste(picture, (0, LABEL_HEIGHT))
    pen, font = ImageDraw.Draw(canvas), ImageFont.load_default(12)
    width = (picture.width + GAP) / len(timesteps)
    for column, timestep in enumerate(timesteps):
        middle = column * width + (width - GAP) / 2
        pen.text((middle, LABEL_HEIGHT / 2), f"t={timestep}", fill="black", font=font, anchor="mm")
    with atomic_path(path) as temporary:
        canvas.save(temporary)


def save_gif(frames: np.ndarray, path: str | Path) -> None:
    """The same predictions as an animation; the last frame stays longer."""
    pictures = [Image.fromarray(tile([frame], ZOOM)) for frame in frames]
    durations = [250] * (len(pictures) - 1) + [2000]
    with atomic_path(path) as temporary:
        pictures[0].save(temporary, save_all=True, append_images=pictures[1:], duration=durations, loop=0)
