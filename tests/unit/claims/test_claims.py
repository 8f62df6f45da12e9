"""Every claim gets every verdict from tables that deserve it, and nothing without its experiment."""

import copy
import json

import numpy as np
import pandas as pd
import pytest

from shapednoise.claims.evidence import PUBLISHED_SAMPLER, Evidence, NotRun, by_seed, students
from shapednoise.claims.published import WHOLE, defaults_table, hyperparameters_table
from shapednoise.claims.table import CLAIMS, claims_markdown, claims_table
from shapednoise.claims.verdicts import INCONCLUSIVE, NOT_REPRODUCED, NOT_RUN, REPRODUCED
from shapednoise.workflow.project import load_config

STRENGTHS = np.round(np.arange(-0.6, 0.5, 0.1), 1)
GRID = [-0.4, 0.0, 0.4]
WIDE = np.round(np.arange(-1.2, 0.7, 0.1), 1)
SAMPLER = {f"sampler.{name}": value for name, value in PUBLISHED_SAMPLER.items()}
ALPHAS = [-0.12, -0.09, -0.06, -0.03, 0.0, 0.03, 0.06]
LUMINANCE = [0.558, 0.5775, 0.596]
PIXELS = {name: images * size**2 for name, (images, size) in WHOLE.items()}
PCA = {"cifar10": {"axes": [LUMINANCE, [0, 1, 0], [0, 0, 1]], "pixels": PIXELS["cifar10"]}}
BANDS = [f"omission{band}" for band in range(1, 9)]


def scores(
    score, metric="fid", strengths=STRENGTHS, seeds=(0, 1, 2), noise=0.05, error=0.02, shaped="sdm", **sampler
):
    """The tidy table of score(strength), a curve of one noise with its baseline at strength 0."""
    rng = np.random.default_rng(0)
    rows = pd.DataFrame([(float(s), k) for k in seeds for s in strengths], columns=["strength", "seed"])
    rows["noise"] = np.where(rows.strength == 0, "ddpm", shaped)
    rows[metric] = score(rows.strength) + noise * rng.standard_normal(len(rows))
    rows[f"{metric}_se"] = error
    columns = SAMPLER | {f"sampler.{name}": value for name, value in sampler.items()}
    return rows.assign(generated_images=10_000, real_images=50_000, **columns)


def as_published(name: str, **changes) -> pd.DataFrame:
    """The table of hyperparameters of an experiment of config.yaml, which is as published."""
    return pd.DataFrame(
        {
            "experiment": [name],
            "key": ["k"],
            "published": ["1"],
            "run": ["1"],
            "source": ["paper"],
            "differs": [False],
            "decides": [True],
        }
    ).assign(**changes)


def of(**tables) -> Evidence:
    """Evidence of experiments that ran as published."""
    return Evidence(scores=tables, hyperparameters={name: as_published(name) for name in tables})


def u(centre, bend=50.0, level=34.0):
    return lambda s: level + bend * (s - centre) ** 2


def verdict(claim: str, evidence: Evidence) -> str:
    return row(claim, evidence).verdict


def row(claim: str, evidence: Evidence):
    [found] = [claim_ for claim_ in CLAIMS if claim_.id == claim]
    return claims_table(evidence, [found]).iloc[0]


def two_scores(recall, precision, noise=0.01):
    table = scores(lambda s: 0.4 + recall * s, "recall", noise=noise, error=0.001)
    other = scores(lambda s: 0.6 + precision * s, "precision", noise=noise, error=0.001)
    return of(cifar10_sdm=table.assign(precision=other.precision, precision_se=0.001))


def variants(gap, noise=0.05):
    """SDM, and HDM whose FID is higher by `gap`; one seed, as in the paper."""
    sdm = scores(u(-0.4), seeds=(42,), noise=noise, error=0.05)
    hdm = scores(lambda s: u(-0.4)(s) + gap, seeds=(42,), noise=0, error=0.05, shaped="hdm")
    return of(cifar10_variants=pd.concat([sdm, hdm[hdm.noise == "hdm"]]))


def power_laws(mnist, fashion, cifar, noise=0.001):
    def curve(best):
        return scores(
            u(best, 40, 0.3), strengths=ALPHAS, noise=noise, error=0, shaped="powerlaw", clamp="data"
        )

    return of(mnist_powerlaw=curve(mnist), fashion_powerlaw=curve(fashion), cifar10_powerlaw=curve(cifar))


