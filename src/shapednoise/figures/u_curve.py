"""Figure 2a-e of SDM: a score against the strength, with seeds, quadratic fit, optimum, baseline."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from shapednoise.figures.curves import curves
from shapednoise.figures.style import LOWER_IS_BETTER, METRIC_NAMES, curve_colour, new_figure
from shapednoise.metrics.curve import fit_parabola

SQUEEZING = ("s", "strength $s$   ($s<0$: antisqueezed, $s>0$: squeezed)")
STRENGTHS = {
    "sdm": SQUEEZING,
    "hdm": SQUEEZING,
    "sagd_powerlaw": (
        "\\alpha",
        r"exponent $\alpha$ of the noise   ($\alpha<0$: more of it at low frequencies)",
    ),
    "sagd_bandpass": ("s", "share $s$ of the band mixture   ($s=0$: white noise)"),
}

FEW_CURVES = 2  # as many have their legend inside


def u_curve(scores: pd.DataFrame, metric: str, dataset: str, operator: str = "sdm") -> Figure:
    """One curve a noise variant and sampler; the baseline (s = 0) belongs to each of them.

    scores: the tidy table of one experiment. metric: a column of it. dataset: its name for the title.
    operator: of the noise, for the name of its strength.
    """
    symbol, label = STRENGTHS[operator]
    figure, [[axes]] = new_figure(5.2, 3.8)
    known = scores.dropna(subset=[metric])
    axes.set_title(dataset)
    if known.empty:
        return _say_missing(figure, axes, scores, metric)
    baseline = known[known.noise == "ddpm"]
    drawn = list(curves(known))
    for position, (name, rows) in enumerate(drawn):
        _draw_curve(axes, rows, metric, name, symbol, curve_colour(position))
    one_sampler = len(drawn) == known.noise[known.noise != "ddpm"].nunique()
    if one_sampler and not baseline.empty:
        axes.axhline(
            baseline[metric].mean(), color="0.35", ls=":", lw=1.2, label=f"DDPM (${symbol}=0$)", zorder=1
        )
    arrow = "lower is better" if metric in LOWER_IS_BETTER else "higher is better"
    axes.set_xlabel(label)
    axes.set_ylabel(f"{METRIC_NAMES[metric]}  ({arrow})")
    generated, real = int(known.generated_images.iloc[0]), int(known.real_images.iloc[0])
    seeds = known.seed.nunique()
    axes.set_title(
        f"{dataset}: {generated:,} generated, {real:,} real, {seeds} seed{'s' if seeds > 1 else ''}",
        fontsize="medium",
    )
    axes.margins(y=0.18)
    if len(drawn) > FEW_CURVES:
        figure.set_figwidth(8.6)
        axes.legend(frameon=False, fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))
    else:
        axes.legend(frameon=False, fontsize="small", loc="best")
    return figure


def _draw_curve(axes: Axes, rows: pd.DataFrame, metric: str, name: str, symbol: str, colour) -> None:
    """Seeds as points, mean and one deviation as line and band, fit dashed, optimum as a star."""
    summary = rows.groupby("strength")[metric].agg(["mean", "std"]).sort_index()
    s = summary.index.to_numpy(float)
    axes.plot(s, summary["mean"], "-", color=colour, lw=1.2, label=name, zorder=3)
    axes.plot(rows.strength, rows[metric], "o", color=colour, ms=4, mec="white", mew=0.5, zorder=4)
    if rows.seed.nunique() > 1:
        low, high = summary["mean"] - summary["std"], summary["mean"] + summary["std"]
        axes.fill_between(s, low, high, color=colour, alpha=0.18, lw=0, zorder=2)
    fit = fit_parabola(rows.strength.to_numpy(float), rows[metric].to_numpy(float))
    if fit is None:
        return
    fine = np.linspace(fit.low, fit.high, 200)
    optimum = fit.optimum(metric in LOWER_IS_BETTER)
    found = "" if optimum is not None else " (no optimum inside)"
    axes.plot(fine, fit(fine), "--", color=colour, lw=1, label=f"{name}, quadratic fit{found}", zorder=3)
    if optimum is not None:
        label = f"fitted optimum, ${symbol}={optimum:.2f}$".replace("-", "\u2212")
        axes.plot(optimum, fit(np.array(optimum)), "*", color=colour, ms=11, mec="black", mew=0.6,
                  label=label, zorder=5)  # fmt: skip


def _say_missing(figure: Figure, axes: Axes, scores: pd.DataFrame, metric: str) -> Figure:
    """The score could not be computed: the panel says so and why."""
    column = f"{metric}_missing"
    reason = scores[column].dropna().iloc[0] if column in scores and scores[column].notna().any() else ""
    text = f"{METRIC_NAMES[metric]} is not available.\n{reason.replace('; ', ';' + chr(10))}"
    axes.text(0.5, 0.5, text, ha="center", va="center", transform=axes.transAxes)
    axes.set_xticks([])
    axes.set_yticks([])
    return figure
