"""Pictures of one sample set: a 6 x 6 grid, a strip and a GIF of the way from noise to image."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from shapednoise.figures.tiles import GAP, square_grid, tile
from shapednoise.files import atomic_path

ZOOM = 3
LABEL_HEIGHT = 16


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
