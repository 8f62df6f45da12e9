"""The look that all figures share, and the one way to save them.

matplotlib and seaborn are imported when a figure is drawn: the workflow reads the kinds of figures, which
use this module, whenever it parses the config.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shapednoise.files import atomic_path
from shapednoise.log import log
from shapednoise.noise.operators import BASELINE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NOISE_NAMES = {
    "ddpm": "DDPM",
    "sdm": "SDM",
    "hdm": "HDM",
    "powerlaw": "power law",
    "bandpass": "band pass",
    "sdm_powerlaw": "SDM \u00d7 power law",
    "equal_snr": "equal SNR",
    "white_to_blue": "white to blue",
    "blurring": "blurring",
}
SYMBOLS = {"powerlaw": "\\alpha", "equal_snr": "\\gamma", "blurring": "\\sigma_B"}  # of strengths; else s
METHOD_NAMES = {"ancestral": "ancestral", "ddim": "DDIM", "dpm_solver": "DPM-Solver++"}
VARIANCE_NAMES = {
    "fixed_small": "small variance",
    "fixed_large": "large variance",
    "optimal": "optimal variance",
    "optimal_scalar": "one optimal number a step",
}
READING_STYLES = {"published": "-", "equations": "--", "exact": ":"}


def new_figure(width: float, height: float, rows: int = 1, columns: int = 1) -> tuple[Figure, np.ndarray]:
    """A figure of width x height inches with a grid of axes (always a 2-D array)."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    import seaborn as sns

    sns.set_theme(context="paper", style="ticks", palette="colorblind", font_scale=1.1)
    plt.rcParams.update({"pdf.fonttype": 42, "figure.constrained_layout.use": True})
    return plt.subplots(rows, columns, figsize=(width, height), squeeze=False)


def palette(name: str, count: int | None = None) -> list[Any]:
    """Colors of a seaborn palette."""
    import seaborn as sns

    return list(sns.color_palette(name, count))


def noise_name(noise: str) -> str:
    """A noise variant's name as it is written in figures."""
    return NOISE_NAMES.get(noise, noise.upper())


def curve_color(position: int) -> tuple[float, float, float]:
    """The color of the curve at this position."""
    firm = palette("colorblind")
    firm[6], firm[8] = firm[9], (0.2, 0.2, 0.2)  # pale pink and yellow are hard to see as lines
    colors = [*firm[:9], *palette("husl", 16)]
    return colors[position % len(colors)]


def number(value: float) -> str:
    """A number as it is written in figures, with a real minus sign."""
    return f"{value:g}".replace("-", "\u2212")


def noise_at_strength(noise: str, strength: float) -> str:
    """A noise at a strength, as it is written in figures."""
    symbol = SYMBOLS.get(noise, "s")
    return noise_name(noise) if noise == BASELINE else f"{noise_name(noise)}, ${symbol}$ = {number(strength)}"


def show_image(axes: Axes, image: np.ndarray, title: str = "") -> None:
    """A picture (H x W x C or C x H x W, uint8; C is 3, or 1 for grey) without axes, pixels as squares."""
    if image.shape[0] in (1, 3):
        image = image.transpose(1, 2, 0)
    axes.imshow(image.repeat(3 // image.shape[2], axis=2), interpolation="nearest")
    axes.set_title(title)
    axes.set_axis_off()


def save(figure: Figure, paths: Sequence[str | Path]) -> None:
    """Save to each path, by its suffix (.pdf, .png), without dates: the same figure, the same file."""
    import matplotlib.pyplot as plt

    _find_fonts(figure)
    for path in paths:
        metadata = {"CreationDate": None} if str(path).endswith(".pdf") else {}
        with atomic_path(path) as temporary:
            figure.savefig(temporary, dpi=200, metadata=metadata)
    plt.close(figure)


def _find_fonts(figure: Figure) -> None:
    """Give texts in scripts that the default font lacks the fonts of this system that have them."""
    from matplotlib.font_manager import findfont, fontManager, get_font
    from matplotlib.text import Text

    texts = figure.findobj(Text)
    families = texts[0].get_fontfamily()
    wanted = {ord(letter) for text in texts for letter in text.get_text() if letter.isprintable()}
    lacking = wanted - get_font(findfont(texts[0].get_fontproperties())).get_charmap().keys()
    for font in sorted(fontManager.ttflist, key=lambda font: font.fname) if lacking else []:
        if font.name.startswith("Last Resort"):  # of boxes alone
            continue
        if found := lacking & get_font(font.fname).get_charmap().keys():
            families, lacking = [*families, font.name], lacking - found
    for text in texts:
        text.set_fontfamily(families)
    if lacking:
        warnings.filterwarnings("ignore", "Glyph")
        letters = "".join(map(chr, sorted(lacking)))
        log.warning("no font of this system has %s: they are drawn as boxes; install one that does", letters)
