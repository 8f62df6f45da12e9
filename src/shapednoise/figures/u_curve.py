"""Figure 2a-e of SDM: a score against the strength, its uncertainty, a quadratic fit and the optimum."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from shapednoise.analysis.curve import CurveSummary, summarize
from shapednoise.config.base import Name
from shapednoise.config.figures import FigureSettings
from shapednoise.figures.curves import common_sampler, counts, curves, is_separate
from shapednoise.figures.style import curve_color, new_figure, noise_name, number
from shapednoise.metrics.registry import METRICS
from shapednoise.noise.operators import BASELINE

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from shapednoise.config.schema import Config

FITTED = 4  # strengths, at least: through three there is a parabola whatever they are
FEW_STRENGTHS = 9  # as many have a tick each


class UCurveSettings(FigureSettings):
    """A score against the strength: seeds, quadratic fit, optimum, baseline (Figure 2a-e of SDM)."""

    kind: Literal["u_curve"] = Field(description="The kind of figure.")
    experiment: Name = Field(description="Experiment to plot.")
    metric: Literal[tuple(METRICS)] = Field(description="Metric to plot.")
    beside: Name | None = Field(
        None, description="Another experiment, whose points at the same strengths and seeds are drawn beside."
    )

    def problems(self, name: str, config: Config) -> Iterator[tuple[str, str]]:
        """What is drawn beside must differ in its networks alone."""
        if not self.beside:
            return
        own, other = config.experiments[self.experiment], config.experiments[self.beside]
        same = {"dataset", "noises", "recipe", "extractor", "samplers"}
        alike = own.model_dump(include=same) == other.model_dump(include=same)
        if not alike or bool(own.together) == bool(other.together):
            yield (
                "beside",
                f"{self.beside} must be {self.experiment} but for strengths and seeds, and only one of them "
                "is `together`",
            )

    def about(self, config: Config) -> str:
        """The noises and the data set."""
        title = config.title_of(self.experiment)
        noises = " and ".join(map(noise_name, config.experiments[self.experiment].noises))
        return f"A score against the strength of {noises} noise on {title}: seeds, fit, optimum, baseline."

    def inputs(self, name: str, layout: Any) -> dict[str, str | list[str]]:
        """The scores of the experiment, and of that beside it."""
        beside = {"beside": layout.scores_table(self.beside)} if self.beside else {}
        return {"scores": layout.scores_table(self.experiment), **beside}

    def parameters(self, config: Config) -> dict[str, Any]:
        """The metric, the data set's title, and what the noise calls its strength."""
        operator = config.shaped_noise(self.experiment)
        return {
            "metric": self.metric,
            "dataset": config.trained_title(self.experiment),
            "symbol": operator.strength_symbol,
            "label": operator.strength_label,
        }

    @staticmethod
    def draw(
        scores: pd.DataFrame,
        metric: str,
        dataset: str,
        symbol: str,
        label: str,
        beside: pd.DataFrame | None = None,
    ) -> Figure:
        """One curve a noise variant and sampler; the baseline (s = 0) belongs to each of them.

        scores: the tidy table of one experiment; `METRIC_low`, `METRIC_high` are the interval over
        images, `fid_infinity` the FID extrapolated to infinitely many images, where they are there.
        symbol and label: of the strength, in LaTeX without dollars and as the axis has it. beside: a table
        of other networks; of it the strengths and seeds that scores has.
        """
        known = scores.dropna(subset=[metric])
        drawn = list(curves(known))
        if beside is not None:
            same = beside.dropna(subset=[metric]).merge(known[["strength", "seed"]].drop_duplicates())
            drawn += [] if same.empty else curves(same)
            drawn = [(f"{name}, {_networks(rows)}", rows) for name, rows in drawn]
        alone = len(drawn) == 1  # else the extrapolated FID of one is among the points of another
        figure, [[ax]] = new_figure(6.0, 5.4)
        ax.set_title(dataset, parse_math=False)
        if known.empty:
            return _say_missing(figure, ax, scores, metric)
        span = 0.015 * np.ptp(known.strength)
        for position, (name, rows) in enumerate(drawn):
            aside = span * (position - (len(drawn) - 1) / 2)
            _draw_curve(ax, rows, metric, name, symbol, curve_color(position), aside)
            if alone and metric == "fid" and "fid_infinity" in rows and rows.fid_infinity.notna().all():
                _draw_infinity(ax, rows, name, curve_color(position))
        baseline = known[known.noise == BASELINE]
        one_sampler = len(drawn) == known.noise[known.noise != BASELINE].nunique()
        if one_sampler and not baseline.empty:
            look = {"color": "0.35", "ls": ":", "lw": 1.2, "zorder": 1}
            white = f"DDPM (${symbol}=0$)" if is_separate(baseline) else f"${symbol}=0$"
            ax.axhline(baseline[metric].mean(), label=white, **look)
        if target := METRICS[metric].target:
            ax.axhline(known[target].iloc[0], color="black", ls="--", lw=1, label="of the data", zorder=1)
        several = known.seed.nunique() > 1
        bars = ", 95 % interval over images" if f"{metric}_low" in known else ""
        ax.errorbar([], [], [], fmt="o", color="0.5", ms=4, elinewidth=0.8, label=f"a seed{bars}")
        if several:
            band = "mean \u00b1 standard deviation over seeds"
            ax.fill_between([], [], [], color="0.5", alpha=0.25, lw=0, label=band)
        if several and any(line.get_marker() == "*" for line in ax.lines):
            ax.plot([], [], "-", color="0.5", lw=2.2, label="95 % interval of the star, over seeds")
        ax.set_xlabel(label)
        ax.set_ylabel(f"{METRICS[metric].label}  ({METRICS[metric].direction})")
        title = f"{dataset}: {counts(known)}\n{common_sampler(known)}".strip()
        ax.set_title(title, fontsize="medium", parse_math=False)
        ax.margins(y=0.1)
        if known.strength.nunique() <= FEW_STRENGTHS:
            strengths = sorted(known.strength.unique())
            ax.set_xticks(strengths, map(number, strengths))
        legend = figure.legend(loc="outside lower center", frameon=False, fontsize="small")
        figure.set_size_inches(6.0, 4.3 + 0.185 * len(legend.get_texts()))
        return figure


