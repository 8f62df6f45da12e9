"""What the closed-form theory predicts, X0 to X4 (docs/noise.md)."""

import contextlib
from dataclasses import replace

import numpy as np
import pandas as pd
import scipy.stats

from shapednoise.analysis.curve import (
    SAMPLER,
    Interval,
    grid_error,
    optimum,
    split_curves,
    student,
    vertices,
)
from shapednoise.analysis.distances import DISTANCES
from shapednoise.claims.estimates import (
    by_seed,
    decide_shape,
    paired_difference,
    relative_gain,
    sample_counts,
    turned_curves,
)
from shapednoise.claims.evidence import PUBLISHED_SAMPLER, Evidence, NotRun, require_grid
from shapednoise.claims.registry import (
    OURS,
    Decision,
    Finding,
    claim,
    combine,
    decide_by_interval,
    decide_exactly,
)
from shapednoise.claims.sdm import LEAST_GAIN
from shapednoise.claims.tiers import BOTH, PAPER
from shapednoise.config.sampling import SamplerSettings

IN_THEORY = list(SamplerSettings().in_theory())
KEYS = ["noise", "strength", *IN_THEORY]
LEAST_POINTS = 5
FEW, MANY = PAPER.steps
FINE, LOWEST = 0.11, -0.8  # what a grid must be to find an optimum near -0.7
HALF_STEP = 0.05
LEAST_RANK_CORRELATION = 0.7


@claim(
    "X0",
    source=OURS,
    statement="closed form, about W2 in pixels and not about FID: its optimum for 50 published steps lies "
    "below 0, inside, and tends to 0 with the steps",
    published="a prediction: -0.7, -0.4, -0.2, 0 for 50, 100, 250, 1000 steps on CIFAR-10",
    where="docs/noise.md, closed form",
    criterion="they do on every data set computed, to half a grid step",
)
def _theory_moves(evidence: Evidence) -> Finding:
    decisions, texts, few = [], [], None
    for name, table in evidence.full_dataset_tables("theory").items():
        optima = _theory_optima(table)
        if not {FEW, MANY} <= set(optima):
            continue
        sizes = np.abs(list(optima.values()))
        inside = LOWEST < optima[FEW] < -HALF_STEP
        shrinks = bool((np.diff(sizes) <= 0).all()) and sizes[-1] <= HALF_STEP
        decisions.append(decide_exactly(inside and shrinks))
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
    return Finding(combine(*decisions), "; ".join(texts), few, note=note)


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
            optima[int(steps)] = float(vertices(strengths, distances))
    return optima


@claim(
    "X1",
    source=OURS,
    statement="measured: the optimum of FID moves towards 0 from 50 to {tier.steps[1]} steps",
    published="a prediction",
    where="X0",
    criterion="over seeds, each with its own two optima: the one for 50 steps surely below 0, that for "
    "{tier.steps[1]} steps surely nearer to 0, and FID for {tier.steps[1]} steps surely worse at both ends "
    "of the grid",
    tiers=BOTH,
)
def _optimum_moves(evidence: Evidence) -> Finding:
    name = evidence.tier.experiment("cifar10_steps")
    rows = {steps: evidence.curve("cifar10_steps", steps=steps) for steps in evidence.tier.steps}
    fewer, more = rows
    (strengths, few), (_, many) = (turned_curves(table) for table in rows.values())
    if few.shape != many.shape:
        raise NotRun(f"experiment {name} with the same seeds and strengths for {fewer} and {more} steps")
    decision, moved = decide_move(strengths, few, many)
    found = {steps: optimum(strengths, values) for steps, values in ((fewer, few), (more, many))}
    measured = ", ".join(f"s = {best.value:.2f} {best.ends} for {n} steps" for n, best in found.items())
    return Finding(decision, measured, moved, **sample_counts(rows[fewer]))


def decide_move(strengths: np.ndarray, few: np.ndarray, many: np.ndarray) -> tuple[Decision, Interval]:
    """Whether optima of curves (..., K, S) lie below 0 and move towards 0; and by how much they move.

    An optimum for few steps at the lower end of the grid may lie further down: it has moved more than seen.
    """
    one, other = vertices(strengths, few), vertices(strengths, many)
    error = np.maximum(grid_error(strengths, few), grid_error(strengths, many))
    moved, other_side = (student(places, besides=error) for places in (other - one, other + one))
    decision = combine(
        decide_by_interval(optimum(strengths, few), -np.inf, 0),
        decide_by_interval(moved, 0, np.inf),
        decide_by_interval(other_side, -np.inf, 0),
        decide_shape(many),
    )
    return decision, moved


@claim(
    "X2",
    source=OURS,
    statement="measured: under `exact`, FID at s = -0.4 and at 0 hardly differ",
    published="a prediction",
    where="docs/noise.md, closed form",
    criterion="95 % interval of the relative gain, seed by seed, within 7.5 % of 0 (half of the published "
    "gain), a test of equivalence (Schuirmann 1987)",
    tiers=BOTH,
)
def _flat_when_exact(evidence: Evidence) -> Finding:
    rows = evidence.curve("cifar10_readings", reading="exact", clamp="off")
    gain = relative_gain(by_seed(rows, 0.0), by_seed(rows, -0.4))
    measured = f"gain of s = -0.4 over s = 0: {gain.value:.2g} %"
    return Finding(decide_by_interval(gain, -LEAST_GAIN, LEAST_GAIN), measured, gain, **sample_counts(rows))


