"""The claims of the SDM paper, C1 to C12."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from shapednoise.analysis.curve import Interval, rises, seed_curves, slopes, student
from shapednoise.claims.estimates import (
    ROUNDING,
    by_seed,
    decide_optimum,
    decide_shape,
    of_common_seeds,
    over_seeds,
    paired_difference,
    relative_gain,
    sample_counts,
    turned_curves,
)
from shapednoise.claims.evidence import Evidence, NotRun, published_sampler
from shapednoise.claims.registry import (
    SDM,
    Decision,
    Finding,
    claim,
    combine,
    decide_by_interval,
    decide_exactly,
)
from shapednoise.claims.tiers import BOTH, PAPER, Tier

LEAST_GAIN = 7.5  # ours: per cent, half of the published gain
LEAST_COSINE = 0.99  # ours
LARGEST_DRIFT = 0.01  # ours
ENDS = "above 0 at either end of the grid"


def _shape_claim(id: str, metric: str, statement: str, published: str, where: str, sign: str) -> None:
    """Register that a score's curve bends back at both ends of the grid."""

    @claim(
        id,
        source=SDM,
        statement=statement,
        published=published,
        where=where,
        criterion=f"95 % interval, over seeds, of {sign} {ENDS}; inside: three strengths around the best "
        "of the other seeds",
        tiers=BOTH,
    )
    def bends(evidence: Evidence) -> Finding:
        rows = evidence.curve("cifar10_sdm", metric=metric)
        _, values = turned_curves(rows, metric)
        left, right = rises(values)
        measured = (
            f"{sign}: {left.value:.3g} {left.ends} at the left, {right.value:.3g} {right.ends} at the right"
        )
        lesser = min(left, right, key=lambda side: side.value)
        return Finding(decide_shape(values), measured, lesser, **sample_counts(rows))


_shape_claim(
    "C1",
    "fid",
    "{tier.fid} of SDM against s is U-shaped on CIFAR-10, over seeds",
    "U-shaped",
    "section 3 and Figure 2a, stated",
    "FID at the end minus FID inside",
)
_shape_claim(
    "C9",
    "f_score",
    "F-score against s is parabolic",
    "a maximum inside",
    "section 3 and Figure 2f, stated: parabolic up to a point",
    "F-score inside minus F-score at the end",
)


def _optimum_claim(
    id: str,
    statement: str,
    best: float,
    where: str,
    experiment: str,
    metric: str = "fid",
    level: str = "",
    note: str = "",
    tier: Tier = PAPER,
) -> None:
    """Register that the optimum of a score lies within a grid step of the published one, `best`."""
    low, high = best - tier.step, best + tier.step

    @claim(
        id,
        source=SDM,
        statement=statement,
        published=f"s about {best}{level}",
        where=where,
        criterion=f"95 % interval of the optimum, over seeds, within {low:.1f} to {high:.1f} (ours: a step "
        f"of the {tier.grid} grid), and the score surely worse at both ends of the grid{note}",
        tiers=[tier],
    )
    def near(evidence: Evidence) -> Finding:
        rows = evidence.curve(experiment, metric=metric)
        strengths, values = turned_curves(rows, metric)
        decision, found = decide_optimum(strengths, values, low, high)
        there = abs(float(np.interp(found.value, strengths, values.mean(0))))
        measured = f"s = {found.value:.2f}, {metric.upper()} {there:.4g} there"
        return Finding(decision, measured, found, **sample_counts(rows))


for scale in BOTH:
    _optimum_claim(
        "C2",
        "optimum of FID on CIFAR-10",
        -0.4,
        "section 3, stated",
        "cifar10_sdm",
        level=", FID 33.6",
        note="; the FID itself depends on the number of epochs, which the paper does not name",
        tier=scale,
    )
_optimum_claim("C4", "optimum of the Inception Score", -0.3, "section 3, stated", "cifar10_variants", "is")
_optimum_claim("C6", "optimum on CIFAR-100", -0.3, "section 3, stated", "cifar100_sdm")
_optimum_claim("C7", "optimum on CelebA-64", -0.2, "section 3, stated", "celeba64_sdm")


