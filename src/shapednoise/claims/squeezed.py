"""The claims of the SDM paper, C1 to C12, and how each is decided."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from shapednoise.analysis.curve import Interval, QuadraticFit, mean_curve, quadratic_fit, slope
from shapednoise.claims.evidence import Evidence, NotRun, by_seed, published_sampler, students
from shapednoise.claims.verdicts import Finding, all_of, sure, within
from shapednoise.metrics.registry import METRICS

TOLERANCE = 0.1  # of an optimum read off a figure whose strengths are 0.1 apart
LEAST_COSINE = 0.99
LARGEST_DRIFT = 0.01
MILD = (-0.4, -0.3, -0.2, -0.1)  # strengths of mild antisqueezing
EPSILON = 1e-9


def fit_of(rows: pd.DataFrame, metric: str = "fid", seed: int = 0) -> QuadraticFit:
    """The quadratic fit of a curve. Raises NotRun for fewer than three strengths."""
    fit = quadratic_fit(mean_curve(rows, metric, seed=seed), METRICS[metric].lower_is_better)
    if fit is None:
        raise NotRun("three strengths or more")
    return fit


def optimum_of(fit: QuadraticFit) -> Interval:
    """The optimum, open where its interval reaches an end of the measured range: it may lie beyond."""
    found = fit.optimum
    low = -np.inf if found.low <= fit.low else found.low
    high = np.inf if found.high >= fit.high else found.high
    return Interval(found.value, low, high)


def share(value: float) -> str:
    """A share of resamples in words; NaN where there are none."""
    return "an unknown share" if np.isnan(value) else f"{value:.1%}"


def numbers(rows: pd.DataFrame) -> dict[str, int]:
    """How many images a sample set and how many seeds a curve has."""
    return {"images": int(rows.generated_images.iloc[0]), "seeds": int(rows.seed.nunique())}


def u_shaped(evidence: Evidence) -> Finding:
    """C1: the quadratic term is positive and the minimum lies inside the grid."""
    rows = evidence.curve("cifar10_sdm")
    fit = fit_of(rows)
    convex, interior = share(fit.prob_convex), share(fit.prob_interior)
    measured = f"U-shaped in {convex} of resamples, with the minimum inside in {interior}"
    return Finding(sure(fit.prob_interior), measured, fit.curvature, **numbers(rows))


def optimum_near(experiment: str, metric: str, published: float) -> Callable[[Evidence], Finding]:
    """C2, C4, C6, C7: the fitted optimum lies within a grid step of the published one."""

    def judge(evidence: Evidence) -> Finding:
        rows = evidence.curve(experiment, metric=metric)
        fit = fit_of(rows, metric)
        optimum = optimum_of(fit)
        verdict = within(optimum, published - TOLERANCE - EPSILON, published + TOLERANCE + EPSILON)
        measured = f"s = {optimum.value:.2f}, {metric.upper()} {fit(optimum.value):.4g} there"
        return Finding(verdict, measured, optimum, **numbers(rows))

    return judge


def gain(evidence: Evidence) -> Finding:
    """C3: the gain of s = -0.4 over the baseline, in per cent of the baseline, seed by seed."""
    rows = evidence.curve("cifar10_sdm")
    (base, base_errors), (best, best_errors) = by_seed(rows, 0.0), by_seed(rows, -0.4)
    gains = 100 * (1 - best / base)
    interval = students(gains, 100 * np.hypot(base_errors * best / base, best_errors) / base)
    levels = f"FID {base.mean():.4g} at s = 0, {best.mean():.4g} at s = -0.4"
    measured = f"{levels}: gain {gains.mean():.1f} %"
    return Finding(within(interval, 10, 20), measured, interval, **numbers(rows))


def matches_heisenberg(evidence: Evidence) -> Finding:
    """C5: FID(HDM) - FID(SDM) is above 0 on average over mild antisqueezing.

    Its interval is Student's over the strengths, whose models are trained independently, so that it
    holds for the paper's single seed too.
    """
    sdm, hdm = (evidence.curve("cifar10_variants", noise) for noise in ("sdm", "hdm"))
    if not set(MILD) <= set(sdm.strength.round(2)) & set(hdm.strength.round(2)):
        raise NotRun("experiment cifar10_variants with strengths of -0.4 to -0.1 in steps of 0.1")
    pairs = [(by_seed(hdm, s), by_seed(sdm, s)) for s in MILD]
    differences = [theirs[0].mean() - ours[0].mean() for theirs, ours in pairs]
    errors = [np.sqrt((theirs[1] ** 2 + ours[1] ** 2).mean() / len(ours[1])) for theirs, ours in pairs]
    interval = students(np.array(differences), np.array(errors))
    measured = f"FID of HDM minus that of SDM, mean of s = -0.4 to -0.1: {interval.value:.3g}"
    return Finding(within(interval, 0, np.inf), measured, interval, **numbers(sdm))


def trade_off(evidence: Evidence) -> Finding:
    """C8: recall falls and precision rises with s."""
    verdicts, found = [], {}
    for metric, low, high in (("recall", -np.inf, 0), ("precision", 0, np.inf)):
        rows = evidence.curve("cifar10_sdm", metric=metric)
        found[metric] = slope(mean_curve(rows, metric))
        verdicts.append(within(found[metric], low, high))
    texts = (f"{metric} {s.value:+.3g} {s.ends}" for metric, s in found.items())
    return Finding(
        all_of(*verdicts), f"slopes against s: {', '.join(texts)}", found["recall"], **numbers(rows)
    )


def arched_f_score(evidence: Evidence) -> Finding:
    """C9: the F-score has a maximum inside the grid."""
    rows = evidence.curve("cifar10_sdm", metric="f_score")
    fit = fit_of(rows, "f_score")
    measured = (
        f"arched in {share(fit.prob_convex)} of resamples, "
        f"with the maximum inside in {share(fit.prob_interior)}, at s = {fit.optimum.value:.2f}"
    )
    return Finding(sure(fit.prob_interior), measured, fit.curvature, **numbers(rows))


def luminance(evidence: Evidence) -> Finding:
    """C10: v and (1, 1, 1)/sqrt 3 point the same way."""
    pca = {name: found for name, found in evidence.whole("pca").items() if len(found["axes"]) == 3}
    if not pca:
        raise NotRun("the PCA of a whole data set of the papers in colour")
    cosines = {name: abs(sum(found["axes"][0])) / np.sqrt(3) for name, found in pca.items()}
    lowest = min(cosines.values())
    measured = ", ".join(f"{name} {cosine:.5f}" for name, cosine in cosines.items())
    note = "computed from every training pixel, so there is no interval"
    interval = Interval(lowest, lowest, lowest)
    verdict = within(interval, LEAST_COSINE, 1 + EPSILON)
    return Finding(verdict, f"cosine: {measured}", interval, note=note)


def negligible_drift(evidence: Evidence) -> Finding:
    """C11: no step's S_t^-1 S_(t-1) is further from I than one per cent, for |s| up to 0.4."""
    table = evidence.drift
    if table is None or not {50, 1000} <= set(table.steps):
        raise NotRun("a figure of the kind drift with 50 and 1000 steps")
    evidence.theory_as_published()
    table = table[(table.noise == "sdm") & (table.strength.abs() <= 0.4 + EPSILON)]
    if not np.isclose(table.strength, -0.4).any():
        raise NotRun("a figure of the kind drift with strength -0.4")
    largest = table.assign(size=table.deviation.abs()).groupby("steps")["size"].max()
    total = table.assign(size=table.accumulated.abs()).groupby("steps")["size"].max()
    worst = float(largest[[50, 1000]].max())
    measured = ", ".join(f"{steps} steps: {largest[steps]:.2g} a step" for steps in (1000, 50))
    note = f"but all steps together add up to {total[50]:.2g} (50 steps) and {total[1000]:.2g} (1000 steps)"
    interval = Interval(worst, worst, worst)
    return Finding(within(interval, 0, LARGEST_DRIFT), measured, interval, note=note)


def sharper(evidence: Evidence) -> Finding:
    """C12: images of s = -0.4 have more gradient energy than those of s = 0 from the same noise."""
    evidence.curve("cifar10_sdm")
    if "cifar10_sdm" not in evidence.sharpness:
        raise NotRun("a figure of the kind sample_grids of experiment cifar10_sdm")
    rows = published_sampler(evidence.sharpness["cifar10_sdm"]).drop_duplicates(["image", "strength"])
    table = rows.pivot(index="image", columns="strength", values="energy")
    if not {0.0, -0.4} <= set(table.columns):
        raise NotRun("a figure of the kind sample_grids with strengths 0 and -0.4")
    change = 100 * (table[-0.4] - table[0.0]) / table[0.0].mean()
    half = 1.96 * float(change.std() / np.sqrt(len(change)))
    interval = Interval(float(change.mean()), float(change.mean()) - half, float(change.mean()) + half)
    measured = f"gradient energy of the luminance, same noise: {interval.value:+.1f} %"
    note = "a number in place of a look at fig3; noise counts as sharpness too; one model each"
    return Finding(within(interval, 0, np.inf), measured, interval, images=len(change), seeds=1, note=note)
