"""The study's tier: Y1 to Y8, and the papers' claims decided again from its experiments, beside `not run`."""

import json
from itertools import chain

import numpy as np
import pandas as pd
import pytest

from shapednoise.claims.evidence import Evidence
from shapednoise.claims.published_hyperparameters import EXPERIMENTS, STUDY_DATASETS, hyperparameters_table
from shapednoise.claims.registry import CLAIMS, INCONCLUSIVE, NOT_REPRODUCED, NOT_RUN, REPRODUCED, all_claims
from shapednoise.claims.table import claims_markdown, claims_table
from shapednoise.claims.tiers import STUDY
from shapednoise.workflow.project import experiment_facts, load_project_config
from tests.unit.claims.synthetic import PCA, SAMPLER, as_published, of, ranked, scores, theory, together, u
from tests.unit.claims.test_verdicts import DOES_NOT_HOLD, HOLDS, row, verdict

GRID = np.array([-1.0, -0.8, -0.6, -0.4, -0.2, 0.0, 0.2, 0.4])
TWO = [-0.4, 0.0]
IMAGES, SIZE = STUDY_DATASETS["cifar10"]
PIXELS = {"pca": {"cifar10": PCA["cifar10"] | {"pixels": IMAGES * SIZE**2}}}


def two(gain, level=90.0, seeds=(42, 43), noise=0.2, strengths=TWO, **sampler):
    """FID `level` at s = 0 and `gain` per cent lower at -0.4."""
    return scores(
        lambda s: level * (1 - gain / 100 * (s == -0.4)), strengths=strengths, seeds=seeds, noise=noise,
        error=0.0, **sampler,
    )  # fmt: skip


def whole(best, crossing, seeds=(42, 43, 44, 45), bend=30.0, **columns):
    """A curve of FID with its optimum, and a variance along v that is the data's at a strength."""
    table = scores(u(best, bend, 85.0), strengths=GRID, seeds=seeds, noise=0.1)
    rng = np.random.default_rng(1)
    variance = 0.64 - 0.25 * (table.strength - crossing) + 0.001 * rng.standard_normal(len(table))
    columns = {
        "variance_along_v": variance,
        "data_variance_along_v": 0.64,
        "generated_images": 1500,
    } | columns
    return table.assign(**columns)


def steps(few, many, **more):
    return of(study_steps=pd.concat([two(few, steps=50, **more), two(many, steps=250, **more)]))


def epochs(first, last, **more):
    parts = [(1.0, first, 140.0), (3.0, (first + last) / 2, 100.0), ("end", last, 80.0)]
    tables = [two(gain, level, epoch=epoch, strengths=[-0.4, 0, 0.2], **more) for epoch, gain, level in parts]
    return of(study_epochs=pd.concat(tables))


def samplers(best, noise=0.2, seeds=(42, 43)):
    """FID 85 at s = -0.4 as published, 90 at s = 0; `best` by the optimal variance there."""
    more = {"noise": noise, "seeds": seeds}
    parts = [two(5 / 0.9, **more), two(0, best + 5, method="ddim", **more)]
    parts += [two(0, best + 3, method="dpm_solver", **more), two(0, best, variance="optimal", **more)]
    return of(study_samplers=pd.concat(parts))


def separate(loss, noise=0.2):
    """One network for all strengths, of four seeds, and separate ones of two whose FID is lower."""
    curve = scores(u(-0.4, 30.0, 85.0), strengths=[-0.4, 0.0, 0.4], seeds=(42, 43), noise=noise)
    return of(study_short=whole(-0.4, -0.4), study_separate=curve.assign(fid=curve.fid / (1 + loss / 100)))


def ranking(effect, seeds=(42, 43)):
    """Eight strengths and two samplers, whose FID follows, or not, all distances and the predicted FID."""
    expected = theory(-0.4, -0.2, -0.1, 0.0)["theory"]["cifar10"]
    expected = expected[expected.strength.isin(GRID) & expected.steps.isin([50, 250])]
    expected = expected.assign(kl=2 * expected.distance, standardised=expected.distance)
    fids = {(r.steps, r.strength): 60 + 60 * effect * r.distance for r in expected.itertuples()}

    def measured(n, strengths, seeds):
        return scores(
            lambda s: s.map(lambda x: fids[n, x]), strengths=strengths, seeds=seeds, steps=n, noise=0.1
        )

    predicted = expected.assign(fid=30 + expected.distance)
    predicted["noise"] = np.where(predicted.strength == 0, "ddpm", "sdm")
    predicted = pd.concat([predicted, pd.DataFrame({"noise": ["undistorted"], "fid": [30.0]})])
    few = pd.concat([measured(n, TWO, seeds) for n in (50, 250)])
    tables = of(study_sdm=measured(50, GRID, (*seeds, 44)), study_samplers=few)
    closed = {"theory": {"cifar10": expected}, "predicted_fid": {"cifar10": predicted}}
    return together(tables, Evidence(closed | PIXELS))


