"""Selective omission (SAGD): what models learn from data with noise in a known band.

Left: clean and corrupted images, and what is drawn from a model with isotropic noise and from one
whose noise has no support in that band. Right: their scores against the clean data, band by band.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from shapednoise.figures.bars import score_bars
from shapednoise.figures.style import METRIC_NAMES, new_figure, show_image
from shapednoise.figures.tiles import square_grid
from shapednoise.metrics.registry import METRICS

SIDE = 5
RECOVERED = ("isotropic noise", "no noise in the band")


def omission(
    scores: pd.DataFrame, bands: Sequence[str], metric: str, title: str, pictures: Sequence[np.ndarray]
) -> Figure:
    """Four grids of pictures above, bars below.

    scores: tables of the experiments, one a band, with the columns `group` (the band's name) and
    `strength` (0: isotropic, above: band-pass). bands: in the order they are drawn. title: of the
    pictures' band. pictures: clean, corrupted, isotropic, band-pass, each uint8 N x C x H x W.
    """
    figure, axes = new_figure(10, 5.6, rows=2, columns=4)
    names = ("clean data", f"corrupted in {title}", *(f"recovered, {name}" for name in RECOVERED))
    for place, name, images in zip(axes[0], names, pictures, strict=True):
        show_image(place, square_grid(images, SIDE), name)
        place.title.set_fontsize("small")
    for place in axes[1]:
        place.remove()
    below = figure.add_subplot(axes[1, 0].get_gridspec()[1, :])
    drawn = scores.assign(bar=np.where(scores.strength == 0, *RECOVERED))
    score_bars(below, drawn, metric, bands, RECOVERED)
    arrow = METRICS[metric].direction
    below.set_ylabel(f"{METRIC_NAMES[metric]} to clean data\n({arrow})")
    below.set_xlabel("corrupted band, cycles per pixel")
    below.set_xlim(-max(0.6, 2 - len(bands) / 2), len(bands) - 1 + max(0.6, 2 - len(bands) / 2))
    below.legend(frameon=False, fontsize="small", loc="lower right", bbox_to_anchor=(1, 1), ncols=2)
    return figure