@claim(
    "X3",
    source=OURS,
    statement="measured: a better 50-step sampler at s = 0 gains more than s = -0.4 does",
    published="a prediction",
    where="docs/noise.md, closed form",
    criterion="95 % interval, seed by seed, of FID(-0.4, published) - FID(0, DDIM) above 0; DDIM was named "
    "beforehand, DPM-Solver++ is for information",
    tiers=BOTH,
)
def _better_sampler(evidence: Evidence) -> Finding:
    published = evidence.curve("cifar10_samplers")
    squeezed = by_seed(published, -0.4)
    others = {}
    for method in ("ddim", "dpm_solver"):
        others[method] = by_seed(evidence.curve("cifar10_samplers", method=method), 0.0)
    interval = paired_difference(squeezed, others["ddim"])
    levels = ", ".join(f"{values.mean():.4g} by {name}" for name, (values, _) in others.items())
    measured = f"FID at s = 0: {levels}; {squeezed[0].mean():.4g} at s = -0.4 as published"
    return Finding(decide_by_interval(interval, 0, np.inf), measured, interval, **sample_counts(published))


@claim(
    "X4",
    source=OURS,
    statement="the closed form (W2) ranks the measured FIDs over the strengths of each sampler",
    published="a prediction",
    where="docs/noise.md, closed form",
    criterion="Spearman's correlation over the strengths, the mean of all samplers, seed by seed: its 95 % "
    "interval above 0, and at least 0.7 for the mean over seeds; not so if the interval is below 0",
    tiers=BOTH,
)
def _theory_ranks(evidence: Evidence) -> Finding:
    theory = evidence.full_dataset_tables("theory").get("cifar10")
    if theory is None:
        raise NotRun("a figure of the kind theory on cifar10")
    name, steps = evidence.tier.ranked
    experiments = [evidence.experiment(name)]
    with contextlib.suppress(NotRun):  # its readings add curves
        experiments.append(evidence.experiment("cifar10_readings"))
    points = pd.concat(map(points_of, experiments), ignore_index=True).drop_duplicates([*KEYS, "seed"])
    points = points.merge(theory.drop_duplicates(KEYS), on=KEYS)
    curves = [
        rows for _, rows in points.groupby(["noise", *IN_THEORY]) if rows.strength.nunique() >= LEAST_POINTS
    ]
    if not steps <= {rows.steps.iloc[0] for rows in curves}:
        counts = " and ".join(map(str, sorted(steps)))
        raise NotRun(f"a figure of the kind theory with {counts} steps of experiment {name}")
    fids = [rows.pivot(index="seed", columns="strength", values="fid").sort_index() for rows in curves]
    if any(not table.index.equals(fids[0].index) for table in fids):
        raise NotRun(f"the experiments {name} and cifar10_readings with the same seeds")
    agreement, texts = {}, []
    for name, label in DISTANCES.items():
        distances = [rows.groupby("strength")[name].first().to_numpy() for rows in curves]
        pairs = [(d, table.to_numpy()) for d, table in zip(distances, fids, strict=True)]
        agreement[name] = rank_agreement(pairs)
        found, of_means = agreement[name]
        texts.append(f"{label} {of_means:.2f} (by seed {found.value:.2f} {found.ends})")
    decision = decide_ranks(*agreement["distance"])
    measured = f"Spearman's correlation (samplers: {len(curves)}): {', '.join(texts)}"
    return Finding(decision, measured, agreement["distance"][0], **sample_counts(experiments[0]))


def rank_agreement(curves: list[tuple[np.ndarray, np.ndarray]]) -> tuple[Interval, np.ndarray]:
    """Spearman's correlation of distances (S,) with FIDs (..., K, S), the mean over such pairs, samplers.

    Ranks are taken within each curve: levels, which fall with the steps whatever the strength does, and the
    shift that a seed gives to all of its curves play no part.

    Returns:
        The mean over seeds with its interval, and the correlation of the mean FIDs.
    """
    by_seed, of_means = (
        np.mean([spearman(distances, fids) for distances, fids in pairs], axis=0)
        for pairs in (curves, [(distances, fids.mean(-2)) for distances, fids in curves])
    )
    found = student(by_seed)
    return replace(found, low=np.maximum(found.low, -1), high=np.minimum(found.high, 1)), of_means


def spearman(distances: np.ndarray, fids: np.ndarray) -> np.ndarray:
    """Spearman's correlation along the last axis."""
    ranks = [scipy.stats.rankdata(values, axis=-1) for values in (distances, fids)]
    one, other = (rank - rank.mean(-1, keepdims=True) for rank in ranks)
    return (one * other).sum(-1) / np.sqrt((one**2).sum(-1) * (other**2).sum(-1))


def decide_ranks(agreement: Interval, of_means: np.ndarray) -> Decision:
    """Whether ranks agree more than by chance, and well."""
    found = decide_by_interval(agreement, 0, np.inf)
    well = np.asarray(of_means) >= LEAST_RANK_CORRELATION
    return Decision(np.where(well, found.p_for, 1.0)[()], found.p_against, found.seeds)


def points_of(scores: pd.DataFrame) -> pd.DataFrame:
    """The FID of every training and sampler of an experiment, with the keys that the theory has."""
    points = []
    for noise, _, rows in split_curves(scores):
        require_grid(rows, "of the samplers of the theory")
        sampler = {name: rows[f"{SAMPLER}{name}"] for name in IN_THEORY}
        points.append(rows[["strength", "seed", "fid"]].assign(noise=noise, **sampler))
    return pd.concat(points)
