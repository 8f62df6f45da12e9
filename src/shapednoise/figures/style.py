"""The look that all figures share, and the one way to save them."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from shapednoise.files import atomic_path
from shapednoise.metrics.registry import METRICS

NOISE_NAMES = {
    "ddpm": "DDPM",
    "sdm": "SDM",
    "hdm": "HDM",
    "powerlaw": "power law",
    "bandpass": "band pass",
    "sdm_powerlaw": "SDM \u00d7 power law",
}
METRIC_NAMES = {name: metric.label for name, metric in METRICS.items()}
METHOD_NAMES = {"ancestral": "ancestral", "ddim": "DDIM", "dpm_solver": "DPM-Solver++"}


def new_figure(width: float, height: float, rows: int = 1, columns: int = 1) -> tuple[Figure, np.ndarray]:
    """A figure of width x height inches with a grid of axes (always a 2-D array)."""
    sns.set_theme(context="paper", style="ticks", palette="colorblind", font_scale=1.1)
    plt.rcParams.update({"pdf.fonttype": 42, "figure.constrained_layout.use": True})
    return plt.subplots(rows, columns, figsize=(width, height), squeeze=False)


def noise_name(noise: str) -> str:
    """A noise variant's name as it is written in figures."""
    return NOISE_NAMES.get(noise, noise.upper())


def curve_colour(position: int) -> tuple[float, float, float]:
    """The colour of the curve at this position."""
    palette = [*sns.color_palette("colorblind"), *sns.color_palette("husl", 16)]
    return palette[position % len(palette)]


def number(value: float) -> str:
    """A number as it is written in figures, with a real minus sign."""
    return f"{value:g}".replace("-", "\u2212")


def point_name(noise: str, strength: float) -> str:
    """A noise at a strength, as it is written in figures."""
    return noise_name(noise) if noise == "ddpm" else f"{noise_name(noise)}, $s$ = {number(strength)}"


def show_image(axes: Axes, image: np.ndarray, title: str = "") -> None:
    """A picture (H x W x C or C x H x W, uint8; C is 3, or 1 for grey) without axes, pixels as squares."""
    if image.shape[0] in (1, 3):
        image = image.transpose(1, 2, 0)
    axes.imshow(image.repeat(3 // image.shape[2], axis=2), interpolation="nearest")
    axes.set_title(title)
    axes.set_axis_off()


def save(figure: Figure, paths: Sequence[str | Path]) -> None:
    """Save to each path, by its suffix (.pdf, .png), without dates: the same figure, the same file."""
    for path in paths:
        metadata = {"CreationDate": None} if str(path).endswith(".pdf") else {}
        with atomic_path(path) as temporary:
            figure.savefig(temporary, dpi=200, metadata=metadata)
    plt.close(figure)
