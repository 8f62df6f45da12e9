"""Appendix B.2 of SDM: the drift S_t^-1 S_{t-1} of a noise shape that changes with time."""

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from shapednoise.figures.style import new_figure, noise_name


def drift_figure(drift: pd.DataFrame) -> Figure:
    """The drift of one step, a panel per number of steps, and last what it adds up to.

    drift: the table of noise.drift.drift_table, for one noise variant.
    """
    steps = sorted(drift.steps.unique(), reverse=True)
    name = noise_name(drift.noise.iloc[0])
    figure, [axes] = new_figure(4.1 * (len(steps) + 1), 3.6, columns=len(steps) + 1)
    for place, count in zip(axes, steps, strict=False):
        rows = drift[drift.steps == count]
        _draw_lines(place, rows, "deviation")
        place.set_title(f"one of {count} steps: at most {rows.deviation.abs().max():.2g}", fontsize="medium")
        place.ticklabel_format(axis="y", scilimits=(-2, 2), useMathText=True)
    axes[0].set_ylabel(rf"drift on $v$ of {name}:  $S_t^{{-1}} S_{{t-1}} - 1$")
    _draw_lines(axes[-1], drift[drift.steps == steps[-1]], "accumulated")
    axes[-1].set_title(f"all of {steps[-1]} steps, accumulated", fontsize="medium")
    axes[-1].legend(frameon=False, fontsize="small", title="strength $s_0$")
    return figure


def _draw_lines(axes: Axes, rows: pd.DataFrame, column: str) -> None:
    """One line a strength against the timestep, from large to small as sampling goes."""
    strengths = sorted(rows.strength.unique())
    for strength, colour in zip(strengths, sns.color_palette("viridis", len(strengths)), strict=True):
        line = rows[rows.strength == strength]
        label = f"{strength:g}".replace("-", "\u2212")
        axes.plot(line.timestep, line[column], color=colour, label=label)
    axes.axhline(0, color="0.6", lw=0.8, zorder=1)
    axes.set_xlabel("timestep $t$ (sampling goes to the right)")
    axes.invert_xaxis()