def omissions(*gains, seeds=(0, 1, 2)):
    """Isotropic noise at FID 100, noise without the band better by these gains."""
    tables = {}
    for place, (name, gain) in enumerate(zip(BANDS, gains, strict=True)):

        def fid(strength, gain=gain):
            return 100 - gain * (strength > 0)

        look = {"shaped": f"omit{place}", "clamp": "data"}
        tables[name] = scores(fid, strengths=[0.0, 1.0], seeds=seeds, noise=1.0, error=1.0, **look)
    return of(**tables)


def theory(*optima, name="cifar10", level=1.0):
    """Closed-form distances with these optima for 50, 100, 250 and 1000 steps."""
    parts = [
        pd.DataFrame({"strength": WIDE, "distance": level * 50 / steps * (0.5 + (WIDE - best) ** 2)}).assign(
            noise="sdm", method="ancestral", steps=steps, spacing="leading", variance="fixed_small", eta=0.0,
            reading="published")
        for steps, best in zip((50, 100, 250, 1000), optima, strict=True)
    ]  # fmt: skip
    return Evidence(theory={name: pd.concat(parts)}, pca=PCA)


def coarse(evidence):
    """Of three strengths alone."""
    theory = {name: table[table.strength.isin(GRID)] for name, table in evidence.theory.items()}
    return Evidence(theory=theory, pca=PCA)


def twice(evidence):
    """Of two figures that share strengths."""
    theory = {name: pd.concat([t, t[t.strength > -0.7]]) for name, t in evidence.theory.items()}
    return Evidence(theory=theory, pca=PCA)


def steps_measured(few, many, noise=0.05):
    return of(
        cifar10_steps=pd.concat(
            [scores(u(few), noise=noise, steps=50), scores(u(many), noise=noise, steps=1000)]
        )
    )


def exact(gap, seeds=(0, 1, 2), spread=1.0):
    table = scores(
        lambda s: 40 + 0 * s, strengths=[-0.4, 0.0], seeds=seeds, noise=0, reading="exact", clamp="off"
    )
    table["fid"] += spread * table.seed + np.where(table.strength == -0.4, gap + 0.01 * table.seed, 0)
    return of(cifar10_readings=table)


def samplers(other, noise=0.05):
    """FID 34 at s = -0.4 as published, `other` at s = 0 by DDIM, more by the rest."""
    parts = [scores(lambda s: 34 + 15 * (s == 0), strengths=[-0.4, 0.0], noise=noise)]
    for level, change in ((other + 3, {"variance": "fixed_large"}), (other, {"method": "ddim"}),
                          (other + 1, {"method": "dpm_solver"})):  # fmt: skip
        parts.append(
            scores(lambda s, level=level: level + 9 * (s < 0), strengths=[-0.4, 0.0], noise=noise, **change)
        )
    return of(cifar10_samplers=pd.concat(parts))


def ranked(fid_of_distance, noise=0.01, steps=(50, 100, 250, 1000)):
    expected = theory(-0.7, -0.4, -0.2, 0.0)
    table = expected.theory["cifar10"]
    parts = []
    for count, rows in table[table.strength.isin(STRENGTHS) & table.steps.isin(steps)].groupby("steps"):
        distance = dict(zip(rows.strength, rows.distance, strict=True))
        curve = scores(lambda s, d=distance: s.map(d).map(fid_of_distance), noise=noise, error=0, steps=count)
        parts.append(curve)
    return Evidence(**(vars(of(cifar10_steps=pd.concat(parts))) | {"theory": expected.theory, "pca": PCA}))


def drift(deviation, strengths=(-0.4, 0.4, -0.6), steps=(50, 1000), noise="sdm", **defaults):
    rows = [(noise, s, n, deviation * abs(s) / 0.4 * 50 / n, 0.3) for s in strengths for n in steps]
    columns = ["noise", "strength", "steps", "deviation", "accumulated"]
    return Evidence(drift=pd.DataFrame(rows, columns=columns), **defaults)


def pca(**axes):
    """The principal axes of data sets, every pixel counted."""
    others = [[0, 1, 0], [0, 0, 1]]
    return Evidence(
        pca={name: {"axes": [axis, *others], "pixels": PIXELS.get(name, 7)} for name, axis in axes.items()}
    )


