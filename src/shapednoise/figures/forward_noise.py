"""Figure 1 of SDM: what isotropic, squeezed and antisqueezed noise do to a cloud and to an image."""

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from shapednoise.data.images import normalize_to_minus_one_one, to_uint8
from shapednoise.figures.style import new_figure, noise_name, show_image
from shapednoise.noise.shape import NoiseShape, make_shape, with_axis

PIXELS = 1500


def forward_noise(
    images: np.ndarray, axes_of_colour: np.ndarray, name: str, shape: dict, signal: float, index: int
) -> Figure:
    """Top: the colours of real pixels in the plane of the first two principal axes. Bottom: an image.

    images: N x 3 x H x W, see data/images.py. axes_of_colour: 3 x 3, unit rows. name: of the noise;
    shape: its description, squeezing. signal: A_t; the noise has weight sqrt(1 - A_t) and constant
    strength. index: the image shown.
    """
    strength = shape["strength"]
    squeezing = with_axis(shape, axes_of_colour[0].tolist()) | {"schedule": "constant"}
    name = noise_name(name)
    panels = {
        "Data": None,
        "Isotropic (DDPM)": make_shape("ddpm"),
        f"Squeezed ({name}, $s={strength:g}$)": make_shape(**squeezing),
        f"Antisqueezed ({name}, $s=-{strength:g}$)": make_shape(**squeezing | {"strength": -strength}),
    }
    figure, axes = new_figure(11.5, 5.4, rows=2, columns=len(panels))
    pixels = _pixels(images)
    image = normalize_to_minus_one_one(torch.from_numpy(np.array(images[index : index + 1]))).double()
    for column, (title, drawn) in enumerate(panels.items()):
        _draw_cloud(axes[0, column], pixels, drawn, axes_of_colour, signal)
        axes[0, column].set_xlabel("1st principal axis $v$")
        axes[0, column].set_title(title)
        noised = image if drawn is None else _add_noise(image, drawn, signal)
        show_image(axes[1, column], to_uint8(noised[0]).numpy())
    axes[0, 0].set_ylabel("2nd principal axis")
    axes[0, 1].legend(frameon=False, fontsize="small", loc="lower right", markerscale=4)
    return figure


def _pixels(images: np.ndarray) -> torch.Tensor:
    """Colours of PIXELS pixels spread over the data set, one pixel an image: (PIXELS, 3, 1, 1)."""
    chosen = np.linspace(0, len(images) - 1, min(PIXELS, len(images))).astype(int)
    size = images.shape[2]
    places = np.random.default_rng(0).integers(0, size, (len(chosen), 2))
    colours = np.stack([images[i, :, row, col] for i, (row, col) in zip(chosen, places, strict=True)])
    return normalize_to_minus_one_one(torch.from_numpy(colours)).double()[:, :, None, None]


def _add_noise(x: torch.Tensor, shape: NoiseShape, signal: float) -> torch.Tensor:
    """sqrt(A) x + sqrt(1 - A) S e, the same e for every shape."""
    white = torch.randn(x.shape, generator=torch.Generator().manual_seed(0), dtype=x.dtype)
    gains = shape.gains(torch.tensor([0.5]), (x.shape[2], x.shape[3]))
    return signal**0.5 * x + (1 - signal) ** 0.5 * shape.apply(white, gains)


def _draw_cloud(
    axes: Axes, pixels: torch.Tensor, shape: NoiseShape | None, axes_of_colour: np.ndarray, signal: float
) -> None:
    data = pixels[:, :, 0, 0].numpy() @ axes_of_colour[:2].T
    if shape is not None:
        noised = _add_noise(pixels, shape, signal)[:, :, 0, 0].numpy() @ axes_of_colour[:2].T
        axes.plot(*noised.T, ".", color="tab:red", ms=2.2, alpha=0.5, label="with noise", rasterized=True)
    axes.plot(*data.T, ".", color="tab:blue", ms=2.2, alpha=0.5, label="data", rasterized=True)
    axes.set(xlim=(-4, 4), ylim=(-2.6, 2.6), aspect="equal")
