"""The curves of all trainings of a run, for its report."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import compress
from typing import TYPE_CHECKING

from shapednoise.figures.style import curve_color, new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

MOST_NAMES = 20  # of a legend; of more trainings it has data sets and noises alone


def draw_trainings(trainings: Mapping[tuple[str, ...], pd.DataFrame]) -> Figure:
    """Loss and learning rate against the step.

    Args:
        trainings: The rows of training.csv by the folders of the model: data set, noise, network, marginal,
            recipe and seed.
    """
    told = [len(set(names)) > 1 for names in zip(*trainings, strict=True)]
    if len(trainings) > MOST_NAMES:
        told = [True, True]
    names = [", ".join(compress(model, told)) for model in trainings]
    colors = {name: curve_color(position) for position, name in enumerate(dict.fromkeys(names))}
    figure, [axes] = new_figure(9, 3.6 + 0.12 * len(colors), columns=2)
    for ax, column in zip(axes, ("loss", "learning_rate"), strict=True):
        for name, rows in zip(names, trainings.values(), strict=True):
            ax.plot(rows.step, rows[column], color=colors[name], lw=0.9)
        ax.set(xlabel="step", ylabel=column.replace("_", " "))
    axes[0].set_yscale("log")
    if len(colors) > 1:
        for name, color in colors.items():
            axes[0].plot([], [], color=color, label=name)
        figure.legend(loc="outside lower left", frameon=False, fontsize="small", ncols=2)
    return figure
