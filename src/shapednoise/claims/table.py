"""The table of claims: what each paper says, what this run has measured, and the verdict.

A claim is decided by code from the run's tables alone; nothing is typed in. Where the measured
interval straddles the criterion the verdict is `inconclusive`; where what it needs was not run, or
not under the published hyperparameters, it is `not run`, with what is missing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from shapednoise.analysis.curve import Interval
from shapednoise.claims.evidence import Evidence, NotRun
from shapednoise.claims.predictions import (
    better_sampler,
    flat_when_exact,
    optimum_moves,
    theory_moves,
    theory_ranks,
)
from shapednoise.claims.spectral import power_law, score_limit, selective_omission
from shapednoise.claims.squeezed import (
    arched_f_score,
    gain,
    luminance,
    matches_heisenberg,
    negligible_drift,
    optimum_near,
    sharper,
    trade_off,
    u_shaped,
)
from shapednoise.claims.verdicts import NOT_RUN, Finding

SDM, SAGD, OURS = "SDM", "SAGD", "this project"


@dataclass(frozen=True)
class Claim:
    """A claim, what was published, when it counts as reproduced, and the function that decides."""

    id: str
    source: str
    statement: str
    published: str
    criterion: str
    judge: Callable[[Evidence], Finding]


CLAIMS = (
    Claim(
        "C1",
        SDM,
        "FID-10K of SDM against s is U-shaped on CIFAR-10, over seeds",
        "U-shaped",
        "quadratic fit convex with its minimum inside the grid in at least 97.5 % of resamples",
        u_shaped,
    ),
    Claim(
        "C2",
        SDM,
        "its minimum",
        "s about -0.4, FID 33.6",
        "95 % interval of the fitted optimum within -0.5 to -0.3; the FID itself depends on the number of "
        "epochs, which the paper does not name",
        optimum_near("cifar10_sdm", "fid", -0.4),
    ),
    Claim(
        "C3",
        SDM,
        "gain of s = -0.4 over the DDPM baseline",
        "FID 39.8 to 33.6, about 15 %",
        "95 % interval of the relative gain, seed by seed, within 10 to 20 %",
        gain,
    ),
    Claim(
        "C4",
        SDM,
        "optimum of the Inception Score",
        "s about -0.3",
        "95 % interval of the fitted optimum within -0.4 to -0.2",
        optimum_near("cifar10_variants", "is", -0.3),
    ),
    Claim(
        "C5",
        SDM,
        "SDM is better than HDM under mild antisqueezing",
        "lower FID",
        "95 % interval of FID(HDM) - FID(SDM), mean of s = -0.4 to -0.1 in steps of 0.1, above 0",
        matches_heisenberg,
    ),
    Claim(
        "C6",
        SDM,
        "optimum on CIFAR-100",
        "s about -0.3",
        "95 % interval of the fitted optimum within -0.4 to -0.2",
        optimum_near("cifar100_sdm", "fid", -0.3),
    ),
    Claim(
        "C7",
        SDM,
        "optimum on CelebA-64",
        "s about -0.2",
        "95 % interval of the fitted optimum within -0.3 to -0.1",
        optimum_near("celeba64_sdm", "fid", -0.2),
    ),
    Claim(
        "C8",
        SDM,
        "antisqueezing raises recall for a small loss of precision, squeezing the reverse",
        "recall falls, precision rises with s",
        "95 % intervals of both slopes on their side of 0",
        trade_off,
    ),
    Claim(
        "C9",
        SDM,
        "F-score against s is parabolic",
        "a maximum inside",
        "quadratic fit concave with its maximum inside the grid in at least 97.5 % of resamples",
        arched_f_score,
    ),
    Claim(
        "C10",
        SDM,
        "the principal colour axis is luminance",
        "v along (1, 1, 1)",
        "cosine to (1, 1, 1)/sqrt 3 at least 0.99 on every whole data set of the papers in colour",
        luminance,
    ),
    Claim(
        "C11",
        SDM,
        "the drift of a step is negligible, for 1000 and for 50 steps",
        "about 2e-5 and 4e-4 times s0/beta_max",
        "S_t^-1 S_(t-1) within 0.01 of I at every step, |s| up to 0.4",
        negligible_drift,
    ),
    Claim(
        "C12",
        SDM,
        "images of s = -0.4 from the same noise look sharper",
        "Figure 3",
        "95 % interval of the paired change of gradient energy above 0",
        sharper,
    ),
    Claim(
        "S1",
        SAGD,
        "power-law noise beats white noise on several data sets, and the best exponent depends on the data",
        "MNIST: best at -0.06; CIFAR-10: near 0",
        "the interval of the optimum leaves out 0 on two data sets or more, and two intervals lie apart",
        power_law,
    ),
    Claim(
        "S2",
        SAGD,
        "noise without support in a corrupted band recovers the clean data better, for each of 8 bands",
        "lower FID to the clean data",
        "95 % interval of FID(isotropic) - FID(without the band) above 0 in each band",
        selective_omission,
    ),
    Claim(
        "S3",
        SAGD,
        "with full support the learned score tends to the data score as t tends to 0",
        "a proof",
        "relative error on Gaussian data falls with the noise at every level, and below 0.01",
        score_limit,
    ),
    Claim(
        "X0",
        OURS,
        "closed form: the optimum for 50 published steps lies below 0, inside, and tends to 0 with the steps",
        "a prediction: -0.7, -0.4, -0.2, 0 for 50, 100, 250, 1000 steps on CIFAR-10",
        "so on every data set computed, to half a grid step",
        theory_moves,
    ),
    Claim(
        "X1",
        OURS,
        "measured: the optimum of FID moves towards 0 from 50 to 1000 steps",
        "a prediction",
        "95 % intervals: optimum for 50 steps below 0, that for 1000 steps nearer to 0",
        optimum_moves,
    ),
    Claim(
        "X2",
        OURS,
        "measured: under `exact`, FID at s = -0.4 and at 0 differ by less than seeds do",
        "a prediction",
        "95 % interval of the paired difference within the lower 95 % limit of the deviation over seeds",
        flat_when_exact,
    ),
    Claim(
        "X3",
        OURS,
        "measured: a better 50-step sampler at s = 0 gains at least what s = -0.4 gains",
        "a prediction",
        "95 % interval of FID(-0.4, published) - FID(0, best other sampler) above 0",
        better_sampler,
    ),
    Claim(
        "X4",
        OURS,
        "the closed form ranks the measured FIDs over strength, steps and reading",
        "a prediction",
        "95 % interval of Spearman's correlation above 0.7",
        theory_ranks,
    ),
)


def claims_table(evidence: Evidence, claims: Sequence[Claim] = CLAIMS) -> pd.DataFrame:
    """A row a claim: id, source, statement, published, measured, value, low, high (95 %), images,
    seeds, verdict, criterion, note. What is missing of a claim that was not run is in `note`.
    """
    return pd.DataFrame([_row(claim, _judged(claim, evidence)) for claim in claims])


def _judged(claim: Claim, evidence: Evidence) -> Finding:
    try:
        return claim.judge(evidence)
    except NotRun as missing:
        return Finding(NOT_RUN, note=f"missing: {missing}")


def _row(claim: Claim, finding: Finding) -> dict[str, object]:
    interval = finding.interval
    return {
        "id": claim.id,
        "source": claim.source,
        "statement": claim.statement,
        "published": claim.published,
        "measured": finding.measured,
        "value": interval and interval.value,
        "low": interval and interval.low,
        "high": interval and interval.high,
        "images": finding.images,
        "seeds": finding.seeds,
        "verdict": finding.verdict,
        "criterion": claim.criterion,
        "note": finding.note,
    }


def claims_markdown(claims: pd.DataFrame, hyperparameters: pd.DataFrame) -> str:
    """The tables of claims and of hyperparameters as Markdown, differences marked."""
    lines = ["# Claims", "", _summary(claims), "", *_rows_of_claims(claims), "", "## How each is decided", ""]
    for _, row in claims.iterrows():
        note = f" {row.note[0].upper()}{row.note[1:]}." if row.note else ""
        lines.append(f"- **{row.id}** {row.criterion}.{note}")
    lines += [
        "",
        "## Hyperparameters of the run beside the published ones",
        "",
        *_rows_of_run(hyperparameters),
    ]
    return "\n".join(lines) + "\n"


def _summary(claims: pd.DataFrame) -> str:
    counts = claims.verdict.value_counts()
    return ", ".join(f"{count} {verdict}" for verdict, count in counts.items()) + "."


def _rows_of_claims(claims: pd.DataFrame) -> list[str]:
    head = ["id", "claim", "published", "measured", "95 % interval", "n", "seeds", "verdict"]
    lines = [_cells(head), _cells(["---"] * len(head))]
    for _, row in claims.iterrows():
        known = pd.notna(row.low) and row.low != row.high
        interval = f"{row.value:.3g} {Interval(row.value, row.low, row.high).ends}" if known else ""
        counts = [f"{int(count):,}" if pd.notna(count) else "" for count in (row.images, row.seeds)]
        cells = [row.id, row.statement, row.published, row.measured, interval, *counts, f"**{row.verdict}**"]
        lines.append(_cells(cells))
    return lines


def _rows_of_run(table: pd.DataFrame) -> list[str]:
    """What differs, by experiments that differ in the same way; what agrees is counted."""
    if table.empty:
        return ["No experiment was run."]
    lines = [_cells(["experiment", "hyperparameter", "published", "source", "this run"]), _cells(["---"] * 5)]
    for name, rows in table.groupby("experiment", sort=False):
        for _, row in rows[rows.differs].iterrows():
            weight = "" if row.decides else " (does not decide)"
            lines.append(_cells([name, row.key, row.published, row.source, f"**{row.run}**{weight}"]))
        same = int((~rows.differs).sum())
        lines.append(_cells([name, f"the other {same}", "", "", "as published"]))
    return lines


def _cells(texts: Sequence[str]) -> str:
    return "| " + " | ".join(text.replace("|", "\\|") for text in texts) + " |"
