"""Figure 2a-e of SDM: a score against the strength, its uncertainty, quadratic fit and optimum."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from shapednoise.analysis.curve import QuadraticFit, mean_curve, quadratic_fit
from shapednoise.figures.curves import curves
from shapednoise.figures.style import METRIC_NAMES, curve_colour, new_figure
from shapednoise.metrics.registry import METRICS

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

FEW_CURVES = 2  # as many have their legend below


def u_curve(scores: pd.DataFrame, metric: str, dataset: str, operator: str = "sdm") -> Figure:
    """One curve a noise variant and sampler; the baseline (s = 0) belongs to each of them.

    scores: the tidy table of one experiment. metric: a column of it; `metric_low`, `metric_high` are
    its interval over images, `fid_infinity` the FID extrapolated to all images, where they
    are there. dataset: its name for the title. operator: of the noise, for the name of its strength.
    """
    symbol, label = STRENGTHS[operator]
    known = scores.dropna(subset=[metric])
    drawn = list(curves(known))
    few = len(drawn) <= FEW_CURVES
    figure, [[axes]] = new_figure(5.2 if few else 8.6, 5.4 if few else 4.2)
    axes.set_title(dataset)
    if known.empty:
        return _say_missing(figure, axes, scores, metric)
    for position, (name, rows) in enumerate(drawn):
        _draw_curve(axes, rows, metric, name, symbol, curve_colour(position))
        if few and metric == "fid" and "fid_infinity" in rows and rows.fid_infinity.notna().all():
            _draw_infinity(axes, rows, name, curve_colour(position))
    baseline = known[known.noise == "ddpm"]
    one_sampler = len(drawn) == known.noise[known.noise != "ddpm"].nunique()
    if one_sampler and not baseline.empty:
        axes.axhline(
            baseline[metric].mean(), color="0.35", ls=":", lw=1.2, label=f"DDPM (${symbol}=0$)", zorder=1
        )
    seeds = "seeds, their mean and deviation" if known.seed.nunique() > 1 else "one seed"
    bars = ", 95 % interval over images" if f"{metric}_low" in known else ""
    axes.errorbar([], [], [], fmt="o", color="0.5", ms=4, elinewidth=0.8, label=f"{seeds}{bars}")
    arrow = METRICS[metric].direction
    axes.set_xlabel(label)
    axes.set_ylabel(f"{METRIC_NAMES[metric]}  ({arrow})")
    axes.set_title(f"{dataset}: {_numbers(known)}", fontsize="medium")
    axes.margins(y=0.1)
    where = "outside lower center" if few else "outside right upper"
    figure.legend(loc=where, frameon=False, fontsize="small")
    return figure


def _numbers(scores: pd.DataFrame) -> str:
    """How many images and seeds a table of scores is about."""
    generated, real = int(scores.generated_images.iloc[0]), int(scores.real_images.iloc[0])
    seeds = scores.seed.nunique()
    return f"{generated:,} generated, {real:,} real, {seeds} seed{'s' if seeds > 1 else ''}"


def _draw_curve(axes: Axes, rows: pd.DataFrame, metric: str, name: str, symbol: str, colour) -> None:
    """Seeds as points with the interval of their images, mean and deviation over seeds as line and band."""
    summary = rows.groupby("strength")[metric].agg(["mean", "std"]).sort_index()
    s = summary.index.to_numpy(float)
    axes.plot(s, summary["mean"], "-", color=colour, lw=1.2, label=name, zorder=3)
    low, high = f"{metric}_low", f"{metric}_high"
    if low in rows and rows[low].notna().all():
        axes.vlines(rows.strength, rows[low], rows[high], color=colour, lw=0.8, alpha=0.7, zorder=3)
    axes.plot(rows.strength, rows[metric], "o", color=colour, ms=4, mec="white", mew=0.5, zorder=4)
    if rows.seed.nunique() > 1:
        band = summary["mean"] - summary["std"], summary["mean"] + summary["std"]
        axes.fill_between(s, *band, color=colour, alpha=0.18, lw=0, zorder=2)
    fit = quadratic_fit(mean_curve(rows, metric), METRICS[metric].lower_is_better)
    if fit is not None:
        _draw_fit(axes, fit, metric, name, symbol, colour)


def _draw_fit(axes: Axes, fit: QuadraticFit, metric: str, name: str, symbol: str, colour) -> None:
    """The fit dashed, its optimum a star with its interval; the label says how surely it is a U."""
    fine = np.linspace(fit.low, fit.high, 200)
    bend = "U-shaped" if METRICS[metric].lower_is_better else "arched"
    known = not np.isnan(fit.prob_convex)
    found = f": {bend} in {100 * fit.prob_convex:.0f} % of resamples" if known else ""
    axes.plot(fine, fit(fine), "--", color=colour, lw=1, label=f"{name}, quadratic fit{found}", zorder=3)
    best = fit.optimum
    if not fit.has_optimum:
        return
    height = fit(best.value)
    ends = f" [{best.low:.2f}, {best.high:.2f}]" if known else ""
    if known:
        axes.hlines(height, best.low, best.high, color=colour, lw=2.2, alpha=0.8, zorder=5)
    label = f"{name}, fitted optimum ${symbol}$ = {best.value:.2f}{ends}"
    axes.plot(best.value, height, "*", color=colour, ms=11, mec="black", mew=0.6,
              label=label.replace("-", "\u2212"), zorder=6)  # fmt: skip


def _draw_infinity(axes: Axes, rows: pd.DataFrame, name: str, colour) -> None:
    """The FID extrapolated to infinitely many samples, as far as the real images allow."""
    means = rows.groupby("strength").fid_infinity.mean().sort_index()
    axes.plot(means.index, means, "D:", color=colour, ms=3.5, mfc="white", lw=0.9, zorder=3,
              label=f"{name}, FID extrapolated to infinitely many images")  # fmt: skip


def _say_missing(figure: Figure, axes: Axes, scores: pd.DataFrame, metric: str) -> Figure:
    """The score could not be computed: the panel says so and why."""
    column = f"{metric}_missing"
    reason = scores[column].dropna().iloc[0] if column in scores and scores[column].notna().any() else ""
    text = f"{METRIC_NAMES[metric]} is not available.\n{reason.replace('; ', ';' + chr(10))}"
    axes.text(0.5, 0.5, text, ha="center", va="center", transform=axes.transAxes)
    axes.set_xticks([])
    axes.set_yticks([])
    return figure
