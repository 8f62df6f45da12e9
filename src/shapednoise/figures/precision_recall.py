"""Figure 2f of SDM: precision against recall, one point a strength, contours of equal F-score."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from shapednoise.config.base import Name
from shapednoise.config.figures import FigureSettings
from shapednoise.figures.curves import common_sampler, counts, curves, is_separate
from shapednoise.figures.style import curve_color, new_figure, number, palette

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from shapednoise.config.schema import Config

MARKERS = "osD^vP"  # of curves


class PrecisionRecallSettings(FigureSettings):
    """Precision against recall, one point a strength, contours of equal F-score (as Figure 2f of SDM)."""

    kind: Literal["precision_recall"] = Field(description="The kind of figure.")
    experiment: Name = Field(description="Experiment to plot.")

    def inputs(self, name: str, layout: Any) -> dict[str, str | list[str]]:
        """The experiment's scores."""
        return {"scores": layout.scores_table(self.experiment)}

    def parameters(self, config: Config) -> dict[str, Any]:
        """The data set's title."""
        return {"dataset": config.trained_title(self.experiment)}

    @staticmethod
    def draw(scores: pd.DataFrame, dataset: str) -> Figure:
        """Mean over seeds of each strength, its color says which, joined in their order; seeds as dots."""
        figure, [[ax]] = new_figure(6.8, 4.4)
        strengths = sorted(scores.strength.unique())
        colors = dict(zip(strengths, palette("viridis", len(strengths)), strict=True))
        for position, (name, rows) in enumerate(curves(scores)):
            _draw_path(ax, rows, name, curve_color(position), MARKERS[position % len(MARKERS)], colors)
        for strength, color in colors.items():
            text = "0 (DDPM)" if strength == 0 and is_separate(scores) else number(strength)
            ax.plot([], [], "o", color=color, ms=6, label=f"strength {text}")
        if scores.seed.nunique() > 1:
            ax.plot([], [], "o", color="0.5", ms=3, label="a seed")
        ax.plot([], [], "-", color="0.75", lw=0.8, label="equal F = 2PR / (P + R)")
        _frame(ax, scores)
        _draw_contours(ax)
        title = f"{dataset}: {counts(scores)}\n{common_sampler(scores)}".strip()
        ax.set_title(title, fontsize="medium", parse_math=False)
        ax.set_xlabel("Recall")
        ax.set_ylabel("Precision")
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False, fontsize="small")
        return figure


def _draw_path(ax: Axes, rows: pd.DataFrame, name: str, line: Any, marker: str, colors: dict) -> None:
    """A line through the means; its marker says which curve a point belongs to."""
    means = rows.groupby("strength")[["precision", "recall"]].mean().sort_index()
    look = {"marker": marker, "zorder": 4, "clip_on": False}
    ax.plot(means.recall, means.precision, "-", color=line, mfc="white", mec=line, label=name, **look)
    points = [colors[strength] for strength in means.index]
    ax.scatter(means.recall, means.precision, s=55, c=points, edgecolors="white", linewidths=0.8, **look)
    if rows.seed.nunique() > 1:
        seeds = [colors[strength] for strength in rows.strength]
        ax.scatter(rows.recall, rows.precision, s=9, c=seeds, marker=marker, alpha=0.6, lw=0, zorder=3)


def _frame(ax: Axes, scores: pd.DataFrame) -> None:
    """Limits that leave room for the contours' labels and stay within [0, 1]."""
    for values, setter in ((scores.recall, ax.set_xlim), (scores.precision, ax.set_ylim)):
        room = max(0.25 * (values.max() - values.min()), 0.02)
        setter(max(0.0, values.min() - room), min(1.0, values.max() + room))
    ax.locator_params(nbins=6)


def _draw_contours(ax: Axes) -> None:
    """Lines of equal F = 2 P R / (P + R), labelled where they meet the lower or the right end of the axes."""
    from matplotlib.ticker import MaxNLocator

    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    recall, precision = np.meshgrid(np.linspace(left, right, 200), np.linspace(bottom, top, 200))
    f_score = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
    levels = MaxNLocator(7).tick_values(f_score.min(), f_score.max())
    ax.contour(recall, precision, f_score, levels, colors="0.75", linewidths=0.8, zorder=1)
    low, far = bottom + 0.04 * (top - bottom), right - 0.06 * (right - left)
    for level in levels:
        for x, y in ((level * low / (2 * low - level), low), (far, level * far / (2 * far - level))):
            if left + right - far < x <= far and low <= y < top - (low - bottom):
                look = {"fc": "white", "ec": "none", "pad": 1}
                ax.text(
                    x, y, f"F = {level:.3g}", ha="center", va="center", color="0.4", bbox=look,
                    fontsize="x-small", zorder=2,
                )  # fmt: skip
                break