def score_limit(smallest, support=1.0, rising=True, copies=1):
    levels = np.array([1e-6, 1e-5, 1e-4])
    errors = np.array([smallest, 0.2, 0.7 if rising else 0.1])
    table = pd.DataFrame(
        {"noise": "sdm", "strength": -0.4, "level": levels, "error": errors, "support": support}
    )
    return Evidence(score_limit={"cifar10": pd.concat([table] * copies)}, pca=PCA)


def sharp(change, spread=0.1, **sampler):
    rng = np.random.default_rng(0)
    parts = []
    for strength, extra in ((0.0, 0.0), (-0.4, change)):
        energy = 1 + extra + spread * rng.standard_normal(400)
        parts.append(pd.DataFrame({"strength": strength, "image": np.arange(400), "energy": energy}))
    columns = SAMPLER | {f"sampler.{name}": value for name, value in sampler.items()}
    base = of(cifar10_sdm=scores(u(-0.4)))
    return Evidence(**(vars(base) | {"sharpness": {"cifar10_sdm": pd.concat(parts).assign(**columns)}}))


NOTHING = Evidence()
CASES = [
    ("C1", of(cifar10_sdm=scores(u(-0.4))), REPRODUCED),
    ("C1", of(cifar10_sdm=scores(u(-0.4, -50))), NOT_REPRODUCED),
    ("C1", of(cifar10_sdm=scores(u(2.0))), NOT_REPRODUCED),  # convex, but no minimum inside
    ("C1", of(cifar10_sdm=scores(lambda s: 0 * s, noise=1.0, error=1.0)), INCONCLUSIVE),
    ("C2", of(cifar10_sdm=scores(u(-0.4))), REPRODUCED),
    ("C2", of(cifar10_sdm=scores(u(0.1))), NOT_REPRODUCED),
    ("C2", of(cifar10_sdm=scores(lambda s: 40 + 10 * s, strengths=GRID)), INCONCLUSIVE),  # at the end
    ("C2", of(cifar10_sdm=scores(u(1.0), strengths=[-0.5, -0.4, -0.3])), INCONCLUSIVE),
    ("C2", of(cifar10_sdm=scores(u(-0.3), strengths=GRID, seeds=(0,), error=5.0)), INCONCLUSIVE),
    ("C2", of(cifar10_sdm=scores(u(-0.4), strengths=GRID, seeds=(0,), error=np.nan)), INCONCLUSIVE),
    ("C2", of(cifar10_sdm=scores(u(-0.3), noise=1.0)), INCONCLUSIVE),
    ("C3", of(cifar10_sdm=scores(u(-0.4, 37.5))), REPRODUCED),  # 40 to 34
    ("C3", of(cifar10_sdm=scores(u(0.0))), NOT_REPRODUCED),
    ("C3", of(cifar10_sdm=scores(u(-0.4, 37.5), seeds=(0,))), INCONCLUSIVE),  # one training
    ("C3", of(cifar10_sdm=scores(u(-0.4, 25.0), noise=1.0)), INCONCLUSIVE),
    ("C4", of(cifar10_variants=scores(lambda s: 8 - 5 * (s + 0.3) ** 2, "is", noise=0.01)), REPRODUCED),
    ("C4", of(cifar10_variants=scores(lambda s: 8 - 5 * (s - 0.2) ** 2, "is", noise=0.01)), NOT_REPRODUCED),
    ("C4", of(cifar10_variants=scores(lambda s: 8 - 5 * (s + 0.2) ** 2, "is", noise=0.1)), INCONCLUSIVE),
    ("C5", variants(1.0), REPRODUCED),
    ("C5", variants(-1.0), NOT_REPRODUCED),
    ("C5", variants(0.1, noise=1.0), INCONCLUSIVE),
    ("C6", of(cifar100_sdm=scores(u(-0.3), seeds=(42,))), REPRODUCED),
    ("C6", of(cifar100_sdm=scores(u(0.0), seeds=(42,))), NOT_REPRODUCED),
    ("C6", of(cifar100_sdm=scores(u(-0.2), seeds=(42,), error=1.0)), INCONCLUSIVE),
    ("C7", of(celeba64_sdm=scores(u(-0.2), seeds=(42,))), REPRODUCED),
    ("C7", of(celeba64_sdm=scores(u(-0.5), seeds=(42,))), NOT_REPRODUCED),
    ("C7", of(celeba64_sdm=scores(u(-0.3), seeds=(42,), error=1.0)), INCONCLUSIVE),
    ("C8", two_scores(-0.3, 0.1), REPRODUCED),
    ("C8", two_scores(0.3, 0.1), NOT_REPRODUCED),
    ("C8", two_scores(-0.3, 0.001), INCONCLUSIVE),
    (
        "C9",
        of(cifar10_sdm=scores(lambda s: 0.6 - 0.4 * (s + 0.1) ** 2, "f_score", noise=1e-3, error=0)),
        REPRODUCED,
    ),
    (
        "C9",
        of(cifar10_sdm=scores(lambda s: 0.6 + 0.4 * (s + 0.1) ** 2, "f_score", noise=1e-3, error=0)),
        NOT_REPRODUCED,
    ),
    ("C9", of(cifar10_sdm=scores(lambda s: 0.6 + 0 * s, "f_score", noise=0.1, error=0.1)), INCONCLUSIVE),
    ("C10", pca(cifar10=LUMINANCE), REPRODUCED),
    ("C10", pca(cifar10=LUMINANCE, cifar100=[1.0, 0.0, 0.0]), NOT_REPRODUCED),
    ("C10", pca(cifar10=LUMINANCE, mine=[1.0, 0.0, 0.0]), REPRODUCED),  # of somebody's pictures
    ("C10", pca(mine=LUMINANCE), NOT_RUN),
    ("C11", drift(0.008), REPRODUCED),
    ("C11", drift(0.02), NOT_REPRODUCED),
    ("C12", sharp(0.3), REPRODUCED),
    ("C12", sharp(-0.3), NOT_REPRODUCED),
    ("C12", sharp(0.0), INCONCLUSIVE),
    ("S1", power_laws(-0.06, -0.03, 0.0), REPRODUCED),
    ("S1", power_laws(0.0, 0.0, 0.0), NOT_REPRODUCED),
    ("S1", power_laws(-0.06, 0.0, 0.0), INCONCLUSIVE),
    ("S2", omissions(*[20] * 8), REPRODUCED),
    ("S2", omissions(*[20] * 7, -20), NOT_REPRODUCED),
    ("S2", omissions(*[20] * 7, 0.5), INCONCLUSIVE),
    ("S2", omissions(*[20] * 8, seeds=(0,)), INCONCLUSIVE),
    ("S3", score_limit(0.001), REPRODUCED),
    ("S3", score_limit(0.001, copies=2), REPRODUCED),  # of two figures
    ("S3", score_limit(0.1), NOT_REPRODUCED),
    ("S3", score_limit(0.001, rising=False), NOT_REPRODUCED),
    ("X0", theory(-0.7, -0.4, -0.2, 0.0), REPRODUCED),
    ("X0", theory(-0.7, -0.7, -0.7, -0.7), NOT_REPRODUCED),
    ("X0", theory(0.3, 0.2, 0.1, 0.0), NOT_REPRODUCED),
    ("X1", steps_measured(-0.4, -0.05), REPRODUCED),
    ("X1", steps_measured(-0.2, -0.4), NOT_REPRODUCED),
    ("X1", steps_measured(-0.1, 0.3), NOT_REPRODUCED),  # upwards, but away from 0
    ("X1", steps_measured(-0.4, -0.35, noise=2.0), INCONCLUSIVE),
    ("X2", exact(0.1), REPRODUCED),
    ("X2", exact(5.0), NOT_REPRODUCED),
    ("X2", exact(0.8), INCONCLUSIVE),  # less than a deviation, but that is known from three seeds
    ("X3", samplers(30.0), REPRODUCED),
    ("X3", samplers(38.0), NOT_REPRODUCED),
    ("X3", samplers(34.0), INCONCLUSIVE),
    ("X4", ranked(lambda d: 30 + d), REPRODUCED),
    ("X4", ranked(lambda d: 30 - d), NOT_REPRODUCED),
    ("X4", ranked(lambda d: 30 + d, noise=0.5), INCONCLUSIVE),
    ("X0", coarse(theory(-0.7, -0.4, -0.2, 0.0)), NOT_RUN),
    ("X0", twice(theory(-0.7, -0.4, -0.2, 0.0)), REPRODUCED),
    *((claim.id, NOTHING, NOT_RUN) for claim in CLAIMS),
    ("X2", exact(0.1, seeds=(0,)), NOT_RUN),
    ("C11", drift(0.008, strengths=(-0.2,)), NOT_RUN),
    ("C11", drift(0.008, steps=(50,)), NOT_RUN),
    ("S2", of(**dict(list(omissions(*[20] * 8).scores.items())[:7])), NOT_RUN),
    ("C2", of(cifar10_sdm=scores(u(-0.4), steps=100)), NOT_RUN),  # not the published sampler
    ("C2", of(cifar10_sdm=pd.concat([scores(u(-0.4))] * 2)), NOT_RUN),  # two sampling seeds
    ("C2", of(cifar10_sdm=scores(u(-0.4)).iloc[1:]), NOT_RUN),  # a strength is missing for a seed
    (
        "C5",
        of(cifar10_variants=variants(1.0).scores["cifar10_variants"].query("strength not in (-0.3,)")),
        NOT_RUN,
    ),
    ("C11", drift(0.0, noise="powerlaw"), NOT_RUN),
    ("C11", drift(0.008, defaults=as_published("theory", differs=True)), NOT_RUN),
    ("C12", sharp(0.3, steps=1000), NOT_RUN),
    ("X4", ranked(lambda d: 30 + d, steps=(50,)), NOT_RUN),
    ("X4", of(cifar10_steps=scores(u(-0.4))), NOT_RUN),  # no theory
]