@claim(
    "C3",
    source=SDM,
    statement="gain of s = -0.4 over the DDPM baseline",
    published="FID 39.8 to 33.6, about 15 %",
    where="abstract and section 3, stated",
    criterion="95 % interval of the relative gain, seed by seed, above 7.5 % (ours: half of the published)",
    tiers=BOTH,
)
def _gain(evidence: Evidence) -> Finding:
    rows = evidence.curve("cifar10_sdm")
    base, best = by_seed(rows, 0.0), by_seed(rows, -0.4)
    gain = relative_gain(base, best)
    levels = f"FID {base[0].mean():.4g} at s = 0, {best[0].mean():.4g} at s = -0.4"
    measured = f"{levels}: gain {gain.value:.1f} %"
    return Finding(decide_by_interval(gain, LEAST_GAIN, np.inf), measured, gain, **sample_counts(rows))


@claim(
    "C5",
    source=SDM,
    statement="SDM is better than HDM under mild antisqueezing",
    published="lower FID",
    where="section 3 and Figure 2b, stated, of one seed",
    criterion="95 % interval, over seeds, of each seed's FID(HDM) - FID(SDM), mean of s = {tier.mild_range} "
    "in steps of {tier.step} (ours), above 0",
    tiers=BOTH,
)
def _better_than_hdm(evidence: Evidence) -> Finding:
    tier, both = evidence.tier, (evidence.curve("cifar10_variants", noise) for noise in ("sdm", "hdm"))
    sdm, hdm = of_common_seeds(*both)
    if not set(tier.mild) <= set(sdm.strength.round(2)) & set(hdm.strength.round(2)):
        name = tier.experiment("cifar10_variants", "hdm")
        raise NotRun(f"experiment {name} with strengths of {tier.mild_range} in steps of {tier.step}")
    ours, theirs = (_mean_of_mild(rows, tier.mild) for rows in (sdm, hdm))
    interval = paired_difference(theirs, ours)
    measured = f"FID of HDM minus that of SDM, mean of s = {tier.mild_range}: {interval.value:.3g}"
    return Finding(decide_by_interval(interval, 0, np.inf), measured, interval, **sample_counts(sdm))


