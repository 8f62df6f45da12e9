"""One real image under several noises, noised to several timesteps with the same white noise."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from shapednoise.data.images import normalize_to_minus_one_one, to_uint8
from shapednoise.figures.style import new_figure, point_name, show_image
from shapednoise.noise.process import ShapedProcess
from shapednoise.noise.shape import make_shape

SEED = 0


def noise_gallery(
    image: np.ndarray,
    points: Sequence[tuple[str, float, dict[str, Any]]],
    timesteps: Sequence[int],
    betas: Tensor,
) -> Figure:
    """A row a noise, a column a timestep, and last the noise alone, of the last timestep.

    image: C x H x W, see data/images.py. points: (noise, strength, shape with its axis). betas: (T,).
    Pictures are x_t, or n_t, clipped to what 0..255 can show. A shape with gains of 0 leaves the
    image's own frequencies out, too.
    """
    figure, axes = new_figure(
        1.45 * len(timesteps) + 3.2, 1.5 * len(points) + 0.4, rows=len(points), columns=len(timesteps) + 1
    )
    clean = normalize_to_minus_one_one(torch.from_numpy(np.array(image[None])))
    white = torch.randn(clean.shape, generator=torch.Generator().manual_seed(SEED))
    for row, (noise, strength, shape) in zip(axes, points, strict=True):
        process = ShapedProcess(make_shape(**shape), betas, exact=False)
        for place, t in zip(row, timesteps, strict=False):
            show_image(place, to_uint8(noised(process, clean, white, t)[0]).numpy())
        show_image(row[-1], to_uint8(process.shape_noise(white, process.last)[0]).numpy())
        _label(row[0], point_name(noise, strength))
    for place, t in zip(axes[0], timesteps, strict=False):
        place.set_title(f"$t$ = {t}")
    axes[0, -1].set_title("noise alone")
    return figure


def noised(process: ShapedProcess, clean: Tensor, white: Tensor, t: int) -> Tensor:
    """x_t of images (B, C, H, W) with this white noise, shaped."""
    timesteps = torch.tensor([t])
    return process.add_noise(clean, process.shape_noise(white, timesteps), timesteps)


def _label(axes: Axes, text: str) -> None:
    """A text left of a picture, name and strength on lines of their own."""
    axes.text(
        -0.08,
        0.5,
        text.replace(", ", "\n"),
        ha="right",
        va="center",
        transform=axes.transAxes,
        fontsize="medium",
    )
