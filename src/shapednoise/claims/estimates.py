"""What claims compute from a curve: values by seed, Student's intervals, the optimum of a quadratic fit."""

import numpy as np
import pandas as pd
import scipy.stats

from shapednoise.analysis.curve import Interval, QuadraticFit, mean_curve, quadratic_fit
from shapednoise.claims.evidence import NotRun
from shapednoise.metrics.registry import METRICS

BySeed = tuple[np.ndarray, np.ndarray]


def fit_of(rows: pd.DataFrame, metric: str = "fid", seed: int = 0) -> QuadraticFit:
    """The quadratic fit of a curve. Raises NotRun for fewer than three strengths."""
    fit = quadratic_fit(mean_curve(rows, metric, seed=seed), METRICS[metric].lower_is_better)
    if fit is None:
        raise NotRun("three strengths or more")
    return fit


def optimum_of(fit: QuadraticFit) -> Interval:
    """The optimum, open where its interval reaches an end of the measured range: it may lie beyond."""
    best = fit.optimum
    low = -np.inf if best.low <= fit.low else best.low
    high = np.inf if best.high >= fit.high else best.high
    return Interval(best.value, low, high)


def by_seed(rows: pd.DataFrame, strength: float, metric: str = "fid") -> BySeed:
    """The values of each seed (K,), rising seeds, at a strength, and the errors of their images (or 0)."""
    chosen = rows[np.isclose(rows.strength, strength)].sort_values("seed")
    if chosen.empty:
        raise NotRun(f"strength {strength:g}")
    column = f"{metric}_se"
    known = column in chosen and chosen[column].notna().all()
    errors = chosen[column].to_numpy(float) if known else np.zeros(len(chosen))
    return chosen[metric].to_numpy(float), errors


def t_interval(values: np.ndarray, errors: np.ndarray | float = 0.0) -> Interval:
    """The mean of independent values (K,) with Student's 95 % interval; NaN ends for a single one.

    Never narrower than what the standard errors of their images (K,) say.
    """
    values = np.asarray(values, float)
    count = len(values)
    mean = float(values.mean())
    if count < 2:
        return Interval(mean, float("nan"), float("nan"))
    images = 1.96 * float(np.sqrt((np.broadcast_to(errors, values.shape) ** 2).sum())) / count
    spread = float(scipy.stats.t.ppf(0.975, count - 1) * values.std(ddof=1) / np.sqrt(count))
    half = max(images, spread)
    return Interval(mean, mean - half, mean + half)


def paired_difference(one: BySeed, other: BySeed) -> Interval:
    """one - other, seed by seed, with its Student's interval."""
    return t_interval(one[0] - other[0], np.hypot(one[1], other[1]))


def independent_difference(one: Interval, other: Interval) -> Interval:
    """one - other, measured independently, from their own intervals (Zou and Donner 2008)."""
    value = one.value - other.value
    below = np.hypot(one.value - one.low, other.high - other.value)
    above = np.hypot(one.high - one.value, other.value - other.low)
    return Interval(value, value - float(below), value + float(above))


def sample_counts(rows: pd.DataFrame) -> dict[str, int]:
    """How many images a sample set and how many seeds a curve has."""
    return {"images": int(rows.generated_images.iloc[0]), "seeds": int(rows.seed.nunique())}
