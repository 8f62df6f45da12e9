"""A score against the strength, with training seeds as the units (docs/claims.md).

All strengths of one seed share initialisation, order of the images and sampling noise, so that what a seed
adds is smooth in the strength: strengths are no independent units, seeds are. Each seed's own curve gives
one number (an optimum, a slope, a difference), and Student's t over the seeds says how sure their mean is.
Nothing is said of a single seed. Arrays may have more dimensions in front, which are worked on together.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from shapednoise.metrics.registry import METRICS
from shapednoise.noise.operators import BASELINE

SAMPLER = "sampler."  # columns of a sampler's settings begin so
SIDE = 0.025  # of each end of a 95 % interval


def student_quantile(probability: float, freedom: np.ndarray | float) -> np.ndarray:
    """The quantile of Student's t; scipy waits until it is used: the workflow reads this module."""
    from scipy.special import ndtri, stdtrit  # noqa: PLC0415

    return np.where(np.isinf(freedom), ndtri(probability), stdtrit(freedom, probability))


@dataclass(frozen=True)
class Interval:
    """A value with its 95 % interval; its ends are NaN where nothing says how sure the value is.

    Attributes:
        value: The value, or an array of values.
        low: The lower end; -inf where the value may lie anywhere below.
        high: The upper end; inf where it may lie anywhere above.
        error: Its standard error; 0 of what is exact.
        freedom: The degrees of freedom that the error has.
    """

    value: Any
    low: Any
    high: Any
    error: Any = 0.0
    freedom: Any = np.inf

    @property
    def ends(self) -> str:
        """The interval as it is written: `[-0.45, -0.3]`, `[-0.4, open]`, `[unknown]`."""
        if np.isnan([self.low, self.high]).any():
            return "[unknown]"
        texts = ("open" if np.isinf(end) else f"{end:.3g}" for end in (self.low, self.high))
        return f"[{', '.join(texts)}]"

    def p_at_most(self, bound: float) -> Any:
        """The one-sided p-value of the null that the quantity is `bound` or less; 1: nothing is known."""
        return self._p(np.subtract(self.value, bound), self.low)

    def p_at_least(self, bound: float) -> Any:
        """The same of the null that it is `bound` or more."""
        return self._p(np.subtract(bound, self.value), self.high)

    def _p(self, distance: Any, end: Any) -> Any:
        from scipy.special import ndtr, stdtr  # noqa: PLC0415

        with np.errstate(invalid="ignore", divide="ignore"):
            exact = np.where(distance >= 0, np.inf, -np.inf)
            t = np.where(np.equal(self.error, 0), exact, np.divide(distance, self.error))
        p = np.where(np.isinf(self.freedom), ndtr(-t), stdtr(self.freedom, -t))
        unknown = np.isnan(end) | (np.isinf(end) & np.isfinite(distance))
        return np.where(unknown, 1.0, p)[()]


def student(values: np.ndarray, least: Any = 0.0, besides: Any = 0.0) -> Interval:
    """The mean over seeds with Student's 95 % interval; NaN ends for a single seed.

    Args:
        values: One number a seed, (..., K).
        least: The half-width that the interval has at least.
        besides: The half-width of an error that all seeds share, added in quadrature.
    """
    values = np.asarray(values, float)
    count, mean = values.shape[-1], values.mean(-1)[()]
    if count < 2:
        unknown = np.full_like(mean, np.nan)[()]
        return Interval(mean, unknown, unknown, unknown)
    quantile = student_quantile(1 - SIDE, count - 1)
    half = np.maximum(np.hypot(quantile * values.std(-1, ddof=1) / np.sqrt(count), besides), least)[()]
    return Interval(mean, mean - half, mean + half, half / quantile, count - 1)


def seed_curves(rows: pd.DataFrame, metric: str) -> tuple[np.ndarray, np.ndarray]:
    """The strengths (S,), rising, and the score of each seed there, (K, S).

    Args:
        rows: Columns strength, seed and `metric`, a row a training.
        metric: Name of the score.

    Raises:
        ValueError: Not every seed has every strength.
    """
    table = rows.pivot(index="seed", columns="strength", values=metric).sort_index()
    if table.isna().to_numpy().any():
        raise ValueError(f"{metric}: not every seed has every strength")
    return table.columns.to_numpy(float), table.to_numpy(float)