def _networks(rows: pd.DataFrame) -> str:
    return "separate networks" if is_separate(rows) else "one network"


def _draw_curve(
    ax: Axes, rows: pd.DataFrame, metric: str, name: str, symbol: str, color: Any, aside: float
) -> None:
    """Seeds as points with the interval of their images, mean and deviation over seeds as line and band.

    aside: how far points are beside their strength, so that those of several curves do not hide each other.
    """
    summary = rows.groupby("strength")[metric].agg(["mean", "std"]).sort_index()
    s = summary.index.to_numpy(float)
    ax.plot(s, summary["mean"], "-", color=color, lw=1.2, label=name, zorder=3)
    low, high = f"{metric}_low", f"{metric}_high"
    if low in rows and rows[low].notna().all():
        ax.vlines(rows.strength + aside, rows[low], rows[high], color=color, lw=0.8, alpha=0.7, zorder=3)
    ax.plot(rows.strength + aside, rows[metric], "o", color=color, ms=4, mec="white", mew=0.5, zorder=4)
    if rows.seed.nunique() > 1:
        band = summary["mean"] - summary["std"], summary["mean"] + summary["std"]
        ax.fill_between(s, *band, color=color, alpha=0.18, lw=0, zorder=2)
    found = summarize(rows, metric)
    if found is not None:
        _draw_fit(ax, found, metric, name, symbol, color)


def _draw_fit(ax: Axes, found: CurveSummary, metric: str, name: str, symbol: str, color: Any) -> None:
    """The quadratic fit dashed; the optimum, not that of the fit, a star with its interval over seeds."""
    best, first, last = found.optimum, found.strengths[0], found.strengths[-1]
    if len(found.strengths) >= FITTED:
        fine = np.linspace(first, last, 200)
        look = {"color": color, "lw": 1, "zorder": 3}
        ax.plot(fine, np.polyval(found.coefficients, fine), "--", label=f"{name}, quadratic fit", **look)
    inside = [first <= end <= last for end in (best.low, best.high)]
    if not found.has_optimum or (found.seeds > 1 and not any(inside)):  # anywhere on the grid
        return
    height = np.interp(best.value, found.strengths, found.means)
    interval = ""
    if found.seeds > 1:
        ends = np.clip([best.low, best.high], first, last)
        ax.hlines(height, *ends, color=color, lw=2.2, alpha=0.8, zorder=5)
        texts = (f"{end:.2f}" if known else "open" for end, known in zip(ends, inside, strict=True))
        interval = f" [{', '.join(texts)}]"
    what = "the data's at" if METRICS[metric].target else "optimum"
    label = f"{name}, {what} ${symbol}$ = {best.value:.2f}{interval}".replace("-", "\u2212")
    star = {"color": color, "ms": 11, "mec": "black", "mew": 0.6, "zorder": 6}
    ax.plot(best.value, height, "*", label=label, **star)


def _draw_infinity(ax: Axes, rows: pd.DataFrame, name: str, color: Any) -> None:
    """The FID extrapolated to infinitely many samples, as far as the real images allow."""
    means = rows.groupby("strength").fid_infinity.mean().sort_index()
    look = {"color": color, "ms": 3.5, "mfc": "white", "lw": 0.9, "zorder": 3}
    ax.plot(means.index, means, "D:", label=f"{name}, FID extrapolated to infinitely many images", **look)


def _say_missing(figure: Figure, ax: Axes, scores: pd.DataFrame, metric: str) -> Figure:
    """The score could not be computed: the panel says so and why."""
    column = f"{metric}_missing"
    reason = scores[column].dropna().iloc[0] if column in scores and scores[column].notna().any() else ""
    text = f"{METRICS[metric].label} is not available.\n{reason.replace('; ', ';' + chr(10))}"
    ax.text(0.5, 0.5, text, ha="center", va="center", transform=ax.transAxes)
    ax.set_xticks([])
    ax.set_yticks([])
    return figure
