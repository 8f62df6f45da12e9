"""The claims of the SDM paper, C1 to C12."""

import numpy as np
import pandas as pd

from shapednoise.analysis.curve import Interval, mean_curve, slope
from shapednoise.claims.estimates import by_seed, fit_of, optimum_of, sample_counts, t_interval
from shapednoise.claims.evidence import Evidence, NotRun, published_sampler
from shapednoise.claims.registry import (
    SDM,
    Finding,
    claim,
    combine,
    decide_by_interval,
    decide_by_probability,
)

TOLERANCE = 0.1  # of an optimum read off a figure whose strengths are 0.1 apart
LEAST_COSINE = 0.99
LARGEST_DRIFT = 0.01
MILD = (-0.4, -0.3, -0.2, -0.1)  # strengths of mild antisqueezing
EPSILON = 1e-9


@claim(
    "C1",
    source=SDM,
    statement="FID-10K of SDM against s is U-shaped on CIFAR-10, over seeds",
    published="U-shaped",
    criterion="quadratic fit convex with its minimum inside the grid in at least 97.5 % of resamples",
)
def _u_shaped(evidence: Evidence) -> Finding:
    rows = evidence.curve("cifar10_sdm")
    fit = fit_of(rows)
    bends, inside = _percent(fit.prob_convex), _percent(fit.prob_interior)
    measured = f"U-shaped in {bends} of resamples, with the minimum inside in {inside}"
    return Finding(decide_by_probability(fit.prob_interior), measured, fit.curvature, **sample_counts(rows))


def _optimum_claim(
    id: str,
    statement: str,
    best: float,
    experiment: str,
    metric: str = "fid",
    level: str = "",
    note: str = "",
) -> None:
    """Register that the fitted optimum of a score lies within a grid step of the published one, `best`."""
    low, high = best - TOLERANCE, best + TOLERANCE

    @claim(
        id,
        source=SDM,
        statement=statement,
        published=f"s about {best}{level}",
        criterion=f"95 % interval of the fitted optimum within {low:.1f} to {high:.1f}{note}",
    )
    def near(evidence: Evidence) -> Finding:
        rows = evidence.curve(experiment, metric=metric)
        fit = fit_of(rows, metric)
        optimum = optimum_of(fit)
        verdict = decide_by_interval(optimum, low - EPSILON, high + EPSILON)
        measured = f"s = {optimum.value:.2f}, {metric.upper()} {fit(optimum.value):.4g} there"
        return Finding(verdict, measured, optimum, **sample_counts(rows))


_optimum_claim(
    "C2",
    "its minimum",
    -0.4,
    "cifar10_sdm",
    level=", FID 33.6",
    note="; the FID itself depends on the number of epochs, which the paper does not name",
)
_optimum_claim("C4", "optimum of the Inception Score", -0.3, "cifar10_variants", "is")
_optimum_claim("C6", "optimum on CIFAR-100", -0.3, "cifar100_sdm")
_optimum_claim("C7", "optimum on CelebA-64", -0.2, "celeba64_sdm")


@claim(
    "C3",
    source=SDM,
    statement="gain of s = -0.4 over the DDPM baseline",
    published="FID 39.8 to 33.6, about 15 %",
    criterion="95 % interval of the relative gain, seed by seed, within 10 to 20 %",
)
def _gain(evidence: Evidence) -> Finding:
    rows = evidence.curve("cifar10_sdm")
    (base, base_errors), (best, best_errors) = by_seed(rows, 0.0), by_seed(rows, -0.4)
    gains = 100 * (1 - best / base)
    interval = t_interval(gains, 100 * np.hypot(base_errors * best / base, best_errors) / base)
    levels = f"FID {base.mean():.4g} at s = 0, {best.mean():.4g} at s = -0.4"
    measured = f"{levels}: gain {gains.mean():.1f} %"
    return Finding(decide_by_interval(interval, 10, 20), measured, interval, **sample_counts(rows))


@claim(
    "C5",
    source=SDM,
    statement="SDM is better than HDM under mild antisqueezing",
    published="lower FID",
    criterion="95 % interval of FID(HDM) - FID(SDM), mean of s = -0.4 to -0.1 in steps of 0.1, above 0",
)
def _better_than_hdm(evidence: Evidence) -> Finding:
    """The interval is Student's over the strengths, whose models are trained independently, so that it
    holds for the paper's single seed too.
    """
    sdm, hdm = (evidence.curve("cifar10_variants", noise) for noise in ("sdm", "hdm"))
    if not set(MILD) <= set(sdm.strength.round(2)) & set(hdm.strength.round(2)):
        raise NotRun("experiment cifar10_variants with strengths of -0.4 to -0.1 in steps of 0.1")
    pairs = [(by_seed(hdm, s), by_seed(sdm, s)) for s in MILD]
    differences = [theirs[0].mean() - ours[0].mean() for theirs, ours in pairs]
    errors = [np.sqrt((theirs[1] ** 2 + ours[1] ** 2).mean() / len(ours[1])) for theirs, ours in pairs]
    interval = t_interval(np.array(differences), np.array(errors))
    measured = f"FID of HDM minus that of SDM, mean of s = -0.4 to -0.1: {interval.value:.3g}"
    return Finding(decide_by_interval(interval, 0, np.inf), measured, interval, **sample_counts(sdm))


