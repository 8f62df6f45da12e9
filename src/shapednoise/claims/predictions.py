"""What the closed-form theory predicts, X0 to X4 (docs/noise.md), and how each is decided."""

import contextlib

import numpy as np
import pandas as pd
import scipy.stats

from shapednoise.analysis.curve import SAMPLER, Interval, mean_curve, split_curves
from shapednoise.claims.evidence import PUBLISHED_SAMPLER, Evidence, NotRun, by_seed, require_grid, students
from shapednoise.claims.squeezed import fit_of, numbers, optimum_of
from shapednoise.claims.verdicts import INCONCLUSIVE, NOT_REPRODUCED, REPRODUCED, Finding, all_of, within
from shapednoise.config.sampling import SamplerSettings

IN_THEORY = list(SamplerSettings().in_theory())
KEYS = ["noise", "strength", *IN_THEORY]
LEAST_POINTS = 5
FEW, MANY = 50, 1000
FINE, LOWEST = 0.11, -0.8  # what a grid must be to find an optimum near -0.7
HALF_STEP = 0.05
LEAST_RANK_CORRELATION = 0.7


def theory_moves(evidence: Evidence) -> Finding:
    """X0: in closed form the optimum for 50 steps lies below 0, inside, and goes to 0 with the steps."""
    verdicts, texts, few = [], [], None
    for name, table in evidence.whole("theory").items():
        optima = theory_optima(table)
        if not {FEW, MANY} <= set(optima):
            continue
        sizes = np.abs(list(optima.values()))
        inside = LOWEST < optima[FEW] < -HALF_STEP
        shrinks = bool((np.diff(sizes) <= 0).all()) and sizes[-1] <= HALF_STEP
        verdicts.append(REPRODUCED if inside and shrinks else NOT_REPRODUCED)
        few = few or Interval(optima[FEW], optima[FEW] - HALF_STEP, optima[FEW] + HALF_STEP)
        found = ", ".join(f"s = {best:.2f} ({steps} steps)" for steps, best in optima.items())
        texts.append(f"{name}: {found}")
    if few is None:
        raise NotRun(
            f"a figure of the kind theory with {FEW} and {MANY} published steps "
            f"and strengths from {LOWEST:g} in steps of 0.1"
        )
    note = "closed form, from the spectrum of all training images; the interval is half a grid step"
    return Finding(all_of(*verdicts), "; ".join(texts), few, note=note)


def theory_optima(table: pd.DataFrame) -> dict[int, float]:
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
    """Where the parabola through the smallest value and its neighbours is smallest."""
    best = int(values.argmin())
    if best in (0, len(values) - 1):
        return float(strengths[best])
    a, b, _ = np.polyfit(strengths[best - 1 : best + 2], values[best - 1 : best + 2], 2)
    return float(-b / (2 * a))


def optimum_moves(evidence: Evidence) -> Finding:
    """X1: the measured optimum lies below 0 for 50 steps, and nearer to 0 for 1000."""
    rows = {steps: evidence.curve("cifar10_steps", steps=steps) for steps in (FEW, MANY)}
    few, many = (optimum_of(fit_of(rows[steps], seed=steps)) for steps in (FEW, MANY))
    moved = difference(many, few)
    other_side = difference(many, Interval(-few.value, -few.high, -few.low))
    optima = ((FEW, few), (MANY, many))
    texts = (f"s = {o.value:.2f} {o.ends} for {steps} steps" for steps, o in optima)
    nearer = within(moved, 0, np.inf), within(other_side, -np.inf, 0)
    verdict = all_of(within(few, -np.inf, 0), *nearer)
    return Finding(verdict, ", ".join(texts), moved, **numbers(rows[FEW]))


def difference(one: Interval, other: Interval) -> Interval:
    """one - other, measured independently, from their own intervals (Zou and Donner 2008)."""
    value = one.value - other.value
    below = np.hypot(one.value - one.low, other.high - other.value)
    above = np.hypot(one.high - one.value, other.value - other.low)
    return Interval(value, value - float(below), value + float(above))


