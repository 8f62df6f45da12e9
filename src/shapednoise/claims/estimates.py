"""What claims compute from curves: values by seed, differences, the shape and the optimum, and their tests.

Functions of arrays take more dimensions in front of the seeds: `benchmarks/verdicts.py` simulates by them.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from shapednoise.analysis.curve import (
    SIDE,
    Interval,
    optimum,
    rises,
    seed_curves,
    student,
    student_quantile,
)
from shapednoise.claims.evidence import NotRun
from shapednoise.claims.registry import Decision, combine, decide_by_interval
from shapednoise.metrics.registry import METRICS

BySeed = tuple[np.ndarray, np.ndarray]
ROUNDING = 1e-9
Z = 1.96


def turned_curves(rows: pd.DataFrame, metric: str = "fid") -> tuple[np.ndarray, np.ndarray]:
    """Strengths (S,) and each seed's score (K, S), turned over where larger is better. Raises NotRun."""
    strengths, values = seed_curves(rows, metric)
    if len(strengths) < 3:
        raise NotRun("three strengths or more")
    return strengths, values if METRICS[metric].lower_is_better else -values


def decide_shape(values: np.ndarray) -> Decision:
    """Whether curves (..., K, S) are higher at both ends than inside."""
    return combine(*(decide_by_interval(side, 0, np.inf) for side in rises(values)))


def decide_optimum(
    strengths: np.ndarray, values: np.ndarray, low: float, high: float
) -> tuple[Decision, Interval]:
    """Whether curves (..., K, S) are a U whose optimum is in [low, high]; and the optimum.

    An optimum that is surely elsewhere decides against; that the grid shows no U alone does not.
    """
    best = optimum(strengths, values)
    place = decide_by_interval(best, low - ROUNDING, high + ROUNDING)
    return replace(combine(place, decide_shape(values)), p_against=place.p_against), best


def gains(base: BySeed, other: BySeed) -> BySeed:
    """By how many per cent `other` is lower than `base`, seed by seed, (..., K) each, and their errors."""
    ratio = other[0] / base[0]
    errors = np.hypot(base[1] * ratio, other[1]) / base[0]
    return 100 * (1 - ratio), 100 * errors


def relative_gain(base: BySeed, other: BySeed) -> Interval:
    """The mean of `gains` with its interval."""
    return over_seeds(*gains(base, other))


def of_common_seeds(*tables: pd.DataFrame) -> list[pd.DataFrame]:
    """The rows of the seeds that all tables have. Raises NotRun where there are none."""
    seeds = set.intersection(*(set(rows.seed) for rows in tables))
    if not seeds:
        raise NotRun("experiments with a seed in common")
    return [rows[rows.seed.isin(seeds)] for rows in tables]


def by_seed(rows: pd.DataFrame, strength: float, metric: str = "fid") -> BySeed:
    """The values of each seed (K,), rising seeds, at a strength, and the errors of their images (or 0)."""
    chosen = rows[np.isclose(rows.strength, strength)].sort_values("seed")
    if chosen.empty:
        raise NotRun(f"strength {strength:g}")
    column = f"{metric}_se"
    known = column in chosen and chosen[column].notna().all()
    errors = chosen[column].to_numpy(float) if known else np.zeros(len(chosen))
    return chosen[metric].to_numpy(float), errors


def over_seeds(values: np.ndarray, errors: np.ndarray | float = 0.0) -> Interval:
    """The mean of values (..., K) with Student's interval over seeds.

    Never narrower than what the standard errors of their images (..., K) say, as if the sample sets were
    independent; that they start from the same noise makes differences surer, which the seeds show.
    """
    values = np.asarray(values, float)
    squares = np.broadcast_to(np.square(errors), values.shape)
    return student(values, Z * np.sqrt(squares.sum(-1)) / values.shape[-1])


def paired_difference(one: BySeed, other: BySeed) -> Interval:
    """one - other, seed by seed, with its Student's interval."""
    return over_seeds(one[0] - other[0], np.hypot(one[1], other[1]))


def sample_counts(rows: pd.DataFrame) -> dict[str, int]:
    """How many images a sample set and how many seeds a curve has."""
    return {"images": int(rows.generated_images.iloc[0]), "seeds": int(rows.seed.nunique())}


def independent_difference(one: Interval, other: Interval) -> Interval:
    """one - other, measured independently (Welch 1947, Biometrika 34:28); open where one of them is."""
    squares = np.square(one.error), np.square(other.error)
    variance = squares[0] + squares[1]
    freedom = variance**2 / (squares[0] ** 2 / one.freedom + squares[1] ** 2 / other.freedom)
    value, error = one.value - other.value, np.sqrt(variance)
    half = student_quantile(1 - SIDE, freedom) * error
    low = np.where(np.isinf(one.low) | np.isinf(other.high), -np.inf, value - half)[()]
    high = np.where(np.isinf(one.high) | np.isinf(other.low), np.inf, value + half)[()]
    return Interval(value, low, high, error, freedom)
