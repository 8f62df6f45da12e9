"""Figure 2f of SDM: precision against recall, one point a strength, contours of equal F-score."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from shapednoise.config.base import Name
from shapednoise.config.figures import FigureSettings
from shapednoise.figures.curves import curves
from shapednoise.figures.style import curve_color, new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from shapednoise.config.schema import Config


class PrecisionRecallSettings(FigureSettings):
    """Precision against recall, one point a strength, contours of equal F-score (Figure 2f)."""

    kind: Literal["precision_recall"] = Field(description="The kind of figure.")
    experiment: Name = Field(description="Experiment to plot.")

    def inputs(self, name: str, layout: Any) -> dict[str, str | list[str]]:
        """The experiment's scores."""
        return {"scores": layout.scores_table(self.experiment)}

    def parameters(self, config: Config) -> dict[str, Any]:
        """The data set's title."""
        return {"dataset": config.title_of(self.experiment)}

    @staticmethod
    def draw(scores: pd.DataFrame, dataset: str) -> Figure:
        """Mean over seeds of each strength, labelled with it and joined in its order; seeds as dots."""
        figure, [[ax]] = new_figure(5.2, 4.2)
        for position, (name, rows) in enumerate(curves(scores)):
            _draw_path(ax, rows, name, curve_color(position))
        _frame(ax, scores)
        _draw_contours(ax)
        generated, real = int(scores.generated_images.iloc[0]), int(scores.real_images.iloc[0])
        ax.set_title(
            f"{dataset}: {generated:,} generated, {real:,} real", fontsize="medium", parse_math=False
        )
        ax.set_xlabel("Recall")
        ax.set_ylabel("Precision")
        ax.legend(frameon=False, fontsize="small", loc="best")
        return figure


def _draw_path(ax: Axes, rows: pd.DataFrame, name: str, color) -> None:
    means = rows.groupby("strength")[["precision", "recall"]].mean().sort_index()
    look = {"color": color, "ms": 6, "mec": "white", "zorder": 4, "clip_on": False}
    ax.plot(means.recall, means.precision, "-o", label=name, **look)
    if rows.seed.nunique() > 1:
        ax.plot(rows.recall, rows.precision, ".", color=color, alpha=0.5, ms=4, zorder=3)
    for strength, point in means.iterrows():
        text = f"{strength:+.1f}".replace("-", "\u2212") if strength else "0 (DDPM)"
        ax.annotate(
            text, (point.recall, point.precision), xytext=(5, 5), textcoords="offset points",
            fontsize="x-small", zorder=5,
        )  # fmt: skip


def _frame(ax: Axes, scores: pd.DataFrame) -> None:
    """Limits that leave room for the labels and stay within [0, 1]."""
    for values, setter in ((scores.recall, ax.set_xlim), (scores.precision, ax.set_ylim)):
        room = max(0.25 * (values.max() - values.min()), 0.02)
        setter(max(0.0, values.min() - room), min(1.0, values.max() + room))
    ax.locator_params(nbins=6)


def _draw_contours(ax: Axes) -> None:
    """Lines of equal F = 2 P R / (P + R), labelled."""
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    recall, precision = np.meshgrid(np.linspace(left, right, 200), np.linspace(bottom, top, 200))
    f_score = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
    from matplotlib.ticker import MaxNLocator

    levels = MaxNLocator(7).tick_values(f_score.min(), f_score.max())
    levels = levels[(levels > f_score.min()) & (levels < f_score.max())]
    lines = ax.contour(recall, precision, f_score, levels, colors="0.75", linewidths=0.8, zorder=1)
    ax.clabel(lines, fmt=lambda value: f"F={value:.3g}", fontsize="x-small", colors="0.5")
