"""Power spectra of noises: measured on noise images as dots, in theory as lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from shapednoise.config.base import Name
from shapednoise.config.figures import FigureSettings, NoiseAtStrength, noises_in
from shapednoise.figures.style import curve_color, new_figure, noise_at_strength
from shapednoise.noise.bands import LARGEST_RADIUS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from shapednoise.config.schema import Config

TITLES = {"all": "all pixels", "along": "along $v$, the principal colour axis", "across": "across $v$"}
MARKERS = 24  # dots of a curve, at most; the table has all


class SpectraSettings(FigureSettings):
    """Power spectra of noises, measured and in theory, at the last timestep."""

    table: ClassVar[str] = "spectra"

    kind: Literal["spectra"] = Field(description="The kind of figure.")
    dataset: Name = Field(description="The data set whose size and principal axes are taken.")
    points: tuple[NoiseAtStrength, ...] = Field(min_length=1, description="Noises, one curve each.")
    images: int = Field(512, ge=2, description="Noise images to measure.")

    def table_inputs(self, layout: Any) -> dict[str, str | list[str]]:
        """The data set's color axes and, where a noise needs it, its spectrum."""
        return layout.of_data(self.dataset, *noises_in(self.points))

    def table_parameters(self, config: Config) -> dict[str, Any]:
        """The shapes, without their axes, and what to measure."""
        return {
            "points": config.points(self.points),
            "schedule": config.schedule.for_diffusers(),
            "size": config.images_of(self.dataset).size,
            "images": self.images,
        }

    def inputs(self, name: str, layout: Any) -> dict[str, str | list[str]]:
        """The table of spectra."""
        return {"spectra": layout.figure_table(name)}

    @staticmethod
    def draw(spectra: pd.DataFrame) -> Figure:
        """A panel a direction, power against frequency.

        The power axis is linear up to a tenth of the smallest power above 0 and logarithmic beyond, so
        that frequencies without noise are to be seen, at 0.
        """
        panels = list(spectra.groupby("direction", sort=False))
        figure, [axes] = new_figure(5.0 * len(panels) + 2.6, 4.4, columns=len(panels))
        floor = _floor(spectra)
        for ax, (direction, rows) in zip(axes, panels, strict=True):
            _draw_panel(ax, rows)
            ax.set_title(TITLES[direction], fontsize="medium")
            ax.set_xlabel("radial frequency (cycles per pixel)")
            ax.set_yscale("symlog", linthresh=floor, linscale=0.4)
            ax.set_ylim(-floor / 2, 2 * spectra[["measured", "theory"]].max().max())
        axes[0].set_ylabel("power of the noise (white: 1)")
        handles, labels = axes[0].get_legend_handles_labels()
        title = "line: theory, dot: measured"
        figure.legend(handles, labels, loc="outside right center", frameon=False, title=title)
        return figure


def _floor(spectra: pd.DataFrame) -> float:
    """A power of ten below every power that is not 0."""
    positive = spectra.theory[spectra.theory > 0]
    return float(10.0 ** np.floor(np.log10(positive.min()) - 0.3))


def _draw_panel(ax: Axes, rows: pd.DataFrame) -> None:
    """A color a noise; dots at every few radii, the mean (radius 0) and the corner included.

    Lines get thinner, so that those below others stay to be seen.
    """
    curves = list(rows.groupby(["noise", "strength"], sort=False))
    for position, ((noise, strength), curve) in enumerate(curves):
        width = max(0.9, 5.5 * 0.65**position)
        color = curve_color(position)
        label = noise_at_strength(noise, strength)
        ax.plot(curve.radius, curve.theory, color=color, lw=width, label=label)
        shown = _shown(len(curve), position / len(curves))
        dots = {"color": color, "ms": 4, "mec": "white", "mew": 0.4, "clip_on": False, "zorder": 4}
        ax.plot(curve.radius.iloc[shown], curve.measured.iloc[shown], "o", **dots)
    ax.set_xlim(0, LARGEST_RADIUS)


def _shown(radii: int, phase: float) -> list[int]:
    """The radii that have a dot: the first, the last, and every n-th from a phase (0..1) of n."""
    step = int(np.ceil(radii / MARKERS))
    return sorted({0, radii - 1, *range(round(phase * step), radii, step)})
