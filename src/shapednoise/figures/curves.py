"""The curves and bars of an experiment's scores, under the names that figures give them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from shapednoise.analysis.curve import SAMPLER, split_curves
from shapednoise.figures.style import curve_color, noise_name
from shapednoise.metrics.registry import METRICS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def setting_text(column: str, value: Any) -> str:
    """A sampler's setting as it is written in figures: `50 steps`, `reading exact`."""
    name = column.removeprefix(SAMPLER)
    return f"{value} steps" if name == "steps" else f"{name} {value}".replace("_", " ")


def curves(scores: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield (name, rows) for every curve of a tidy table of scores, named by noise and what differs."""
    for noise, settings, rows in split_curves(scores):
        details = (setting_text(column, value) for column, value in settings.items())
        yield ", ".join([noise_name(noise), *details]), rows


def draw_bars(
    ax: Axes, scores: pd.DataFrame, metric: str, groups: Sequence[str], bars: Sequence[str]
) -> None:
    """One group of bars a value of the column `group`, one bar in it a value of the column `bar`.

    groups, bars: the values in the order they are drawn; a pair without a score leaves a gap. Bars are
    means over seeds, with the mean written above; seeds are dots.
    """
    width = 0.8 / len(bars)
    for position, bar in enumerate(bars):
        label = bar  # the legend's entry belongs to the first group that has the bar
        for index, group in enumerate(groups):
            values = scores[(scores.group == group) & (scores.bar == bar)][metric].dropna()
            if values.empty:
                continue
            x = index + (position - (len(bars) - 1) / 2) * width
            ax.bar(x, values.mean(), 0.94 * width, color=curve_color(position), label=label)
            ax.text(x, values.mean(), f"{values.mean():.3g}", ha="center", va="bottom", fontsize="x-small")
            if len(values) > 1:
                ax.plot([x] * len(values), values, "o", color="black", ms=2.5, alpha=0.6)
            label = None
    ax.set_xticks(range(len(groups)), groups)
    ax.set_ylabel(METRICS[metric].label)
    ax.margins(y=0.12)