def trade_off(recall, precision):
    table = scores(lambda s: 0.1 + recall * s, "recall", GRID, noise=0.001, error=0.001)
    other = scores(lambda s: 0.8 + precision * s, "precision", GRID, noise=0.001, error=0.001)
    return of(study_sdm=table.assign(precision=other.precision, precision_se=0.001))


def both_noises(gap):
    """SDM of four seeds, HDM of two: two networks, each with strength 0 of its own."""
    hdm = scores(
        lambda s: u(-0.4, 30.0, 85.0)(s) + gap, strengths=GRID, seeds=(42, 43), noise=0.05, shaped="hdm"
    )
    return of(study_sdm=whole(-0.4, -0.4), study_short=whole(-0.4, -0.4), study_hdm=hdm)


CASES = [
    ("Y1", of(study_sdm=whole(-0.5, -0.5)), HOLDS),
    ("Y1", of(study_sdm=whole(-0.2, -0.8)), DOES_NOT_HOLD),  # a U below 0, but elsewhere
    ("Y1", of(study_sdm=whole(0.2, 0.2)), DOES_NOT_HOLD),  # above 0
    ("Y1", of(study_sdm=whole(-1.5, -0.9)), DOES_NOT_HOLD),  # no U
    ("Y1", of(study_sdm=whole(-0.5, -0.5, seeds=(42,))), INCONCLUSIVE),
    ("Y1", of(study_sdm=whole(-0.5, -0.5, variance_along_v=np.nan)), NOT_RUN),
    ("Y2", steps(6, 1), HOLDS),
    ("Y2", steps(6, 9), DOES_NOT_HOLD),
    ("Y2", steps(-6, -9), DOES_NOT_HOLD),  # there is none
    ("Y2", steps(6, 1, seeds=(42,)), INCONCLUSIVE),
    ("Y3", of(study_exact=two(5, reading="exact", clamp="off")), HOLDS),
    ("Y3", of(study_exact=two(-5, reading="exact", clamp="off")), DOES_NOT_HOLD),
    ("Y3", of(study_exact=two(0.1, reading="exact", clamp="off")), INCONCLUSIVE),
    ("Y4", samplers(75.0), HOLDS),
    ("Y4", samplers(95.0), DOES_NOT_HOLD),
    ("Y4", samplers(85.0), INCONCLUSIVE),
    ("Y4", samplers(75.0, seeds=(42,)), INCONCLUSIVE),
    ("Y5", epochs(8, 2), HOLDS),
    ("Y5", epochs(4, 9), DOES_NOT_HOLD),
    ("Y5", epochs(8, 2, seeds=(42,)), INCONCLUSIVE),
    ("Y5", of(study_epochs=two(8, epoch="end")), NOT_RUN),
    ("Y6", trade_off(-0.05, 0.1), HOLDS),
    ("Y6", trade_off(0.05, 0.1), DOES_NOT_HOLD),
    ("Y6", trade_off(-0.05, 0.0), INCONCLUSIVE),
    ("Y7", ranking(1), HOLDS),
    ("Y7", ranking(-1), DOES_NOT_HOLD),
    ("Y7", ranking(1, seeds=(42,)), INCONCLUSIVE),
    ("Y7", of(study_sdm=whole(-0.4, -0.4)), NOT_RUN),
    ("Y8", separate(0), HOLDS),
    ("Y8", separate(15), DOES_NOT_HOLD),
    ("Y8", separate(7), INCONCLUSIVE),
    ("C1", of(study_sdm=whole(-0.5, -0.5)), REPRODUCED),
    ("C1", of(study_sdm=whole(-1.5, -0.9)), NOT_REPRODUCED),
    ("C2", of(study_sdm=whole(-0.35, -0.5)), REPRODUCED),
    ("C2", of(study_sdm=whole(0.1, -0.5)), NOT_REPRODUCED),
    ("C3", of(study_sdm=whole(-0.4, -0.5, bend=100.0)), REPRODUCED),
    ("C3", of(study_sdm=whole(-0.4, -0.5)), NOT_REPRODUCED),
    ("C5", both_noises(1.0), REPRODUCED),
    ("C5", both_noises(-1.0), NOT_REPRODUCED),
    ("C8", trade_off(-0.05, 0.1), REPRODUCED),
    ("C9", of(study_sdm=whole(0, 0, f_score=lambda t: 0.2 - 0.1 * (t.strength + 0.3) ** 2)), REPRODUCED),
    ("X1", steps(6, 1), NOT_RUN),  # two strengths have no optimum
    ("X2", of(study_exact=two(1, reading="exact", clamp="off")), HOLDS),
    ("X2", of(study_exact=two(14, reading="exact", clamp="off")), DOES_NOT_HOLD),
    ("X4", ranking(1), HOLDS),
    ("X4", ranking(-1), DOES_NOT_HOLD),
]  # fmt: skip