def flat_when_exact(evidence: Evidence) -> Finding:
    """X2: under `exact`, FID at -0.4 and at 0 differ by less than one deviation over seeds.

    The deviation comes from few seeds; its lower 95 % limit is what the difference must stay within.
    """
    rows = evidence.curve("cifar10_readings", reading="exact", clamp="off")
    (base, base_errors), (other, other_errors) = by_seed(rows, 0.0), by_seed(rows, -0.4)
    if len(base) < 2:
        raise NotRun("experiment cifar10_readings with several seeds")
    deviation, freedom = float(base.std(ddof=1)), len(base) - 1
    least = deviation * float(np.sqrt(freedom / scipy.stats.chi2.ppf(0.975, freedom)))
    interval = students(other - base, np.hypot(base_errors, other_errors))
    verdict = within(interval, -least, least)
    if verdict == NOT_REPRODUCED and within(interval, -deviation, deviation) != NOT_REPRODUCED:
        verdict = INCONCLUSIVE
    measured = f"FID(-0.4) - FID(0) = {interval.value:.3g}, deviation over seeds {deviation:.3g}"
    return Finding(verdict, measured, interval, **numbers(rows))


def better_sampler(evidence: Evidence) -> Finding:
    """X3: the best of the other samplers at s = 0 has an FID no higher than s = -0.4 by the published one."""
    published = evidence.curve("cifar10_samplers")
    squeezed, squeezed_errors = by_seed(published, -0.4)
    others = [{"variance": "fixed_large"}, {"method": "ddim"}, {"method": "dpm_solver"}]
    found = {}
    for change in others:
        name = next(iter(change.values()))
        found[name] = by_seed(evidence.curve("cifar10_samplers", **change), 0.0)
    best = min(found, key=lambda name: found[name][0].mean())
    values, errors = found[best]
    interval = students(squeezed - values, np.hypot(squeezed_errors, errors))
    measured = f"FID {values.mean():.4g} by {best} at s = 0, {squeezed.mean():.4g} at s = -0.4 as published"
    return Finding(within(interval, 0, np.inf), measured, interval, **numbers(published))


def theory_ranks(evidence: Evidence) -> Finding:
    """X4: Spearman's correlation of the closed-form distance and the measured FID over all points."""
    theory = evidence.whole("theory").get("cifar10")
    if theory is None:
        raise NotRun("a figure of the kind theory on cifar10")
    experiments = [evidence.experiment("cifar10_steps")]
    with contextlib.suppress(NotRun):  # its readings add points
        experiments.append(evidence.experiment("cifar10_readings"))
    points = pd.concat(map(_points, experiments), ignore_index=True).drop_duplicates(KEYS)
    points = points.merge(theory[[*KEYS, "distance"]].drop_duplicates(KEYS), on=KEYS)
    if len(points) < LEAST_POINTS or not {FEW, MANY} <= set(points.steps):
        raise NotRun(f"a figure of the kind theory with {FEW} and {MANY} steps of experiment cifar10_steps")
    found = scipy.stats.spearmanr(points.distance, points.fid).statistic
    replicates = scipy.stats.rankdata(np.stack(points.replicates), axis=0)
    ranks = scipy.stats.rankdata(points.distance)
    redrawn = np.array([np.corrcoef(ranks, column)[0, 1] for column in replicates.T])
    interval = Interval.of(found, redrawn)
    measured = f"Spearman's correlation {found:.2f} over {len(points)} points"
    return Finding(within(interval, LEAST_RANK_CORRELATION, 1), measured, interval, **numbers(experiments[0]))


def _points(scores: pd.DataFrame) -> pd.DataFrame:
    """The mean FID of every point of an experiment, its replicates, and the keys that the theory has."""
    points = []
    for place, (noise, _, rows) in enumerate(split_curves(scores)):
        require_grid(rows, "of the samplers of the theory")
        curve = mean_curve(rows, "fid", seed=place)
        sampler = {name: rows[f"{SAMPLER}{name}"].iloc[0] for name in IN_THEORY}
        for strength, fid, redrawn in zip(curve.strengths, curve.means, curve.replicates.T, strict=True):
            place_of = {"noise": noise, "strength": strength, **sampler}
            points.append({**place_of, "fid": fid, "replicates": redrawn})
    return pd.DataFrame(points)
