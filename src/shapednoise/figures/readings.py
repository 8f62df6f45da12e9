"""How far the three readings lie apart: noise in x_t, and noise that one reverse step adds."""

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from shapednoise.figures.style import new_figure, noise_name, number

STYLES = {"published": "-", "equations": "--"}


def readings_figure(readings: pd.DataFrame) -> Figure:
    """Top: the marginal's deviation on v. Below, a panel a number of steps: posterior variances.

    readings: the table of tables.readings, for one noise. All deviations are in per cent of `exact`,
    the marginal's in per cent of `published`.
    """
    steps = sorted(readings.steps.unique(), reverse=True)
    figure, axes = new_figure(4.3 * len(steps) + 1.6, 6.4, rows=2, columns=len(steps))
    top = axes[0, 0].get_gridspec()[0, :]
    for place in axes[0]:
        place.remove()
    strengths = sorted(readings.strength.unique())
    colours = dict(zip(strengths, sns.color_palette("viridis", len(strengths)), strict=True))
    _draw_marginal(figure.add_subplot(top), readings[readings.steps == steps[0]], colours)
    for place, count in zip(axes[1], steps, strict=True):
        _draw_posterior(place, readings[readings.steps == count], colours)
        place.set_title(f"noise added by one of {count} reverse steps on $v$", fontsize="medium")
    axes[1, 0].set_ylabel("its variance over that of exact, $-$ 1   (%)")
    _add_legend(figure, colours)
    return figure


def _draw_marginal(axes: Axes, rows: pd.DataFrame, colours: dict) -> None:
    for strength, colour in colours.items():
        line = rows[rows.strength == strength]
        axes.plot(line.timestep, 100 * line.marginal, color=colour)
    axes.axhline(0, color="0.6", lw=0.8, zorder=1)
    name = noise_name(rows.noise.iloc[0])
    axes.set_title(f"{name}: deviation of the noise in $x_t$ on $v$, exact over published", fontsize="medium")
    axes.set_ylabel(r"$\sqrt{V_t^{\,\rm exact} / V_t^{\,\rm published}} - 1$   (%)")
    axes.set_xlabel("timestep $t$")


def _draw_posterior(axes: Axes, rows: pd.DataFrame, colours: dict) -> None:
    for strength, colour in colours.items():
        line = rows[rows.strength == strength]
        for reading, style in STYLES.items():
            axes.plot(line.timestep, 100 * (line[reading] - 1), style, color=colour)
    axes.axhline(0, color="0.6", lw=0.8, zorder=1)
    axes.set_xlabel("timestep $t$ that the step starts from")


def _add_legend(figure: Figure, colours: dict) -> None:
    """Strengths by colour and readings by line style, right of the panels."""
    handles = [Line2D([], [], color=colour, label=f"$s_0$ = {number(s)}") for s, colour in colours.items()]
    handles += [Line2D([], [], color="0.3", ls=style, label=reading) for reading, style in STYLES.items()]
    figure.legend(handles=handles, loc="outside right center", frameon=False)