def vertices(strengths: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Where each curve is smallest: the vertex of the parabola through the least value and its neighbours.

    Local, so that it does not depend on the shape of the curve further off. An end of the grid where the
    least value is there.

    Args:
        strengths: Rising, (S,), three at least.
        values: Curves (..., S).
    """
    least = values.argmin(-1)
    middle = np.clip(least, 1, len(strengths) - 2)
    x, y = zip(
        *(
            (strengths[middle + k], np.take_along_axis(values, middle[..., None] + k, -1)[..., 0])
            for k in (-1, 0, 1)
        ),
        strict=True,
    )
    below, above = (y[1] - y[0]) * (x[2] - x[1]), (y[2] - y[1]) * (x[1] - x[0])
    flat = above == below  # three values on a line, which the least is in the middle of: all are equal
    bend = np.where(flat, 1.0, above - below)
    # the slope of the parabola falls from below to above between the midpoints of the two gaps
    start, gap = (x[0] + x[1]) / 2, (x[2] - x[0]) / 2
    vertex = start - gap * below / bend
    return np.where(least != middle, strengths[least], np.where(flat, x[1], vertex))


def grid_error(strengths: np.ndarray, values: np.ndarray) -> Any:
    """What `vertices` of curves may be wrong by for the grid: half a step, or 0 if the curves are parabolas.

    Of a parabola the vertex is right on any grid; of a curve that is steeper on one side it is biased, by
    less than half a step. A parabola has no components of degree 3 and 4: curves are parabolas unless their
    seeds surely have either (Student, 5 % each). Fewer than five strengths cannot tell.

    Args:
        strengths: Rising, (S,).
        values: A curve a seed, (..., K, S).
    """
    half = np.median(np.diff(strengths)) / 2
    if len(strengths) < 5:
        return half
    basis, _ = np.linalg.qr(np.vander(strengths, 5, increasing=True))
    rounding = 1e-9 * np.abs(values).max()
    bend = student(np.swapaxes(values @ basis[:, 3:], -1, -2), least=rounding)
    return np.where(((bend.low > 0) | (bend.high < 0)).any(-1), half, 0.0)


def optimum(strengths: np.ndarray, values: np.ndarray) -> Interval:
    """Where curves are smallest: each seed's vertex, and Student's interval over the seeds.

    `grid_error` is added in quadrature; open where the vertex of a seed is at an end of the grid.

    Args:
        strengths: Rising, (S,), three at least.
        values: A curve a seed, (..., K, S); turned over where larger is better.
    """
    return _open_at_ends(strengths, vertices(strengths, values), grid_error(strengths, values))


def crossings(strengths: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Where each curve changes its sign, linearly between strengths; of several places, the nearest to 0.

    The end of the grid that is nearer to it, where it does not.

    Args:
        strengths: Rising, (S,), two at least.
        values: Curves (..., S).
    """
    one, other = values[..., :-1], values[..., 1:]
    changes = (one > 0) != (other > 0)
    places = strengths[:-1] + np.diff(strengths) * one / np.where(changes, one - other, np.inf)
    nearest = np.where(changes, np.abs(places), np.inf).argmin(-1)[..., None]
    ends = np.where(np.abs(values[..., 0]) < np.abs(values[..., -1]), strengths[0], strengths[-1])
    return np.where(changes.any(-1), np.take_along_axis(places, nearest, -1)[..., 0], ends)


def crossing(strengths: np.ndarray, values: np.ndarray) -> Interval:
    """Where curves (..., K, S) are 0: `crossings` of each seed, and Student's interval over the seeds.

    Open where a seed's is at an end of the grid.
    """
    return _open_at_ends(strengths, crossings(strengths, values))


def _open_at_ends(strengths: np.ndarray, places: np.ndarray, besides: Any = 0.0) -> Interval:
    found = student(places, besides=besides)
    low = np.where((places == strengths[0]).any(-1), found.low - np.inf, found.low)[()]
    high = np.where((places == strengths[-1]).any(-1), found.high + np.inf, found.high)[()]
    return Interval(found.value, low, high, found.error, found.freedom)


def rises(values: np.ndarray) -> tuple[Interval, Interval]:
    """By how much curves are higher at the left end than inside, and at the right end: a U has both above 0.

    Inside is the mean of the three strengths around the best one of the *other* seeds' mean. So no value
    takes part in its own choice: of a curve that rises or falls throughout, one of the two has an expected
    value of 0 or less, whatever its shape, and the test that both are above 0 (intersection-union, Berger
    1982, Technometrics 24:295) keeps its level. The vertex of a parabola is no such test: it is inside for
    many a curve that only rises (Simonsohn 2018, doi 10.1177/2515245918805755).

    Args:
        values: A curve a seed, (..., K, S), three strengths at least; turned over where larger is better.
    """
    seeds, last = values.shape[-2], values.shape[-1] - 1
    others = (values.sum(-2, keepdims=True) - values) / max(seeds - 1, 1)
    best = others[..., 1:-1].argmin(-1)[..., None] + 1
    near = np.abs(np.arange(last + 1) - best) <= 1
    near[..., [0, last]] = False
    inside = (values * near).sum(-1) / near.sum(-1)
    return student(values[..., 0] - inside), student(values[..., -1] - inside)


def slopes(strengths: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The slope of the straight line through each curve (..., S), by least squares."""
    centred = strengths - strengths.mean()
    return values @ centred / (centred @ centred)


@dataclass(frozen=True)
class CurveSummary:
    """The shape of a score's curve over seeds.

    Attributes:
        strengths: Rising, (S,).
        means: Over seeds, (S,).
        coefficients: a, b and c of a s^2 + b s + c by least squares on the means, a description.
        optimum: The best strength (`optimum`; `crossing` of a score with a target).
        p_value: One-sided and of this curve alone, of the test that it is a U, or turned over for scores to
            be maximised (`rises`); NaN for one seed, or with a target.
        seeds: How many there are.
    """

    strengths: np.ndarray
    means: np.ndarray
    coefficients: tuple[float, float, float]
    optimum: Interval
    p_value: float
    seeds: int

    @property
    def has_optimum(self) -> bool:
        """Whether the best strength is inside the measured range."""
        return self.strengths[0] < self.optimum.value < self.strengths[-1]


def summarize(rows: pd.DataFrame, metric: str) -> CurveSummary | None:
    """The summary of the curve of one noise and sampler; None for fewer than three strengths.

    Args:
        rows: As of `seed_curves`, which says what is raised, with the metric's target if it has one.
        metric: Name of the score.
    """
    strengths, values = seed_curves(rows, metric)
    if len(strengths) < 3:
        return None
    means, target = values.mean(0), METRICS[metric].target
    fit = tuple(np.polyfit(strengths, means, 2).tolist())
    if target:
        best, p_value = crossing(strengths, values - rows[target].iloc[0]), np.nan
    else:
        turned = values if METRICS[metric].lower_is_better else -values
        best = optimum(strengths, turned)
        p_value = max(side.p_at_most(0) for side in rises(turned)) if len(values) > 1 else np.nan
    return CurveSummary(strengths, means, fit, best, float(p_value), len(values))


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
    """Means, optima and shapes of every curve and score of one experiment.

    Args:
        table: The experiment's scores, tidy.

    Returns:
        A row a curve and score, with noise, the settings in which samplers differ, metric, seeds; of
        every strength the `mean` over seeds and the deviation `std` (as text, by rising strength); the
        coefficients of the quadratic fit a s^2 + b s + c of the means, `optimum` with its 95 % interval and
        `u_p`, CurveSummary's p_value; empty for fewer than three strengths.
    """
    rows = []
    for noise, settings, curve in split_curves(table):
        for metric in METRICS:
            if metric in curve and curve[metric].notna().all():
                rows.append({"noise": noise, **settings, **_row(curve, metric)})
    return pd.DataFrame(rows)


def _row(rows: pd.DataFrame, metric: str) -> dict[str, Any]:
    strengths, values = seed_curves(rows, metric)
    row = {
        "metric": metric,
        "seeds": len(values),
        "strengths": _text(strengths),
        "mean": _text(values.mean(0)),
        "std": _text(values.std(0, ddof=1)) if len(values) > 1 else None,
    }
    found = summarize(rows, metric)
    if found is None:
        return row
    best = found.optimum
    fit = dict(zip("abc", found.coefficients, strict=True)) | {"u_p": found.p_value}
    return row | fit | {"optimum": best.value, "optimum_low": best.low, "optimum_high": best.high}


def _text(values: Any) -> str:
    return " ".join(f"{value:.6g}" for value in values)