@pytest.mark.parametrize(
    ("claim", "evidence", "expected"), CASES, ids=lambda case: getattr(case, "id", None) or str(case)[:14]
)
def test_the_verdict_is_what_the_tables_deserve(claim, evidence, expected):
    assert verdict(claim, evidence) == expected


def test_every_claim_of_the_papers_and_every_prediction_is_there_once():
    ids = [claim.id for claim in CLAIMS]
    assert ids == [*(f"C{n}" for n in range(1, 13)), "S1", "S2", "S3", *(f"X{n}" for n in range(5))]


def test_what_was_measured_is_in_the_row():
    found = row("C2", of(cifar10_sdm=scores(u(-0.4))))
    assert found.low < found.value < found.high and found.value == pytest.approx(-0.4, abs=0.01)
    assert (found.images, found.seeds) == (10_000, 3)
    assert found.measured.startswith("s = -0.40, FID 33.99 there")
    gain = row("C3", of(cifar10_sdm=scores(u(-0.4, 37.5), noise=0)))
    assert gain.value == pytest.approx(15.0) and "FID 40 at s = 0, 34 at s = -0.4" in gain.measured


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
    table = scores(u(-0.4))
    small = as_published("cifar10_sdm", key="training.epochs", run="0.25", published="10", differs=True)
    for name in ("C1", "C2", "C3", "C8", "C9", "C12"):
        found = row(name, Evidence(scores={"cifar10_sdm": table}, hyperparameters={"cifar10_sdm": small}))
        assert found.verdict == NOT_RUN and found.measured == ""
        assert "(here training.epochs is 0.25, published 10)" in found.note
    unimportant = small.assign(decides=False)
    assert (
        verdict("C1", Evidence(scores={"cifar10_sdm": table}, hyperparameters={"cifar10_sdm": unimportant}))
        == REPRODUCED
    )


