"""Power spectra of noises: measured on noise images as dots, in theory as lines."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from shapednoise.figures.style import curve_colour, new_figure, point_name
from shapednoise.noise.bands import LARGEST_RADIUS

TITLES = {"all": "all pixels", "along": "along $v$, the principal colour axis", "across": "across $v$"}
MARKERS = 24  # at most so many dots a curve; the table has all


def spectra_figure(spectra: pd.DataFrame) -> Figure:
    """A panel a direction, power against frequency; the table is that of tables.spectra.

    The power axis is linear up to a tenth of the smallest power above 0 and logarithmic beyond, so
    that frequencies without noise are to be seen, at 0.
    """
    panels = list(spectra.groupby("direction", sort=False))
    figure, [axes] = new_figure(5.0 * len(panels) + 2.6, 4.4, columns=len(panels))
    floor = _floor(spectra)
    for place, (direction, rows) in zip(axes, panels, strict=True):
        _draw_panel(place, rows)
        place.set_title(TITLES[direction], fontsize="medium")
        place.set_xlabel("radial frequency (cycles per pixel)")
        place.set_yscale("symlog", linthresh=floor, linscale=0.4)
        place.set_ylim(-floor / 2, 2 * spectra[["measured", "theory"]].max().max())
    axes[0].set_ylabel("power of the noise (white: 1)")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside right center", frameon=False, title="line: theory, dot: measured"
    )
    return figure


def _floor(spectra: pd.DataFrame) -> float:
    """A power of ten below every power that is not 0."""
    positive = spectra.theory[spectra.theory > 0]
    return float(10.0 ** np.floor(np.log10(positive.min()) - 0.3))


def _draw_panel(axes: Axes, rows: pd.DataFrame) -> None:
    """A colour a noise; dots at every few radii, the mean (radius 0) and the corner included.

    Lines get thinner, so that those below others stay to be seen.
    """
    curves = list(rows.groupby(["noise", "strength"], sort=False))
    for position, ((noise, strength), curve) in enumerate(curves):
        width = max(0.9, 5.5 * 0.65**position)
        colour = curve_colour(position)
        axes.plot(curve.radius, curve.theory, color=colour, lw=width, label=point_name(noise, strength))
        shown = _shown(len(curve), position / len(curves))
        axes.plot(
            curve.radius.iloc[shown], curve.measured.iloc[shown], "o", color=colour, ms=4, mec="white",
            mew=0.4, clip_on=False, zorder=4,
        )  # fmt: skip
    axes.set_xlim(0, LARGEST_RADIUS)


def _shown(radii: int, phase: float) -> list[int]:
    """The radii that have a dot: the first, the last, and every n-th from a phase (0..1) of n."""
    step = int(np.ceil(radii / MARKERS))
    return sorted({0, radii - 1, *range(round(phase * step), radii, step)})
