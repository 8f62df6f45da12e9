"""Figure 2f of SDM: precision against recall, one point a strength, contours of equal F-score."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from shapednoise.figures.curves import curves
from shapednoise.figures.style import curve_colour, new_figure


def precision_recall(scores: pd.DataFrame, dataset: str) -> Figure:
    """Mean over seeds of each strength, labelled with it and joined in its order; seeds as dots."""
    figure, [[axes]] = new_figure(5.2, 4.2)
    for position, (name, rows) in enumerate(curves(scores)):
        _draw_path(axes, rows, name, curve_colour(position))
    _frame(axes, scores)
    _draw_contours(axes)
    generated, real = int(scores.generated_images.iloc[0]), int(scores.real_images.iloc[0])
    axes.set_title(f"{dataset}: {generated:,} generated, {real:,} real", fontsize="medium")
    axes.set_xlabel("Recall")
    axes.set_ylabel("Precision")
    axes.legend(frameon=False, fontsize="small", loc="best")
    return figure


def _draw_path(axes: Axes, rows: pd.DataFrame, name: str, colour) -> None:
    means = rows.groupby("strength")[["precision", "recall"]].mean().sort_index()
    look = {"color": colour, "ms": 6, "mec": "white", "zorder": 4, "clip_on": False}
    axes.plot(means.recall, means.precision, "-o", label=name, **look)
    if rows.seed.nunique() > 1:
        axes.plot(rows.recall, rows.precision, ".", color=colour, alpha=0.5, ms=4, zorder=3)
    for strength, point in means.iterrows():
        text = f"{strength:+.1f}".replace("-", "\u2212") if strength else "0 (DDPM)"
        axes.annotate(
            text, (point.recall, point.precision), xytext=(5, 5), textcoords="offset points",
            fontsize="x-small", zorder=5,
        )  # fmt: skip


def _frame(axes: Axes, scores: pd.DataFrame) -> None:
    """Limits that leave room for the labels and stay within [0, 1]."""
    for values, setter in ((scores.recall, axes.set_xlim), (scores.precision, axes.set_ylim)):
        room = max(0.25 * (values.max() - values.min()), 0.02)
        setter(max(0.0, values.min() - room), min(1.0, values.max() + room))
    axes.locator_params(nbins=6)


def _draw_contours(axes: Axes) -> None:
    """Lines of equal F = 2 P R / (P + R), labelled."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    recall, precision = np.meshgrid(np.linspace(left, right, 200), np.linspace(bottom, top, 200))
    f_score = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
    levels = MaxNLocator(7).tick_values(f_score.min(), f_score.max())
    levels = levels[(levels > f_score.min()) & (levels < f_score.max())]
    lines = axes.contour(recall, precision, f_score, levels, colors="0.75", linewidths=0.8, zorder=1)
    axes.clabel(lines, fmt=lambda value: f"F={value:.3g}", fontsize="x-small", colors="0.5")
