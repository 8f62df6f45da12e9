"""A score against the strength with its uncertainty: means over seeds, quadratic fit, optimum, convexity.

Two things make a score uncertain, the training seed and the images that were drawn. `mean_curve`
redraws both (a parametric bootstrap) from

    score = mean(strength) + shift(seed) + deviation(strength, seed),

with deviations of one variance, pooled over strengths, and at least as large as what the bootstrap
over images has found (column `METRIC_se`). Variances that were estimated from few numbers are redrawn
too (Student's t). With a single training nothing says how seeds differ; then the scatter about the
quadratic fit stands in for the deviations, as far as there are more than three strengths. Where
neither seeds nor images nor scatter say anything, there are no intervals: NaN.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from shapednoise.metrics.registry import METRICS
from shapednoise.noise.operators import BASELINE

SAMPLER = "sampler."  # columns of a sampler's settings begin so
LEVELS = (2.5, 97.5)  # per cent: the 95 % interval
REPLICATES = 2000


@dataclass(frozen=True)
class Interval:
    """A value with its 95 % interval; its ends are NaN where nothing says how sure the value is."""

    value: float
    low: float
    high: float

    @property
    def ends(self) -> str:
        """The interval as it is written: `[-0.45, -0.3]`, `[-0.4, open]`, `[unknown]`."""
        if np.isnan([self.low, self.high]).any():
            return "[unknown]"
        texts = ("open" if np.isinf(end) else f"{end:.3g}" for end in (self.low, self.high))
        return f"[{', '.join(texts)}]"

    @classmethod
    def of(cls, value: float, replicates: np.ndarray) -> "Interval":
        """The percentile interval of replicates (B,) of a value; NaN if one of them is."""
        low, high = np.percentile(replicates, LEVELS)
        return cls(float(value), float(low), float(high))


@dataclass(frozen=True)
class MeanCurve:
    """The mean over seeds of a score at each strength.

    Attributes:
        strengths: Rising, (S,).
        means: (S,).
        replicates: The means redrawn, (B, S); NaN where nothing says how sure the means are.
        seeds: How many seeds there are.
    """

    strengths: np.ndarray
    means: np.ndarray
    replicates: np.ndarray
    seeds: int

    def at(self, strength: float) -> tuple[float, np.ndarray]:
        """The mean at a strength and its replicates (B,).

        Raises:
            KeyError: The strength was not measured.
        """
        columns = np.flatnonzero(np.isclose(self.strengths, strength))
        if not len(columns):
            raise KeyError(f"strength {strength:g} was not measured")
        return float(self.means[columns[0]]), self.replicates[:, columns[0]]


def mean_curve(rows: pd.DataFrame, metric: str, replicates: int = REPLICATES, seed: int = 0) -> MeanCurve:
    """The curve of one noise and sampler, redrawn as this module describes.

    Args:
        rows: Columns strength, seed, `metric` and perhaps `metric_se`, a row a training.
        metric: Name of the score.
        replicates: B, how often the means are redrawn.
        seed: Seed of the redrawing.

    Raises:
        ValueError: Not every seed has every strength.
    """
    table = rows.pivot(index="seed", columns="strength", values=metric).sort_index()
    if table.isna().to_numpy().any():
        raise ValueError(f"{metric}: not every seed has every strength")
    values, strengths = table.to_numpy(float), table.columns.to_numpy(float)
    means, count = values.mean(0), len(values)
    rng = np.random.default_rng(seed)
    shifts = np.zeros((replicates, 1))
    if count > 1:
        shifts = _redrawn(rng, (replicates, 1), values.mean(1).std(ddof=1) / np.sqrt(count), count - 1)
    error, freedom = _deviation(values, strengths)
    errors = _error_of_images(rows, metric, strengths)
    deviations = _redrawn(rng, (replicates, len(means)), error, freedom)
    images = errors * rng.standard_normal(deviations.shape)
    larger = np.where(errors > error, images, deviations)
    if not freedom and not errors.all():
        larger = np.full_like(larger, np.nan)
    return MeanCurve(strengths, means, means + shifts + larger, count)


def _redrawn(rng: np.random.Generator, shape: tuple[int, int], error: float, freedom: int) -> np.ndarray:
    """Errors (B, S) of a standard error that was estimated with these degrees of freedom."""
    if not freedom:
        return np.zeros(shape)
    scale = np.sqrt(freedom / rng.chisquare(freedom, (shape[0], 1)))
    return error * scale * rng.standard_normal(shape)


def _deviation(values: np.ndarray, strengths: np.ndarray) -> tuple[float, int]:
    """The standard error of each mean (seeds, strengths) by the deviations, and its degrees of freedom."""
    seeds, count = values.shape
    if seeds > 1:
        freedom = (seeds - 1) * (count - 1)
        residuals = values - values.mean(0) - values.mean(1, keepdims=True) + values.mean()
    else:
        freedom = max(count - 3, 0)
        residuals = values - np.polyval(np.polyfit(strengths, values[0], min(2, count - 1)), strengths)
    if not freedom:
        return 0.0, 0
    return float(np.sqrt((residuals**2).sum() / freedom / seeds)), freedom


def _error_of_images(rows: pd.DataFrame, metric: str, strengths: np.ndarray) -> np.ndarray:
    """The standard error (S,) of each mean by half-samples of images; 0 where there was none."""
    column = f"{metric}_se"
    if column not in rows or rows[column].isna().any():
        return np.zeros(len(strengths))
    squares = rows.assign(square=rows[column] ** 2).groupby("strength").square
    return (np.sqrt(squares.sum()) / squares.count()).loc[strengths].to_numpy(float)


@dataclass(frozen=True)
class QuadraticFit:
    """value = a s^2 + b s + c by least squares on the means, with its uncertainty.

    Attributes:
        coefficients: a, b and c.
        curvature: a.
        optimum: The best strength of the fit within the measured range; an end of it where the fit does
            not bend that way.
        prob_convex: The fraction of replicates that bend as a U (an inverted one for scores to be
            maximised); 1 - prob_convex is the p-value of the test of convexity. NaN without replicates.
        prob_interior: The fraction whose optimum also lies inside the range; NaN without replicates.
        low: The least strength that was measured.
        high: The greatest.
    """

    coefficients: tuple[float, float, float]
    curvature: Interval
    optimum: Interval
    prob_convex: float
    prob_interior: float
    low: float
    high: float

    def __call__(self, strength: np.ndarray | float) -> np.ndarray:
        """The fitted value at each strength."""
        return np.polyval(self.coefficients, strength)

    @property
    def has_optimum(self) -> bool:
        """Whether the fit itself has its optimum inside the measured range."""
        return self.low < self.optimum.value < self.high


def quadratic_fit(curve: MeanCurve, lower_is_better: bool) -> QuadraticFit | None:
    """Fit the means and every replicate of them by a parabola.

    Args:
        curve: The means.
        lower_is_better: Whether the optimum is a minimum.

    Returns:
        The fit; None for fewer than three strengths.
    """
    strengths = curve.strengths
    if len(strengths) < 3:
        return None
    solve = np.linalg.pinv(np.vander(strengths, 3)).T
    fitted, replicates = curve.means @ solve, curve.replicates @ solve
    sign = 1 if lower_is_better else -1
    low, high = float(strengths[0]), float(strengths[-1])
    best = best_strengths(sign * replicates, low, high)
    [value] = best_strengths(sign * fitted[None], low, high)
    bent = sign * replicates[:, 0] > 0
    return QuadraticFit(
        coefficients=tuple(fitted.tolist()),
        curvature=Interval.of(fitted[0], replicates[:, 0]),
        optimum=Interval.of(value, best),
        prob_convex=_fraction(bent, replicates),
        prob_interior=_fraction(bent & (best > low) & (best < high), replicates),
        low=low,
        high=high,
    )


def _fraction(holds: np.ndarray, replicates: np.ndarray) -> float:
    """The fraction of replicates that something holds for; NaN where there are none."""
    return float("nan") if np.isnan(replicates).any() else float(holds.mean())


def best_strengths(coefficients: np.ndarray, low: float, high: float) -> np.ndarray:
    """Where parabolas (B, 3), highest power first, are smallest in [low, high]: (B,), NaN for NaN."""
    a, b, _ = coefficients.T
    ends = np.array([low, high])
    at_ends = a[:, None] * ends**2 + b[:, None] * ends
    end = ends[at_ends.argmin(1)]
    with np.errstate(divide="ignore", invalid="ignore"):
        best = np.where(a > 0, np.clip(-b / (2 * a), low, high), end)
    return np.where(np.isnan(a), np.nan, best)


def slope(curve: MeanCurve) -> Interval:
    """The slope of the straight line through the means, by least squares."""
    solve = np.linalg.pinv(np.vander(curve.strengths, 2)).T
    return Interval.of((curve.means @ solve)[0], (curve.replicates @ solve)[:, 0])


def varying_settings(scores: pd.DataFrame) -> list[str]:
    """The columns of a tidy table of scores in which its samplers differ."""
    columns = [column for column in scores if column.startswith(SAMPLER)]
    return [column for column in columns if scores[column].nunique() > 1]


def split_curves(scores: pd.DataFrame) -> Iterator[tuple[str, dict[str, Any], pd.DataFrame]]:
    """Split a tidy table of scores into its curves.

    Where the experiment has several samplers, each has curves of its own, told apart by the settings
    in which they differ (`sampler.` and the setting). The baseline is the strength 0 of every noise
    that has none of its own (a product of noises has); alone, it is a curve of one strength.

    Yields:
        The noise, the settings in which samplers differ, and the rows.
    """
    varying = varying_settings(scores)
    groups = scores.groupby(varying, sort=False) if varying else [((), scores)]
    for values, rows in groups:
        baseline = rows[rows.noise == BASELINE]
        for noise in rows.noise[rows.noise != BASELINE].unique() if len(baseline) < len(rows) else [BASELINE]:
            own = rows[rows.noise == noise]
            whole = own if (own.strength == 0).any() else pd.concat([own, baseline])
            yield noise, dict(zip(varying, values, strict=True)), whole


def curve_table(table: pd.DataFrame) -> pd.DataFrame:
    """Means, quadratic fits and optima of every curve and score of one experiment.

    Args:
        table: The experiment's scores, tidy.

    Returns:
        A row a curve and score. Columns: noise, the settings in which samplers differ, metric, seeds; of
        every strength the `mean` over seeds and the deviation `std` (as text, by rising strength); of the
        quadratic fit a s^2 + b s + c its coefficients, `convex` and `inside` (QuadraticFit's prob_convex
        and prob_interior) and `optimum` with its 95 % interval; empty for fewer than three strengths.
    """
    rows = []
    for noise, settings, curve in split_curves(table):
        for metric in METRICS:
            if metric in curve and curve[metric].notna().all():
                rows.append({"noise": noise, **settings, **_row(curve, metric)})
    return pd.DataFrame(rows)


def _row(rows: pd.DataFrame, metric: str) -> dict[str, Any]:
    curve = mean_curve(rows, metric)
    deviations = rows.groupby("strength")[metric].std().sort_index()
    fit = quadratic_fit(curve, METRICS[metric].lower_is_better)
    row = {
        "metric": metric,
        "seeds": curve.seeds,
        "strengths": _text(curve.strengths),
        "mean": _text(curve.means),
        "std": _text(deviations) if curve.seeds > 1 else None,
    }
    if fit is None:
        return row
    a, b, c = fit.coefficients
    best = fit.optimum
    shape = {"a": a, "b": b, "c": c, "convex": fit.prob_convex, "inside": fit.prob_interior}
    return row | shape | {"optimum": best.value, "optimum_low": best.low, "optimum_high": best.high}


def _text(values: Any) -> str:
    return " ".join(f"{value:.6g}" for value in values)
