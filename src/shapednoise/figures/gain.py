"""What a strength changes: a score relative to s = 0, beside the samples' variance along the color axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from shapednoise.analysis.curve import crossing, seed_curves, student
from shapednoise.config.base import Name
from shapednoise.config.figures import FigureSettings
from shapednoise.figures.curves import curves
from shapednoise.figures.style import curve_color, new_figure
from shapednoise.metrics.measures.variance_along_v import OF_DATA
from shapednoise.metrics.registry import METRICS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from shapednoise.config.schema import Config

VARIANCE = "variance_along_v"


class GainSettings(FigureSettings):
    """A score's change from s = 0, in per cent, beside the variance along v as a share of the data's."""

    kind: Literal["gain"] = Field(description="The kind of figure.")
    experiment: Name = Field(description="Experiment to plot; the strength 0 is one of its strengths.")
    metric: Literal[tuple(METRICS)] = Field("fid", description="Metric to plot.")
    published: dict[float, float] = Field({}, description="Published values of the metric, by strength.")

    def inputs(self, name: str, layout: Any) -> dict[str, str | list[str]]:
        """The experiment's scores."""
        return {"scores": layout.scores_table(self.experiment)}

    def parameters(self, config: Config) -> dict[str, Any]:
        """The metric and what is published of it, the data set's title, the name of the strength."""
        label = config.shaped_noise(self.experiment).strength_label
        title = config.trained_title(self.experiment)
        return {"metric": self.metric, "published": self.published, "dataset": title, "label": label}

    @staticmethod
    def draw(
        scores: pd.DataFrame, metric: str, published: dict[float, float], dataset: str, label: str
    ) -> Figure:
        """Seeds as thin lines; their mean with Student's 95 % interval over them, where there are several.

        scores: the tidy table of one experiment. published: drawn as its change from its value at 0.
        """
        figure, [[gain, variance]] = new_figure(9.0, 4.2, columns=2)
        name = METRICS[metric].label
        for position, (curve, rows) in enumerate(curves(scores.dropna(subset=[metric]))):
            strengths, values = seed_curves(rows, metric)
            if 0 not in strengths:
                continue
            change = 100 * (values / values[:, strengths == 0] - 1)
            _draw_seeds(gain, strengths, change, curve, curve_color(position))
            if rows[VARIANCE].notna().all():
                share = 100 * seed_curves(rows, VARIANCE)[1] / rows[OF_DATA].iloc[0]
                place = crossing(strengths, share - 100).value
                text = f"{curve}, equal to the data's at $s$ = {place:.2f}".replace("-", "\u2212")
                meets = strengths[0] < place < strengths[-1]
                _draw_seeds(variance, strengths, share, text if meets else curve, curve_color(position))
        known = {float(strength): value for strength, value in published.items()}
        if 0 in known:
            change = [100 * (known[strength] / known[0] - 1) for strength in sorted(known)]
            gain.plot(
                sorted(known), change, "k*", ms=11, ls=":", lw=1, label="published, at the paper's scale"
            )
        for ax, height in ((gain, 0), (variance, 100)):
            ax.axhline(height, color="0.35", lw=1, zorder=1)
            ax.set_xlabel(label)
            ax.margins(y=0.12)
            if ax.get_legend_handles_labels()[1]:
                ax.legend(frameon=False, fontsize="small", loc="best")
        direction = METRICS[metric].direction
        gain.set_ylabel(f"{name}: change from $s$ = 0 in per cent\n({direction})")
        variance.set_ylabel("Variance along $v$ in per cent of the data's")
        images, seeds = int(scores.generated_images.iloc[0]), scores.seed.nunique()
        several = f"{seeds} seeds (thin), their mean and its 95 % interval" if seeds > 1 else "one seed"
        figure.suptitle(
            f"{dataset}: {images:,} images a point, {several}", fontsize="medium", parse_math=False
        )
        return figure


def _draw_seeds(ax: Axes, strengths: np.ndarray, values: np.ndarray, name: str, color: Any) -> None:
    """Curves (K, S), and their mean."""
    found = student(values.T)
    if len(values) > 1:
        ax.plot(strengths, values.T, "-", color=color, lw=0.7, alpha=0.5, zorder=2)
        ends = np.abs(np.stack([found.low, found.high]) - found.value)
        ax.errorbar(strengths, found.value, ends, color=color, fmt="none", lw=1.2, capsize=2.5, zorder=3)
    ax.plot(strengths, found.value, "o-", color=color, ms=4.5, mec="white", label=name, zorder=4)
