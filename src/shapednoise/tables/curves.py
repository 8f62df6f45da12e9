"""The table of an experiment's curves: one row a noise, sampler and score, what is known of its shape."""

from typing import Any

import pandas as pd

from shapednoise.metrics.curve import mean_curve, quadratic_fit, split_curves
from shapednoise.metrics.names import LOWER_IS_BETTER, METRICS


def curves_table(scores: pd.DataFrame) -> pd.DataFrame:
    """A row a curve and score of the tidy table of one experiment.

    Columns: noise, the settings in which samplers differ, metric, seeds; of every strength the `mean`
    over seeds and the deviation `std` (as text, by rising strength); of the quadratic fit
    a s^2 + b s + c its coefficients, `optimum` with its 95 % interval, `convex`, the share of resamples
    that bend as the score should (1 - convex is the p-value of the test), and `inside`, the share whose
    optimum also lies inside the measured range. Empty where there are fewer than three strengths.
    """
    rows = []
    for noise, settings, curve in split_curves(scores):
        for metric in METRICS:
            if metric in curve and curve[metric].notna().all():
                rows.append({"noise": noise, **settings, **_row(curve, metric)})
    return pd.DataFrame(rows)


def _row(rows: pd.DataFrame, metric: str) -> dict[str, Any]:
    curve = mean_curve(rows, metric)
    deviations = rows.groupby("strength")[metric].std().sort_index()
    fit = quadratic_fit(curve, metric in LOWER_IS_BETTER)
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
    shape = {"a": a, "b": b, "c": c, "convex": fit.bends, "inside": fit.inside}
    return row | shape | {"optimum": best.value, "optimum_low": best.low, "optimum_high": best.high}


def _text(values: Any) -> str:
    return " ".join(f"{value:.6g}" for value in values)
