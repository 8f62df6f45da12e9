"""Y1 to Y8: what the study on two processor cores asks (docs/study.md). It decides its own scale."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd

from shapednoise.analysis.curve import (
    SAMPLER,
    Interval,
    crossing,
    crossings,
    grid_error,
    optimum,
    seed_curves,
    student,
    vertices,
)
from shapednoise.analysis.distances import DISTANCES
from shapednoise.claims.estimates import (
    BySeed,
    by_seed,
    decide_shape,
    gains,
    of_common_seeds,
    over_seeds,
    paired_difference,
    relative_gain,
    sample_counts,
    turned_curves,
)
from shapednoise.claims.evidence import Evidence, NotRun, published_sampler, require_grid
from shapednoise.claims.registry import (
    OURS,
    OWN_WORDS,
    Decision,
    Finding,
    claim,
    combine,
    decide_by_interval,
)
from shapednoise.claims.sdm import LEAST_GAIN, trade_off
from shapednoise.claims.theory import IN_THEORY, KEYS, decide_ranks, points_of, rank_agreement
from shapednoise.claims.tiers import STUDY
from shapednoise.metrics.registry import METRICS
from shapednoise.noise.operators import BASELINE

question = partial(claim, source=OURS, published="a question", where="docs/study.md", tiers=[STUDY])
VARIANCE = "variance_along_v"
OPPONENTS = {
    "DDIM": {"method": "ddim"},
    "DPM-Solver++": {"method": "dpm_solver"},
    "the optimal variance": {"variance": "optimal"},
}
AT_STRENGTHS = (-0.4, 0.0, 0.4)


def _said(decision: Decision) -> str:
    return OWN_WORDS.get(decision.verdict, decision.verdict)


@question(
    "Y1",
    statement="FID against s is U-shaped with its minimum below 0, 50 published steps, and the minimum lies "
    "where the variance of the samples along v is the data's",
    criterion="over seeds: FID surely worse at both ends of the grid (C1); the optimum surely below 0; 95 % "
    "interval of the optimum less the strength where the variance crosses the data's, seed by seed, within "
    "{tier.step} of 0 (ours: a step of the grid), a test of equivalence",
)
def _minimum_where_variance_is_right(evidence: Evidence) -> Finding:
    rows = evidence.curve("study_sdm")
    evidence.curve("study_sdm", metric=VARIANCE)
    strengths, fids = turned_curves(rows)
    _, variances = seed_curves(rows, VARIANCE)
    excess = variances - rows[METRICS[VARIANCE].target].iloc[0]
    decisions, apart = decide_return(strengths, fids, excess)
    places = [
        f"{each.value:.2f} {each.ends}" for each in (optimum(strengths, fids), crossing(strengths, excess))
    ]
    shape, below, there = map(_said, decisions)
    measured = (
        f"U-shaped: {shape}; minimum at s = {places[0]}, below 0: {below}; variance along v is the data's at "
        f"s = {places[1]}, the minimum less that: {apart.value:.2f} {apart.ends}, so there: {there}"
    )
    return Finding(combine(*decisions), measured, apart, **sample_counts(rows))


def decide_return(
    strengths: np.ndarray, fids: np.ndarray, excess: np.ndarray
) -> tuple[tuple[Decision, Decision, Decision], Interval]:
    """Whether curves (..., K, S) of FID are a U, with an optimum below 0, and where an excess is 0.

    A place at an end of the grid may lie beyond: the difference is open to that side.

    Returns:
        The three decisions, and the optimum less the crossing.
    """
    best, right = vertices(strengths, fids), crossings(strengths, excess)
    found = student(best - right, besides=grid_error(strengths, fids))
    first, last = strengths[0], strengths[-1]
    lower, higher = ((best == first) | (right == last)).any(-1), ((best == last) | (right == first)).any(-1)
    low = np.where(lower, -np.inf, found.low)[()]
    apart = Interval(found.value, low, np.where(higher, np.inf, found.high)[()], found.error, found.freedom)
    below = decide_by_interval(optimum(strengths, fids), -np.inf, 0)
    return (decide_shape(fids), below, decide_by_interval(apart, -STUDY.step, STUDY.step)), apart


def decide_shrinks(before: BySeed, after: BySeed) -> tuple[Decision, Interval]:
    """Whether a gain (..., K) is there before, and surely smaller after; and by how much."""
    less = paired_difference(before, after)
    there = decide_by_interval(over_seeds(*before), 0, np.inf)
    return combine(there, decide_by_interval(less, 0, np.inf)), less


def _gains_at(rows: pd.DataFrame) -> BySeed:
    return gains(by_seed(rows, 0.0), by_seed(rows, -0.4))


def _shrinking(before: pd.DataFrame, after: pd.DataFrame, names: tuple[str, str]) -> Finding:
    both = [_gains_at(rows) for rows in of_common_seeds(before, after)]
    decision, less = decide_shrinks(*both)
    found = zip(map(over_seeds, *zip(*both, strict=True)), names, strict=True)
    texts = ", ".join(f"{gain.value:.2g} % {gain.ends} {name}" for gain, name in found)
    return Finding(decision, f"gain of s = -0.4 over s = 0: {texts}", less, **sample_counts(before))


@question(
    "Y2",
    statement="the gain of s = -0.4 goes with more steps (X1, with two strengths)",
    criterion="95 % intervals, over seeds, above 0: of the relative gain over s = 0 with 50 steps, and of "
    "that less the gain with {tier.steps[1]} steps, by the same networks",
)
def _gain_goes_with_steps(evidence: Evidence) -> Finding:
    few, many = evidence.tier.steps
    rows = (evidence.curve("study_steps", steps=steps) for steps in (few, many))
    return _shrinking(*rows, (f"with {few} steps", f"with {many} steps"))


@question(
    "Y3",
    statement="under `exact`, s = -0.4 is better than s = 0 (X2)",
    criterion="95 % interval of the relative gain, seed by seed, above 0",
)
def _better_when_exact(evidence: Evidence) -> Finding:
    rows = evidence.curve("study_exact", reading="exact", clamp="off")
    gain = over_seeds(*_gains_at(rows))
    measured = f"gain of s = -0.4 over s = 0: {gain.value:.2g} %"
    return Finding(decide_by_interval(gain, 0, np.inf), measured, gain, **sample_counts(rows))


@question(
    "Y4",
    statement="a better 50-step sampler at s = 0 gains at least as much as s = -0.4 does (X3)",
    criterion="95 % interval, over seeds, of FID(-0.4, published) - FID(0, sampler) above 0; of DDIM, "
    "DPM-Solver++ and the optimal variance, for each seed the one that is best for the other seeds",
)
def _better_sampler(evidence: Evidence) -> Finding:
    published = evidence.curve("study_samplers")
    others = [by_seed(evidence.curve("study_samplers", **change), 0.0) for change in OPPONENTS.values()]
    values, errors = (np.stack(parts, -1) for parts in zip(*others, strict=True))
    base, squeezed = by_seed(published, 0.0), by_seed(published, -0.4)
    apart = paired_difference(squeezed, cross_fitted(values, errors))
    levels = ", ".join(f"{mean:.4g} by {name}" for mean, name in zip(values.mean(0), OPPONENTS, strict=True))
    measured = (
        f"FID at s = 0: {levels}, {base[0].mean():.4g} as published; at s = -0.4 as published "
        f"{squeezed[0].mean():.4g}"
    )
    return Finding(decide_by_interval(apart, 0, np.inf), measured, apart, **sample_counts(published))


def cross_fitted(values: np.ndarray, errors: np.ndarray) -> BySeed:
    """For each seed the value, and error, of what is least for the mean of the others, of (..., K, M)."""
    best = (values.sum(-2, keepdims=True) - values).argmin(-1)[..., None]
    chosen = (
        np.take_along_axis(np.broadcast_to(each, values.shape), best, -1)[..., 0] for each in (values, errors)
    )
    return tuple(chosen)


@question(
    "Y5",
    statement="the gain of s = -0.4 shrinks as training goes on",
    criterion="95 % intervals, over seeds, above 0: of the relative gain over s = 0 after the first "
    "snapshot, and of that less the gain at the end of the same training",
)
def _gain_goes_with_training(evidence: Evidence) -> Finding:
    epochs = evidence.experiment("study_epochs")[f"{SAMPLER}epoch"].astype(str)
    early = sorted(set(epochs) - {"end"}, key=float)
    if not early or "end" not in set(epochs):
        raise NotRun("experiment study_epochs with a snapshot and the end of the training")
    rows = published_sampler(evidence.experiment("study_epochs"))
    parts = [rows[rows[f"{SAMPLER}epoch"].astype(str) == epoch] for epoch in (early[0], "end")]
    for part in parts:
        require_grid(part, "study_epochs")
    return _shrinking(*parts, (f"after epoch {float(early[0]):g}", "at the end"))


question(
    "Y6",
    statement="recall rises and precision falls with antisqueezing (C8)",
    criterion="95 % intervals of both slopes against s, over seeds, on their side of 0",
)(trade_off)


@question(
    "Y7",
    statement="predicted FID, W2 and Kullback-Leibler of the closed form each rank the measured FIDs (X4)",
    criterion="Spearman's correlation over all strengths and samplers that have all of them, seed by seed: "
    "of each of the three the 95 % interval above 0, and at least 0.7 for the mean over seeds; not so if one "
    "is below 0",
)
def _ranks_measured(evidence: Evidence) -> Finding:
    theory = evidence.full_dataset_tables("theory").get("cifar10")
    predicted = evidence["predicted_fid"].get("cifar10")
    if theory is None or predicted is None:
        raise NotRun("figures of the kinds theory and predicted_fid on cifar10")
    experiments = [evidence.experiment("study_sdm"), evidence.experiment("study_samplers")]
    measured = pd.concat(map(points_of, experiments)).drop_duplicates([*KEYS, "seed"])
    predicted = predicted[predicted.noise.isin(["sdm", BASELINE])].assign(noise="sdm")
    predicted = predicted.rename(columns={"fid": "predicted"})[[*KEYS, "predicted"]]
    points = predicted.drop_duplicates(KEYS).merge(theory.drop_duplicates(KEYS), on=KEYS)
    points = points.merge(
        measured.pivot(index=KEYS, columns="seed", values="fid"), left_on=KEYS, right_index=True
    )
    seeds = [seed for seed in measured.seed.unique() if points[seed].notna().all()]
    if points[IN_THEORY].drop_duplicates().shape[0] < 2 or not seeds:
        raise NotRun("figures of the kinds theory and predicted_fid of the samplers of study_samplers")
    names = {"predicted": "predicted FID", **DISTANCES}
    fids = points[seeds].to_numpy(float).T
    found = {name: rank_agreement([(points[name].to_numpy(float), fids)]) for name in names}
    decisions = {name: decide_ranks(*agreement) for name, agreement in found.items()}
    texts = ", ".join(
        f"{names[name]} {each.value:.2f} {each.ends}: {_said(decisions[name])}"
        for name, (each, _) in found.items()
    )
    counts = {"images": sample_counts(experiments[0])["images"], "seeds": len(seeds)}
    decision = combine(*(decisions[name] for name in ("predicted", "distance", "kl")))
    return Finding(decision, f"over {len(points)} points: {texts}", found["predicted"][0], **counts)


@question(
    "Y8",
    statement="one network for all strengths is as good as separate ones, at s = -0.4, 0 and 0.4",
    criterion="95 % interval, over seeds, of its FID's excess over that of separate networks, in per cent, "
    "below 7.5 (ours, as in C3) at each strength; not so if surely above at one",
)
def _as_good_together(evidence: Evidence) -> Finding:
    one, separate = of_common_seeds(evidence.curve("study_short"), evidence.curve("study_separate"))
    found = [relative_gain(by_seed(separate, s), by_seed(one, s)) for s in AT_STRENGTHS]
    texts = ", ".join(
        f"{-gain.value:+.2g} % at s = {s:g}" for s, gain in zip(AT_STRENGTHS, found, strict=True)
    )
    gain = min(found, key=lambda each: each.value)
    worst = Interval(-gain.value, -gain.high, -gain.low, gain.error, gain.freedom)
    measured = f"FID of one network over that of separate ones: {texts}"
    return Finding(decide_as_good(found), measured, worst, **sample_counts(one))


def decide_as_good(found: Sequence[Interval]) -> Decision:
    """Whether none of these relative gains is a loss of 7.5 % or more, a test of non-inferiority."""
    return combine(*(decide_by_interval(gain, -LEAST_GAIN, np.inf) for gain in found))
