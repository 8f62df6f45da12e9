"""Every claim gets every verdict from tables that deserve it, and nothing without its experiment."""

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from shapednoise.claims.estimates import by_seed, independent_difference, over_seeds
from shapednoise.claims.evidence import Evidence, NotRun
from shapednoise.claims.registry import (
    CLAIMS,
    INCONCLUSIVE,
    NOT_REPRODUCED,
    NOT_RUN,
    OWN_WORDS,
    REPRODUCED,
    Decision,
    all_claims,
    combine,
    decide_by_interval,
)
from shapednoise.claims.table import claims_table
from tests.unit.claims.synthetic import (
    LUMINANCE,
    as_published,
    coarse,
    drift,
    exact,
    of,
    omissions,
    pca,
    power_laws,
    ranked,
    samplers,
    score_limit,
    scores,
    sharp,
    steps_measured,
    theory,
    twice,
    two_scores,
    u,
    variants,
)


def verdict(claim: str, evidence: Evidence) -> str:
    return row(claim, evidence).verdict


def row(claim: str, evidence: Evidence):
    return claims_table(evidence, claims=[CLAIMS[claim]]).iloc[0]


NOTHING = Evidence()
HOLDS, DOES_NOT_HOLD = OWN_WORDS[REPRODUCED], OWN_WORDS[NOT_REPRODUCED]
CASES = [
    ("C1", of(cifar10_sdm=scores(u(-0.4))), REPRODUCED),
    ("C1", of(cifar10_sdm=scores(u(-0.4, -50))), NOT_REPRODUCED),
    ("C1", of(cifar10_sdm=scores(u(2.0))), NOT_REPRODUCED),  # convex, but no minimum inside
    ("C1", of(cifar10_sdm=scores(lambda s: 33 + 6 * np.exp(4 * s), noise=1.0)), INCONCLUSIVE),  # only rises
    ("C1", of(cifar10_sdm=scores(lambda s: 0 * s, noise=1.0, error=1.0)), INCONCLUSIVE),
    ("C1", of(cifar10_sdm=scores(u(-0.4), seeds=(0,))), INCONCLUSIVE),  # one training
    ("C2", of(cifar10_sdm=scores(u(-0.4))), REPRODUCED),
    ("C2", of(cifar10_sdm=scores(u(0.1))), NOT_REPRODUCED),
    ("C2", of(cifar10_sdm=scores(lambda s: 40 + 10 * s)), NOT_REPRODUCED),  # at the end or beyond
    ("C2", of(cifar10_sdm=scores(u(1.0), strengths=[-0.5, -0.4, -0.3])), INCONCLUSIVE),
    ("C2", of(cifar10_sdm=scores(u(-0.4), seeds=(0,))), INCONCLUSIVE),
    ("C2", of(cifar10_sdm=scores(u(-0.4), noise=3.0)), INCONCLUSIVE),
    ("C2", of(cifar10_sdm=scores(u(-0.4), strengths=[-0.4, 0.0])), NOT_RUN),
    ("C3", of(cifar10_sdm=scores(u(-0.4, 37.5))), REPRODUCED),  # 40 to 34
    ("C3", of(cifar10_sdm=scores(u(0.0))), NOT_REPRODUCED),
    ("C3", of(cifar10_sdm=scores(u(-0.4, 37.5), seeds=(0,))), INCONCLUSIVE),
    ("C3", of(cifar10_sdm=scores(u(-0.4, 15.0), noise=1.0)), INCONCLUSIVE),
    ("C4", of(cifar10_variants=scores(lambda s: 8 - 5 * (s + 0.3) ** 2, "is", noise=0.01)), REPRODUCED),
    ("C4", of(cifar10_variants=scores(lambda s: 8 - 5 * (s - 0.2) ** 2, "is", noise=0.01)), NOT_REPRODUCED),
    ("C4", of(cifar10_variants=scores(lambda s: 8 - 5 * (s + 0.2) ** 2, "is", noise=0.1)), INCONCLUSIVE),
    ("C5", variants(1.0), REPRODUCED),
    ("C5", variants(-1.0), NOT_REPRODUCED),
    ("C5", variants(0.1, noise=1.0), INCONCLUSIVE),
    ("C5", variants(1.0, seeds=(42,)), INCONCLUSIVE),
    ("C6", of(cifar100_sdm=scores(u(-0.3))), REPRODUCED),
    ("C6", of(cifar100_sdm=scores(u(0.0))), NOT_REPRODUCED),
    ("C6", of(cifar100_sdm=scores(u(-0.3), seeds=(42,))), INCONCLUSIVE),
    ("C7", of(celeba64_sdm=scores(u(-0.2))), REPRODUCED),
    ("C7", of(celeba64_sdm=scores(u(-0.5))), NOT_REPRODUCED),
    ("C7", of(celeba64_sdm=scores(u(-0.2), noise=1.0)), INCONCLUSIVE),
    ("C8", two_scores(-0.3, 0.1), REPRODUCED),
    ("C8", two_scores(0.3, 0.1), NOT_REPRODUCED),
    ("C8", two_scores(-0.3, 0.001), INCONCLUSIVE),
    (
        "C9",
        of(cifar10_sdm=scores(lambda s: 0.6 - 0.4 * (s + 0.1) ** 2, "f_score", noise=1e-3)),
        REPRODUCED,
    ),
    (
        "C9",
        of(cifar10_sdm=scores(lambda s: 0.6 + 0.4 * (s + 0.1) ** 2, "f_score", noise=1e-3)),
        NOT_REPRODUCED,
    ),
    ("C9", of(cifar10_sdm=scores(lambda s: 0.6 + 0 * s, "f_score", noise=0.1)), INCONCLUSIVE),
    ("C10", pca(cifar10=LUMINANCE), REPRODUCED),
    ("C10", pca(cifar10=LUMINANCE, cifar100=[1.0, 0.0, 0.0]), NOT_REPRODUCED),
    ("C10", pca(cifar10=LUMINANCE, mine=[1.0, 0.0, 0.0]), REPRODUCED),  # of somebody's pictures
    ("C10", pca(mine=LUMINANCE), NOT_RUN),
    ("C11", drift(0.008), REPRODUCED),
    ("C11", drift(0.02), NOT_REPRODUCED),
    ("C12", sharp(0.3), REPRODUCED),
    ("C12", sharp(-0.3), NOT_REPRODUCED),
    ("C12", sharp(-0.01), INCONCLUSIVE),
    ("C12", sharp(0.3, seeds=(0,)), INCONCLUSIVE),
    ("S1", power_laws(-0.06, -0.03, 0.0), REPRODUCED),
    ("S1", power_laws(0.0, 0.0, 0.0), NOT_REPRODUCED),
    ("S1", power_laws(-0.06, 0.0, 0.0), INCONCLUSIVE),
    ("S2", omissions(*[20] * 8), REPRODUCED),
    ("S2", omissions(*[20] * 7, -40), NOT_REPRODUCED),
    ("S2", omissions(*[20] * 7, 0.5), INCONCLUSIVE),
    ("S2", omissions(*[20] * 8, seeds=(0,)), INCONCLUSIVE),
    ("S3", score_limit(0.001), REPRODUCED),
    ("S3", score_limit(0.001, copies=2), REPRODUCED),  # of two figures
    ("S3", score_limit(0.1), NOT_REPRODUCED),
    ("S3", score_limit(0.001, rising=False), NOT_REPRODUCED),
    ("X0", theory(-0.7, -0.4, -0.2, 0.0), HOLDS),
    ("X0", theory(-0.7, -0.7, -0.7, -0.7), DOES_NOT_HOLD),
    ("X0", theory(0.3, 0.2, 0.1, 0.0), DOES_NOT_HOLD),
    ("X1", steps_measured(-0.4, -0.05), HOLDS),
    ("X1", steps_measured(-0.2, -0.4), DOES_NOT_HOLD),
    ("X1", steps_measured(-0.1, 0.3), DOES_NOT_HOLD),  # upwards, but away from 0
    ("X1", steps_measured(-0.4, -0.35, noise=2.0), INCONCLUSIVE),
    ("X2", exact(0.5), HOLDS),
    ("X2", exact(15.0), DOES_NOT_HOLD),
    ("X2", exact(6.0, noise=1.0), INCONCLUSIVE),
    ("X2", exact(0.5, seeds=(0,)), INCONCLUSIVE),
    ("X3", samplers(30.0), HOLDS),
    ("X3", samplers(38.0), DOES_NOT_HOLD),
    ("X3", samplers(34.0, noise=1.0), INCONCLUSIVE),
    ("X4", ranked(1), HOLDS),
    ("X4", ranked(-1), DOES_NOT_HOLD),
    ("X4", ranked(0), INCONCLUSIVE),  # levels fall with the steps as expected, and that is all
    ("X0", coarse(theory(-0.7, -0.4, -0.2, 0.0)), NOT_RUN),
    ("X0", twice(theory(-0.7, -0.4, -0.2, 0.0)), HOLDS),
    *((claim.key, NOTHING, NOT_RUN) for claim in all_claims()),
    ("C11", drift(0.008, strengths=(-0.2,)), NOT_RUN),
    ("C11", drift(0.008, steps=(50,)), NOT_RUN),
    ("S2", of(**dict(list(omissions(*[20] * 8)["scores"].items())[:7])), NOT_RUN),
    ("C2", of(cifar10_sdm=scores(u(-0.4), steps=100)), NOT_RUN),  # not the published sampler
    ("C2", of(cifar10_sdm=pd.concat([scores(u(-0.4))] * 2)), NOT_RUN),  # two sampling seeds
    ("C2", of(cifar10_sdm=scores(u(-0.4)).iloc[1:]), NOT_RUN),  # a strength is missing for a seed
    (
        "C5",
        of(cifar10_variants=variants(1.0)["scores"]["cifar10_variants"].query("strength not in (-0.3,)")),
        NOT_RUN,
    ),
    ("C11", drift(0.0, noise="powerlaw"), NOT_RUN),
    ("C11", drift(0.008, defaults=as_published("theory", differs=True)), NOT_RUN),
    ("C12", sharp(0.3, steps=1000), NOT_RUN),
    ("X4", ranked(1, steps=(50,)), NOT_RUN),
    ("X4", of(cifar10_steps=scores(u(-0.4))), NOT_RUN),  # no theory
]


