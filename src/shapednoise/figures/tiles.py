"""Many small images as one picture."""

from collections.abc import Sequence

import numpy as np

GAP = 2


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