@claim(
    "C8",
    source=SDM,
    statement="antisqueezing raises recall for a small loss of precision, squeezing the reverse",
    published="recall falls, precision rises with s",
    criterion="95 % intervals of both slopes on their side of 0",
)
def _trade_off(evidence: Evidence) -> Finding:
    verdicts, slopes = [], {}
    for metric, low, high in (("recall", -np.inf, 0), ("precision", 0, np.inf)):
        rows = evidence.curve("cifar10_sdm", metric=metric)
        slopes[metric] = slope(mean_curve(rows, metric))
        verdicts.append(decide_by_interval(slopes[metric], low, high))
    texts = ", ".join(f"{metric} {s.value:+.3g} {s.ends}" for metric, s in slopes.items())
    measured = f"slopes against s: {texts}"
    return Finding(combine(*verdicts), measured, slopes["recall"], **sample_counts(rows))


@claim(
    "C9",
    source=SDM,
    statement="F-score against s is parabolic",
    published="a maximum inside",
    criterion="quadratic fit concave with its maximum inside the grid in at least 97.5 % of resamples",
)
def _arched_f_score(evidence: Evidence) -> Finding:
    rows = evidence.curve("cifar10_sdm", metric="f_score")
    fit = fit_of(rows, "f_score")
    bends, inside = _percent(fit.prob_convex), _percent(fit.prob_interior)
    shape = f"arched in {bends} of resamples, with the maximum inside in {inside}"
    measured = f"{shape}, at s = {fit.optimum.value:.2f}"
    return Finding(decide_by_probability(fit.prob_interior), measured, fit.curvature, **sample_counts(rows))


@claim(
    "C10",
    source=SDM,
    statement="the principal colour axis is luminance",
    published="v along (1, 1, 1)",
    criterion="cosine to (1, 1, 1)/sqrt 3 at least 0.99 on every whole data set of the papers in colour",
)
def _luminance(evidence: Evidence) -> Finding:
    axes = {name: pca["axes"] for name, pca in evidence.full_dataset_tables("pca").items()}
    cosines = {name: abs(sum(v[0])) / np.sqrt(3) for name, v in axes.items() if len(v) == 3}
    if not cosines:
        raise NotRun("the PCA of a whole data set of the papers in colour")
    lowest = min(cosines.values())
    measured = ", ".join(f"{name} {cosine:.5f}" for name, cosine in cosines.items())
    interval = Interval(lowest, lowest, lowest)
    verdict = decide_by_interval(interval, LEAST_COSINE, 1 + EPSILON)
    note = "computed from every training pixel, so there is no interval"
    return Finding(verdict, f"cosine: {measured}", interval, note=note)


@claim(
    "C11",
    source=SDM,
    statement="the drift of a step is negligible, for 1000 and for 50 steps",
    published="about 2e-5 and 4e-4 times s0/beta_max",
    criterion="S_t^-1 S_(t-1) within 0.01 of I at every step, |s| up to 0.4",
)
def _negligible_drift(evidence: Evidence) -> Finding:
    tables = evidence["drift"].values()
    table = pd.concat(tables) if tables else pd.DataFrame(columns=["steps"])
    if not {50, 1000} <= set(table.steps):
        raise NotRun("a figure of the kind drift with 50 and 1000 steps")
    evidence.require_published_theory()
    table = table[(table.noise == "sdm") & (table.strength.abs() <= 0.4 + EPSILON)]
    if not np.isclose(table.strength, -0.4).any():
        raise NotRun("a figure of the kind drift with strength -0.4")
    largest = table.deviation.abs().groupby(table.steps).max()
    total = table.accumulated.abs().groupby(table.steps).max()
    worst = float(largest[[50, 1000]].max())
    measured = ", ".join(f"{steps} steps: {largest[steps]:.2g} a step" for steps in (1000, 50))
    note = f"but all steps together add up to {total[50]:.2g} (50 steps) and {total[1000]:.2g} (1000 steps)"
    interval = Interval(worst, worst, worst)
    return Finding(decide_by_interval(interval, 0, LARGEST_DRIFT), measured, interval, note=note)


@claim(
    "C12",
    source=SDM,
    statement="images of s = -0.4 from the same noise look sharper",
    published="Figure 3",
    criterion="95 % interval of the paired change of gradient energy above 0",
)
def _sharper(evidence: Evidence) -> Finding:
    evidence.curve("cifar10_sdm")
    if "cifar10_sdm" not in evidence["sharpness"]:
        raise NotRun("a figure of the kind sample_grids of experiment cifar10_sdm")
    rows = published_sampler(evidence["sharpness"]["cifar10_sdm"]).drop_duplicates(["image", "strength"])
    table = rows.pivot(index="image", columns="strength", values="energy")
    if not {0.0, -0.4} <= set(table.columns):
        raise NotRun("a figure of the kind sample_grids with strengths 0 and -0.4")
    change = 100 * (table[-0.4] - table[0.0]) / table[0.0].mean()
    mean, half = float(change.mean()), 1.96 * float(change.std() / np.sqrt(len(change)))
    interval = Interval(mean, mean - half, mean + half)
    verdict = decide_by_interval(interval, 0, np.inf)
    measured = f"gradient energy of the luminance, same noise: {mean:+.1f} %"
    note = "a number in place of a look at fig3; noise counts as sharpness too; one model each"
    return Finding(verdict, measured, interval, images=len(change), seeds=1, note=note)


def _percent(share: float) -> str:
    """A share of resamples in words; NaN where there are none."""
    return "an unknown share" if np.isnan(share) else f"{share:.1%}"