@pytest.mark.parametrize(
    ("claim", "evidence", "expected"), CASES, ids=lambda case: getattr(case, "id", None) or str(case)[:14]
)
def test_the_verdict_is_what_the_tables_deserve(claim, evidence, expected):
    assert verdict(claim, evidence) == expected


def test_what_was_measured_is_in_the_row():
    found = row("C2", of(cifar10_sdm=scores(u(-0.4))))
    assert found.low < found.value < found.high and found.value == pytest.approx(-0.4, abs=0.01)
    assert (found.images, found.seeds) == (10_000, 3)
    assert found.measured.startswith("s = -0.40, FID 33.9")
    gain = row("C3", of(cifar10_sdm=scores(u(-0.4, 37.5), noise=0)))
    assert gain.value == pytest.approx(15.0) and "FID 40 at s = 0, 34 at s = -0.4" in gain.measured
    ranks = row("X4", ranked(1)).measured
    assert "Kullback-Leibler 0.9" in ranks and "nan" not in ranks


@pytest.mark.parametrize(("claim", "missing"), [
    ("C1", "missing: experiment cifar10_sdm"), ("C5", "missing: experiment cifar10_variants"),
    ("S2", "missing: experiment omission1"),
    ("X0", "missing: a figure of the kind theory of a whole data set of the papers"),
    ("C11", "missing: a figure of the kind drift with 50 and 1000 steps"),
])  # fmt: skip
def test_what_was_not_run_names_the_missing_experiment(claim, missing):
    found = row(claim, NOTHING)
    assert found.note == missing and found.measured == "" and pd.isna(found.value)