def study(id: str) -> str:
    return f"{id} study"


@pytest.mark.parametrize(("id", "evidence", "expected"), CASES, ids=lambda case: str(case)[:12])
def test_the_verdict_at_the_studys_tier_is_what_its_tables_deserve(id, evidence, expected):
    assert verdict(study(id), evidence) == expected
    if id in CLAIMS:
        assert verdict(id, evidence) == NOT_RUN  # the papers' tier sees none of it


def test_every_claim_of_the_study_wants_its_own_experiments_and_no_paper_gets_them():
    ids = [claim.id for claim in all_claims() if claim.tier is STUDY]
    again = ["C1", "C2", "C3", "C5", "C8", "C9", "C12", "X1", "X2", "X3", "X4"]
    assert ids == [*again, *(f"Y{n}" for n in range(1, 9))]
    published = of(cifar10_sdm=scores(u(-0.4)))
    assert {verdict(study(id), published) for id in ids} == {NOT_RUN}


def test_sharpness_of_the_studys_pictures_is_evidence_at_its_tier():
    energy = [(s, k, i, 1 + 0.3 * (s < 0) + 0.01 * k) for s in TWO for k in (2, 3) for i in range(9)]
    table = pd.DataFrame(energy, columns=["strength", "seed", "image", "energy"]).assign(**SAMPLER)
    evidence = together(of(study_sdm=whole(-0.4, -0.4)), Evidence({"sharpness": {"study_sdm": table}}))
    assert verdict(study("C12"), evidence) == REPRODUCED and verdict("C12", evidence) == NOT_RUN


def test_an_opponent_is_chosen_without_the_seed_that_it_is_judged_by():
    """Each seed's best sampler is a lucky one; on the other seed it is worse than s = -0.4."""
    evidence = samplers(80.0, noise=0.0)
    table = evidence["scores"]["study_samplers"]
    optimal = (table["sampler.variance"] == "optimal") & (table.strength == 0)
    ddim = (table["sampler.method"] == "ddim") & (table.strength == 0)
    table.loc[optimal, "fid"] = table.seed[optimal].map({42: 70.0, 43: 100.0})
    table.loc[ddim, "fid"] = table.seed[ddim].map({42: 100.0, 43: 70.0})
    found = row(study("Y4"), evidence)
    assert found.value == pytest.approx(85.0 - 100.0)
    assert "85 by DDIM, 83 by DPM-Solver++, 85 by the optimal variance, 90 as published" in found.measured


def test_each_part_of_y1_has_its_own_verdict():
    found = row(study("Y1"), of(study_sdm=whole(-0.2, -0.8)))
    assert found.value == pytest.approx(0.6, abs=0.02) and found.low < found.value < found.high
    assert found.measured.startswith(
        "U-shaped: holds; minimum at s = -0.20 [-0.205, -0.198], below 0: holds; "
    )
    assert "is the data's at s = -0.80" in found.measured and found.measured.endswith("there: does not hold")
    below_throughout = of(study_sdm=whole(-0.8, -1.5))  # the data's variance is beyond the grid
    open_end = row(study("Y1"), below_throughout)
    assert "so there: inconclusive" in open_end.measured and open_end.high == np.inf


