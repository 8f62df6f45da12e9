"""Figure 3 of SDM: grids of samples side by side, image i from the same starting noise in each."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from shapednoise.figures.style import new_figure, show_image
from shapednoise.figures.tiles import square_grid


def sample_grids(panels: Sequence[tuple[str, np.ndarray]], side: int = 6) -> Figure:
    """One side x side grid a panel; panels are (title, uint8 images N x C x H x W)."""
    figure, axes = new_figure(3.6 * len(panels), 3.9, columns=len(panels))
    for place, (title, images) in zip(axes[0], panels, strict=True):
        show_image(place, square_grid(images, side), title)
    return figure
