"""What the closed-form theory predicts, X0 to X4 (docs/noise.md)."""

import contextlib

import numpy as np
import pandas as pd
import scipy.stats

from shapednoise.analysis.curve import SAMPLER, Interval, mean_curve, split_curves
from shapednoise.claims.estimates import (
    by_seed,
    fit_of,
    independent_difference,
    optimum_of,
    paired_difference,
    sample_counts,
)
from shapednoise.claims.evidence import PUBLISHED_SAMPLER, Evidence, NotRun, require_grid
from shapednoise.claims.registry import (
    INCONCLUSIVE,
    NOT_REPRODUCED,
    OURS,
    REPRODUCED,
    Finding,
    claim,
    combine,
    decide_by_interval,
)
from shapednoise.config.sampling import SamplerSettings

IN_THEORY = list(SamplerSettings().in_theory())
KEYS = ["noise", "strength", *IN_THEORY]
LEAST_POINTS = 5
FEW, MANY = 50, 1000
FINE, LOWEST = 0.11, -0.8  # what a grid must be to find an optimum near -0.7
HALF_STEP = 0.05
LEAST_RANK_CORRELATION = 0.7


@claim(
    "X0",
    source=OURS,
    statement="closed form, about W2 in pixels and not about FID: its optimum for 50 published steps lies "
    "below 0, inside, and tends to 0 with the steps",
    published="a prediction: -0.7, -0.4, -0.2, 0 for 50, 100, 250, 1000 steps on CIFAR-10",
    criterion="so on every data set computed, to half a grid step",
)
def _theory_moves(evidence: Evidence) -> Finding:
    verdicts, texts, few = [], [], None
    for name, table in evidence.full_dataset_tables("theory").items():
        optima = _theory_optima(table)
        if not {FEW, MANY} <= set(optima):
            continue
        sizes = np.abs(list(optima.values()))
        inside = LOWEST < optima[FEW] < -HALF_STEP
        shrinks = bool((np.diff(sizes) <= 0).all()) and sizes[-1] <= HALF_STEP
        verdicts.append(REPRODUCED if inside and shrinks else NOT_REPRODUCED)
        few = few or Interval(optima[FEW], optima[FEW] - HALF_STEP, optima[FEW] + HALF_STEP)
        listed = ", ".join(f"s = {best:.2f} ({steps} steps)" for steps, best in optima.items())
        texts.append(f"{name}: {listed}")
    if few is None:
        raise NotRun(
            f"a figure of the kind theory with {FEW} and {MANY} published steps "
            f"and strengths from {LOWEST:g} in steps of 0.1"
        )
    note = (
        "closed form, from the spectrum of all training images; the interval is half a grid step; "
        "W2 does not rank FID (X5)"
    )
    return Finding(combine(*verdicts), "; ".join(texts), few, note=note)


def _theory_optima(table: pd.DataFrame) -> dict[int, float]:
    """The best strength of each number of published ancestral steps whose grid is fine and wide enough."""
    chosen = table[table.noise == "sdm"]
    for setting in ("method", "spacing", "variance", "reading"):
        chosen = chosen[chosen[setting] == PUBLISHED_SAMPLER[setting]]
    chosen = chosen.drop_duplicates(["steps", "strength"])  # figures may share points
    optima = {}
    for steps, rows in chosen.sort_values("strength").groupby("steps"):
        strengths, distances = rows.strength.to_numpy(), rows.distance.to_numpy()
        below = strengths[strengths <= HALF_STEP]
        if below.min(initial=0) <= LOWEST and np.diff(below).max(initial=0) <= FINE:
            optima[int(steps)] = _vertex(strengths, distances)
    return optima


def _vertex(strengths: np.ndarray, values: np.ndarray) -> float:
    """Where the parabola through the smallest value and its neighbors is smallest."""
    best = int(values.argmin())
    if best in (0, len(values) - 1):
        return float(strengths[best])
    a, b, _ = np.polyfit(strengths[best - 1 : best + 2], values[best - 1 : best + 2], 2)
    return float(-b / (2 * a))


@claim(
    "X1",
    source=OURS,
    statement="measured: the optimum of FID moves towards 0 from 50 to 1000 steps",
    published="a prediction",
    criterion="95 % intervals: optimum for 50 steps below 0, that for 1000 steps nearer to 0",
)
def _optimum_moves(evidence: Evidence) -> Finding:
    rows = {steps: evidence.curve("cifar10_steps", steps=steps) for steps in (FEW, MANY)}
    few, many = (optimum_of(fit_of(rows[steps], seed=steps)) for steps in (FEW, MANY))
    moved = independent_difference(many, few)
    other_side = independent_difference(many, Interval(-few.value, -few.high, -few.low))
    verdict = combine(
        decide_by_interval(few, -np.inf, 0),
        decide_by_interval(moved, 0, np.inf),
        decide_by_interval(other_side, -np.inf, 0),
    )
    optima = ((FEW, few), (MANY, many))
    measured = ", ".join(f"s = {best.value:.2f} {best.ends} for {steps} steps" for steps, best in optima)
    return Finding(verdict, measured, moved, **sample_counts(rows[FEW]))