def test_a_small_run_decides_nothing():
    """As soon as one deciding hyperparameter differs, the scores are not looked at."""

    def run_with(hyperparameters):
        tables = {"scores": scores(u(-0.4)), "hyperparameters": hyperparameters}
        return Evidence({kind: {"cifar10_sdm": table} for kind, table in tables.items()})

    small = as_published("cifar10_sdm", key="training.epochs", run="0.25", published="10", differs=True)
    for name in ("C1", "C2", "C3", "C8", "C9", "C12"):
        found = row(name, run_with(small))
        assert found.verdict == NOT_RUN and found.measured == ""
        assert "(here training.epochs is 0.25, published 10)" in found.note
    assert verdict("C1", run_with(small.assign(decides=False))) == REPRODUCED


def test_a_score_that_could_not_be_computed_is_not_run():
    table = scores(lambda s: 8 + 0 * s, "is").assign(
        **{"is": np.nan, "is_missing": "no classification layer"}
    )
    assert (
        "is of experiment cifar10_variants: no classification layer"
        in row("C4", of(cifar10_variants=table)).note
    )


def test_intervals_over_seeds_hold_at_least_the_images():
    images = over_seeds(np.array([2.0, 2.0]), 1.0)
    assert images.high - images.value == pytest.approx(1.96 / np.sqrt(2))
    with pytest.raises(NotRun, match=r"strength 0\.9"):
        by_seed(scores(u(0)), 0.9)


def test_differences_of_two_independent_means_are_welchs():
    one, other = np.array([1.0, 4.0, 2.5]), np.array([8.0, 8.1, 8.3, 8.05])
    found = independent_difference(over_seeds(one), over_seeds(other))
    expected = scipy.stats.ttest_ind(one, other, equal_var=False)
    assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval()))
    assert 2 * found.p_at_least(0) == pytest.approx(expected.pvalue)


def test_a_decision_says_how_many_seeds_it_needs():
    """The power of the t test at that number is 80 % or a little more; with two fewer it is less."""
    values = np.array([1.0, 2.0, 0.6])
    needed = decide_by_interval(over_seeds(values), 0, np.inf).seeds

    def power(seeds):
        t = scipy.stats.nct(seeds - 1, values.mean() / values.std(ddof=1) * np.sqrt(seeds))
        return t.sf(scipy.stats.t.ppf(0.975, seeds - 1))

    assert 0.75 < power(needed) < 0.95 and power(needed - 2) < 0.75
    assert decide_by_interval(over_seeds(values[:1]), 0, np.inf).seeds is None


def test_many_conditions_are_not_refuted_by_chance():
    """All must hold; that one does not is surer by their number."""
    found = combine(Decision(0.01, 0.99), Decision(0.02, 0.98), Decision(0.99, 0.01))
    assert (found.p_for, found.p_against, found.verdict) == (0.99, pytest.approx(0.03), INCONCLUSIVE)