def test_a_score_that_could_not_be_computed_is_not_run():
    table = scores(lambda s: 8 + 0 * s, "is").assign(
        **{"is": np.nan, "is_missing": "no classification layer"}
    )
    assert (
        "is of experiment cifar10_variants: no classification layer"
        in row("C4", of(cifar10_variants=table)).note
    )


def test_intervals_over_seeds_are_students_and_hold_at_least_the_images():
    found = students(np.array([1.0, 2.0, 3.0]))
    assert (found.value, found.high - found.value) == (2.0, pytest.approx(4.30265 / np.sqrt(3), rel=1e-4))
    images = students(np.array([2.0, 2.0]), 1.0)
    assert images.high - images.value == pytest.approx(1.96 / np.sqrt(2))
    assert np.isnan(students(np.array([2.0]), 1.0).low)
    with pytest.raises(NotRun, match=r"strength 0\.9"):
        by_seed(scores(u(0)), 0.9)


def handed_over(repository, experiment, recipe="paper") -> dict:
    """What the workflow hands over of an experiment of config.yaml, but for its noises' names."""
    config = load_config(repository / "config.yaml")
    settings, chosen = config.experiments[experiment], config.recipes[recipe]
    images = config.images_of(settings.dataset)
    band = getattr(config.datasets[settings.dataset], "band", None)
    sampling = chosen.sampling.model_dump(mode="json") | {"clamp": chosen.sampling.clamping}
    content = {
        "name": experiment,
        "dataset": {
            "name": config.clean_of(settings.dataset),
            "images": images.images,
            "size": images.size,
            "band": band,
        },
        "noises": {name: config.noises[name].model_dump(mode="json") for name in settings.noises},
        "extractor": {"network": "inception", "layer": "2048"},
        "strengths": config.strengths_of(experiment),
        "seeds": len(config.seeds_of(experiment)),
        "training": chosen.training.model_dump(mode="json"),
        "scoring": chosen.scoring.model_dump(mode="json"),
        "sampling": sampling,
    }
    return json.loads(json.dumps(content))