def test_one_table_has_both_scales_side_by_side():
    evidence = both_noises(1.0)
    table = claims_table(evidence, {"every": {"seeds": 4, "epochs": 6}, "C5": {"seeds": 2, "epochs": 6}})
    by = table.set_index(["id", "tier"])
    assert by.verdict["C1", "paper"] == NOT_RUN and by.verdict["C1", "study"] == REPRODUCED
    assert by.note["C1", "paper"] == "missing: experiment cifar10_sdm"
    assert by.statement["C3", "study"] == "in the study: " + by.statement["C3", "paper"]
    assert (by.planned_seeds["C1", "study"], by.seeds["C1", "study"], by.images["C1", "study"]) == (
        4,
        4,
        1500,
    )
    assert (by.planned_seeds["C5", "study"], by.seeds["C5", "study"]) == (2, 2)
    assert table.id.tolist()[:3] == ["C1", "C1", "C2"] and not table.duplicated(["id", "tier"]).any()
    text = claims_markdown(table, pd.DataFrame())
    [header, paper, again] = [
        " ".join(line.split()) for line in text.splitlines() if line[:5] in ("| id ", "| C1 ")
    ]
    assert header.startswith("| id | scale | verdict | claim |")
    assert paper.startswith("| C1 | paper | **not run** | ")
    assert again.startswith("| C1 | study | **reproduced** | in the study: FID of")
    assert "- SDM: 12 not run\n" in text and "- SDM, study: " in text and "- **C1, study** (" in text


def test_a_run_without_the_study_has_no_rows_of_it():
    assert set(claims_table(ranked(1)).tier) == {"paper"}
    assert "scale" not in claims_markdown(claims_table(ranked(1)), pd.DataFrame()).split("## How")[0]


@pytest.fixture(scope="module")
def config(repository):
    return load_project_config(repository, [repository / "study.yaml"])


def facts(config, name):
    return json.loads(json.dumps(experiment_facts(config, name)))


@pytest.mark.parametrize("name", [name for name, scope in EXPERIMENTS.items() if scope.study])
def test_the_experiments_of_the_study_decide_at_its_scale(config, name):
    table = hyperparameters_table(facts(config, name))
    assert not (table.differs & table.decides).any(), table[table.differs & table.decides].to_string()
    papers = table[~table.decides].set_index("key")
    assert papers.differs["training.unet.channels"]  # the papers' values stand beside, and decide nothing
    targets = (config.figures[target] for target in config.targets)
    assert name in {getattr(figure, "experiment", None) for figure in targets}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"together": None}, "study_sdm with the study's hyperparameters (here together is null, wanted"),
        ({"dataset": {"name": "cifar10", "images": 50_000, "size": 32, "band": None}}, "dataset.size is 32"),
        ({"sampling": {"images": 16}}, "sampling.images is 16, wanted 1000"),
    ],
)
def test_other_settings_decide_nothing_at_the_studys_scale(config, change, said):
    run = facts(config, "study_sdm")
    run = {
        key: value | change.get(key, {}) if isinstance(value, dict) else value for key, value in run.items()
    }
    run |= {key: value for key, value in change.items() if not isinstance(value, dict)}
    tables = {"scores": whole(-0.4, -0.4), "hyperparameters": hyperparameters_table(run)}
    found = row(study("C1"), Evidence({kind: {"study_sdm": table} for kind, table in tables.items()}))
    assert found.verdict == NOT_RUN and said in found.note


def test_the_study_plans_seeds_and_epochs_of_every_claim_that_it_runs(config):
    epochs = {name: config.recipes[name].training.epochs for name in ("study", "study_long")}
    shorter = {name for name, planned in config.claims.items() if planned.epochs == epochs["study"]}
    assert shorter == {"C5", "X2", "Y3", "Y5", "Y8"} and config.claims["every"].epochs == epochs["study_long"]
    experiments = {
        4: ("Y1", "Y2", "Y4", "Y6", "Y7", "C1", "C2", "C3", "C8", "C9", "C12", "X1", "X3", "X4"),
        2: ("Y3", "Y5", "Y8", "C5", "X2"),
    }
    assert set(chain(*experiments.values())) == {claim.id for claim in all_claims() if claim.tier is STUDY}
    for seeds, ids in experiments.items():
        assert {config.claims.get(id, config.claims["every"]).seeds for id in ids} == {seeds}
    four = ("study_sdm", "study_short", "study_samplers", "study_steps")
    assert {len(config.seeds_of(name)) for name in four} == {4}
    two = ("study_steps1000", "study_exact", "study_epochs", "study_separate", "study_hdm")
    assert {len(config.seeds_of(name)) for name in two} == {2}
    shown = as_published("study_sdm", key="training.epochs", run="20", published="15", decides=False)
    evidence = Evidence({"scores": {"study_sdm": whole(-0.4, -0.4)}, "hyperparameters": {"study_sdm": shown}})
    plan = {name: vars(planned) for name, planned in config.claims.items()}
    table = claims_table(evidence, plan).set_index(["id", "tier"])
    assert table.note["C1", "study"] == "more than was planned: 20 epochs, 15 planned"
