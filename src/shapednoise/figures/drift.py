"""Appendix B.2 of SDM: the drift S_t^-1 S_{t-1} of a noise shape that changes with time."""

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from shapednoise.figures.style import new_figure, noise_name


def drift_figure(drift: pd.DataFrame) -> Figure:
    """Largest deviation from the identity against the timestep; a panel per number of steps.

    drift: columns noise, strength, steps, timestep, deviation (from noise.drift.drift_table).
    """
    steps = sorted(drift.steps.unique(), reverse=True)
    figure, axes = new_figure(4.4 * len(steps), 3.6, columns=len(steps))
    strengths = sorted(drift.strength.unique())
    colours = dict(zip(strengths, sns.color_palette("viridis", len(strengths)), strict=True))
    for place, count in zip(axes[0], steps, strict=True):
        for strength, rows in drift[drift.steps == count].groupby("strength"):
            label = f"$s_0={strength:g}$"
            place.plot(rows.timestep, rows.deviation, color=colours[strength], label=label)
        largest = drift[drift.steps == count].deviation.max()
        name = noise_name(drift.noise.iloc[0])
        place.set_title(f"{name}, {count} steps (largest: {largest:.2g})", fontsize="medium")
        place.set_xlabel("timestep $t$")
        place.set_yscale("log")
    axes[0, 0].set_ylabel(r"$\|S_t^{-1} S_{t-1} - I\|_2$")
    axes[0, -1].legend(frameon=False, fontsize="small", loc="best", ncols=2)
    return figure