@pytest.fixture(scope="module")
def published(repository) -> dict:
    return handed_over(repository, "cifar10_sdm")


@pytest.mark.parametrize(("experiment", "recipe"), [
    ("cifar10_sdm", "paper"), ("cifar10_variants", "paper"), ("cifar10_readings", "paper"),
    ("cifar100_sdm", "paper"), ("celeba64_sdm", "paper"), ("cifar10_powerlaw", "paper"),
    ("mnist_powerlaw", "grey"), ("omission1", "grey"), ("omission8", "grey"),
])  # fmt: skip
def test_the_config_has_the_published_hyperparameters(repository, experiment, recipe):
    table = hyperparameters_table(handed_over(repository, experiment, recipe))
    assert not (table.differs & table.decides).any(), table[table.differs].to_string()
    assert len(table) >= 18


CHANGES = [
    ("training.unet.channels", [16, 32], True),
    ("training.epochs", 100, None),  # more is as good
    ("training.precision.cuda", "bf16", False),
    ("dataset.images", 1000, True),
    ("dataset.name", "mine", True),
    ("dataset.size", 64, True),
    ("noises.sdm.operator", "hdm", True),
    ("noises.sdm.times", {"noise": "powerlaw", "strength": -0.2}, True),
    ("noises.sdm.schedule", "constant", True),
    ("extractor.layer", "64", True),
    ("extractor.network", "dinov2-vit-s-14", True),
    ("sampling.images", [10_000, 2048], True),
    ("scoring.neighbours", 10, True),
    ("seeds", 1, True),
    ("seeds", 5, None),
    ("strengths", [-0.4, 0.0, 0.4], False),
]


@pytest.mark.parametrize(("key", "value", "decides"), CHANGES)
def test_a_difference_is_marked(published, key, value, decides):
    """decides: None where it is no difference."""
    run = copy.deepcopy(published)
    *parents, last = key.split(".")
    place = run
    for parent in parents:
        place = place[parent]
    place[last] = value
    table = hyperparameters_table(run).set_index("key")
    assert list(table.index[table.differs]) == ([] if decides is None else [key])
    assert json.loads(table.run[key]) == value
    assert decides is None or table.decides[key] == decides


def test_the_theory_has_the_published_schedule_and_noise(published):
    assert not defaults_table(published).differs.any()
    other = published | {"training": {"schedule": {"timesteps": 100, "beta_start": 1e-4, "beta_end": 0.02}}}
    assert defaults_table(other).differs.sum() == 1


def test_the_markdown_has_every_claim_and_every_difference(published):
    run = copy.deepcopy(published)
    run["training"]["epochs"] = 0.25
    hyperparameters = hyperparameters_table(run)
    evidence = Evidence({"cifar10_sdm": scores(u(-0.4))}, {"cifar10_sdm": hyperparameters}, pca=PCA)
    text = claims_markdown(claims_table(evidence), hyperparameters)
    assert "19 not run, 1 reproduced." in text
    for claim in CLAIMS:
        assert f"| {claim.id} | {claim.statement}" in text and f"- **{claim.id}** {claim.criterion}" in text
    assert "| cifar10_sdm | training.epochs | 10 | published code | **0.25** |" in text
    widths = {line.count("|") for line in text.split("## How")[0].splitlines() if line.startswith("|")}
    assert widths == {9}
