"""The relative error of the learned score against the noise level: does it vanish with the noise?"""

import pandas as pd
from matplotlib.figure import Figure

from shapednoise.figures.style import curve_colour, new_figure, point_name


def score_limit_figure(table: pd.DataFrame, dataset: str) -> Figure:
    """A curve a noise; noise without support on some modes ends at what these are worth.

    table: that of tables.score_limit. dataset: its name for the title.
    """
    figure, [[axes]] = new_figure(7.6, 4.4)
    noises = table.sort_values("level", kind="stable").groupby(["noise", "strength"], sort=False)
    for position, ((noise, strength), rows) in enumerate(noises):
        look = {"color": curve_colour(position), "lw": max(2.6 - 0.35 * position, 1.0)}
        name = point_name(noise, strength)
        axes.plot(rows.level, rows.error, "-", label=name, **look)
        if rows.support.min() < 1:
            axes.plot(rows.level, rows.error_on_support, ":", label=f"{name}, where it has noise", **look)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel(r"noise level $1 - \bar\alpha$   ($t \to 0$: leftwards)")
    axes.set_ylabel("relative error of the learned score")
    axes.set_title(f"Gaussian data with the spectrum of {dataset}", fontsize="medium")
    figure.legend(loc="outside right center", frameon=False, fontsize="small")
    return figure
