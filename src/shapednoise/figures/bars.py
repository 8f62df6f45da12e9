"""Bars of a score, grouped: seeds as points, their mean as the bar."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes

from shapednoise.figures.style import METRIC_NAMES, curve_colour


def score_bars(
    axes: Axes, scores: pd.DataFrame, metric: str, groups: Sequence[str], bars: Sequence[str]
) -> None:
    """One group of bars a value of the column `group`, one bar in it a value of the column `bar`.

    groups, bars: the values in the order they are drawn; a pair without a score leaves a gap. The
    mean is written above each bar.
    """
    width = 0.8 / len(bars)
    for position, bar in enumerate(bars):
        for place, group in enumerate(groups):
            values = scores[(scores.group == group) & (scores.bar == bar)][metric].dropna()
            if values.empty:
                continue
            x = place + (position - (len(bars) - 1) / 2) * width
            label = bar if place == _first_group(scores, metric, groups, bar) else None
            axes.bar(x, values.mean(), 0.94 * width, color=curve_colour(position), label=label)
            axes.text(x, values.mean(), f"{values.mean():.3g}", ha="center", va="bottom", fontsize="x-small")
            if len(values) > 1:
                axes.plot([x] * len(values), values, "o", color="black", ms=2.5, alpha=0.6)
    axes.set_xticks(range(len(groups)), groups)
    axes.set_ylabel(METRIC_NAMES[metric])
    axes.margins(y=0.12)


def _first_group(scores: pd.DataFrame, metric: str, groups: Sequence[str], bar: str) -> int:
    """The first group that has this bar: it carries the legend's entry."""
    known = set(scores[(scores.bar == bar) & scores[metric].notna()].group)
    return next(place for place, group in enumerate(groups) if group in known)