@claim(
    "X2",
    source=OURS,
    statement="measured: under `exact`, FID at s = -0.4 and at 0 differ by less than seeds do",
    published="a prediction",
    criterion="95 % interval of the paired difference within the lower 95 % limit of the deviation "
    "over seeds",
)
def _flat_when_exact(evidence: Evidence) -> Finding:
    """The deviation comes from few seeds; its lower limit is what the difference must stay within."""
    rows = evidence.curve("cifar10_readings", reading="exact", clamp="off")
    base, other = by_seed(rows, 0.0), by_seed(rows, -0.4)
    freedom = len(base[0]) - 1
    if not freedom:
        raise NotRun("experiment cifar10_readings with several seeds")
    deviation = float(base[0].std(ddof=1))
    least = deviation * float(np.sqrt(freedom / scipy.stats.chi2.ppf(0.975, freedom)))
    interval = paired_difference(other, base)
    verdict = decide_by_interval(interval, -least, least)
    if verdict == NOT_REPRODUCED and decide_by_interval(interval, -deviation, deviation) != NOT_REPRODUCED:
        verdict = INCONCLUSIVE
    measured = f"FID(-0.4) - FID(0) = {interval.value:.3g}, deviation over seeds {deviation:.3g}"
    return Finding(verdict, measured, interval, **sample_counts(rows))


@claim(
    "X3",
    source=OURS,
    statement="measured: a better 50-step sampler at s = 0 gains at least what s = -0.4 gains",
    published="a prediction",
    criterion="95 % interval of FID(-0.4, published) - FID(0, best other sampler) above 0",
)
def _better_sampler(evidence: Evidence) -> Finding:
    published = evidence.curve("cifar10_samplers")
    squeezed = by_seed(published, -0.4)
    others = {}
    for change in ({"variance": "fixed_large"}, {"method": "ddim"}, {"method": "dpm_solver"}):
        [name] = change.values()
        others[name] = by_seed(evidence.curve("cifar10_samplers", **change), 0.0)
    best = min(others, key=lambda name: others[name][0].mean())
    interval = paired_difference(squeezed, others[best])
    fids = others[best][0].mean(), squeezed[0].mean()
    measured = f"FID {fids[0]:.4g} by {best} at s = 0, {fids[1]:.4g} at s = -0.4 as published"
    return Finding(decide_by_interval(interval, 0, np.inf), measured, interval, **sample_counts(published))


@claim(
    "X4",
    source=OURS,
    statement="the closed form ranks the measured FIDs over strength, steps and reading",
    published="a prediction",
    criterion="95 % interval of Spearman's correlation above 0.7",
)
def _theory_ranks(evidence: Evidence) -> Finding:
    theory = evidence.full_dataset_tables("theory").get("cifar10")
    if theory is None:
        raise NotRun("a figure of the kind theory on cifar10")
    experiments = [evidence.experiment("cifar10_steps")]
    with contextlib.suppress(NotRun):  # its readings add points
        experiments.append(evidence.experiment("cifar10_readings"))
    points = pd.concat(map(_points, experiments), ignore_index=True).drop_duplicates(KEYS)
    points = points.merge(theory[[*KEYS, "distance"]].drop_duplicates(KEYS), on=KEYS)
    if len(points) < LEAST_POINTS or not {FEW, MANY} <= set(points.steps):
        raise NotRun(f"a figure of the kind theory with {FEW} and {MANY} steps of experiment cifar10_steps")
    correlation = scipy.stats.spearmanr(points.distance, points.fid).statistic
    replicates = scipy.stats.rankdata(np.stack(points.replicates), axis=0)
    ranks = scipy.stats.rankdata(points.distance)
    redrawn = np.array([np.corrcoef(ranks, column)[0, 1] for column in replicates.T])
    interval = Interval.of(correlation, redrawn)
    verdict = decide_by_interval(interval, LEAST_RANK_CORRELATION, 1)
    measured = f"Spearman's correlation {correlation:.2f} over {len(points)} points"
    return Finding(verdict, measured, interval, **sample_counts(experiments[0]))


def _points(scores: pd.DataFrame) -> pd.DataFrame:
    """The mean FID of every point of an experiment, its replicates, and the keys that the theory has."""
    points = []
    for seed, (noise, _, rows) in enumerate(split_curves(scores)):
        require_grid(rows, "of the samplers of the theory")
        curve = mean_curve(rows, "fid", seed=seed)
        sampler = {name: rows[f"{SAMPLER}{name}"].iloc[0] for name in IN_THEORY}
        for strength, fid, redrawn in zip(curve.strengths, curve.means, curve.replicates.T, strict=True):
            point = {"noise": noise, "strength": strength, **sampler}
            points.append({**point, "fid": fid, "replicates": redrawn})
    return pd.DataFrame(points)