def _mean_of_mild(rows: pd.DataFrame, mild: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Each seed's mean over the mild strengths, and the error of its images."""
    values, errors = zip(*(by_seed(rows, s) for s in mild), strict=True)
    return np.mean(values, axis=0), np.sqrt(np.square(errors).sum(0)) / len(mild)


def decide_trade_off(strengths: np.ndarray, recall: np.ndarray, precision: np.ndarray) -> Decision:
    """Whether recall (..., K, S) falls and precision rises with the strength."""
    falls, climbs = (student(slopes(strengths, values)) for values in (recall, precision))
    return combine(decide_by_interval(falls, -np.inf, 0), decide_by_interval(climbs, 0, np.inf))


@claim(
    "C8",
    source=SDM,
    statement="antisqueezing raises recall for a small loss of precision, squeezing the reverse",
    published="recall falls, precision rises with s",
    where="section 3 and Figure 2f, stated",
    criterion="95 % intervals of both slopes, over seeds, on their side of 0",
    tiers=BOTH,
)
def trade_off(evidence: Evidence) -> Finding:
    """Whether recall falls and precision rises with s."""
    curves = {}
    for metric in ("recall", "precision"):
        rows = evidence.curve("cifar10_sdm", metric=metric)
        strengths, curves[metric] = seed_curves(rows, metric)
    found = {metric: student(slopes(strengths, values)) for metric, values in curves.items()}
    texts = ", ".join(f"{metric} {slope.value:+.3g} {slope.ends}" for metric, slope in found.items())
    decision = decide_trade_off(strengths, **curves)
    return Finding(decision, f"slopes against s: {texts}", found["recall"], **sample_counts(rows))


@claim(
    "C10",
    source=SDM,
    statement="the principal colour axis is luminance",
    published="v along (1, 1, 1)",
    where="section 2, stated",
    criterion="cosine to (1, 1, 1)/sqrt 3 at least 0.99 (ours), on every whole data set of the papers in "
    "colour",
)
def _luminance(evidence: Evidence) -> Finding:
    axes = {name: pca["axes"] for name, pca in evidence.full_dataset_tables("pca").items()}
    cosines = {name: abs(sum(v[0])) / np.sqrt(3) for name, v in axes.items() if len(v) == 3}
    if not cosines:
        raise NotRun("the PCA of a whole data set of the papers in colour")
    lowest = min(cosines.values())
    measured = ", ".join(f"{name} {cosine:.5f}" for name, cosine in cosines.items())
    interval = Interval(lowest, lowest, lowest)
    note = "computed from every training pixel, so there is no interval"
    return Finding(decide_exactly(lowest >= LEAST_COSINE), f"cosine: {measured}", interval, note=note)


@claim(
    "C11",
    source=SDM,
    statement="the drift of a step is negligible, for 1000 and for 50 steps",
    published="about 2e-5 and 4e-4 times s0/beta_max, which is 4e-4 and 8e-3 for s0 = 0.4",
    where="section 2 and appendix B.2, derived",
    criterion="S_t^-1 S_(t-1) within 0.01 (ours) of I at every step, |s| up to 0.4",
)
def _negligible_drift(evidence: Evidence) -> Finding:
    tables = evidence["drift"].values()
    table = pd.concat(tables) if tables else pd.DataFrame(columns=["steps"])
    if not {50, 1000} <= set(table.steps):
        raise NotRun("a figure of the kind drift with 50 and 1000 steps")
    evidence.require_published_theory()
    table = table[(table.noise == "sdm") & (table.strength.abs() <= 0.4 + ROUNDING)]
    if not np.isclose(table.strength, -0.4).any():
        raise NotRun("a figure of the kind drift with strength -0.4")
    largest = table.deviation.abs().groupby(table.steps).max()
    total = table.groupby("steps").accumulated.agg(["min", "max"]).loc[50]
    worst = float(largest[[50, 1000]].max())
    measured = ", ".join(f"{steps} steps: {largest[steps]:.2g} a step" for steps in (1000, 50))
    note = f"but all of 50 steps together add up to between {total['min']:.2g} and {total['max']:.2g}"
    interval = Interval(worst, worst, worst)
    return Finding(decide_exactly(worst <= LARGEST_DRIFT), measured, interval, note=note)


@claim(
    "C12",
    source=SDM,
    statement="images of s = -0.4 from the same noise look sharper",
    published="pictures of one seed",
    where="section 3 and Figure 3, stated",
    criterion="95 % interval, over seeds, of the mean change of gradient energy (ours) above 0",
    tiers=BOTH,
)
def _sharper(evidence: Evidence) -> Finding:
    evidence.curve("cifar10_sdm")
    name = evidence.tier.experiment("cifar10_sdm")
    if name not in evidence["sharpness"]:
        raise NotRun(f"a figure of the kind sample_grids of experiment {name}")
    rows = published_sampler(evidence["sharpness"][name])
    table = rows.pivot_table(index="seed", columns="strength", values="energy")
    if not {0.0, -0.4} <= set(table.columns):
        raise NotRun("a figure of the kind sample_grids with strengths 0 and -0.4")
    change = over_seeds(100 * (table[-0.4] / table[0.0] - 1).to_numpy())
    measured = f"gradient energy of the luminance, same noise: {change.value:+.1f} %"
    note = "a number in place of a look at fig3; noise counts as sharpness too"
    counts = {"images": rows.image.nunique(), "seeds": len(table)}
    return Finding(decide_by_interval(change, 0, np.inf), measured, change, **counts, note=note)
