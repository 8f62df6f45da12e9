"""The published hyperparameters beside a run's."""

import copy
import json
from types import SimpleNamespace

import pytest

from shapednoise.claims.evidence import Evidence
from shapednoise.claims.published_hyperparameters import defaults_table, hyperparameters_table
from shapednoise.claims.table import claims_table
from shapednoise.noise.operators import OPERATORS
from shapednoise.workflow.project import load_config
from tests.unit.claims.synthetic import scores, u


def handed_over(repository, experiment, recipe="paper") -> dict:
    """What the workflow hands over of an experiment of config.yaml, but for its noises' names."""
    config = load_config(repository / "config.yaml")
    settings, chosen = config.experiments[experiment], config.recipes[recipe]
    images = config.images_of(settings.dataset)
    band = getattr(config.datasets[settings.dataset], "band", None)
    sampling = chosen.sampling.record()
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
    ("together", "grid", True),
    ("sampling.epoch", ["end", 3], True),
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
    differs = table.differs & ~table.index.str.startswith("evaluation.")
    assert list(table.index[differs]) == ([] if decides is None else [key])
    assert json.loads(table.run[key]) == value
    assert decides is None or table.decides[key] == decides


def test_what_the_published_evaluation_did_differently_is_said_and_decides_nothing(published):
    table = hyperparameters_table(published).set_index("key")
    rows = table[table.index.str.startswith("evaluation.")]
    assert len(rows) == 5 and rows.differs.all() and not rows.decides.any()
    assert set(rows.source) == {"published code"}
    theirs = published | {"extractor": {"network": "torchvision-inception", "layer": "2048"}}
    assert not hyperparameters_table(theirs).set_index("key").differs["evaluation.inception_score_of"]


def test_what_this_project_has_chosen_is_called_ours(repository, published):
    source = hyperparameters_table(published).set_index("key").source
    assert source["seeds"] == "ours" and source["dataset.name"] == source["noises.sdm.schedule"] == "paper"
    own = hyperparameters_table(handed_over(repository, "cifar10_steps")).set_index("key").source
    assert own["dataset.name"] == own["dataset.images"] == "ours"


def test_the_theory_has_the_published_schedule_and_noise(published):
    assert not defaults_table(published).differs.any()
    other = published | {"training": {"schedule": {"timesteps": 100, "beta_start": 1e-4, "beta_end": 0.02}}}
    assert defaults_table(other).differs.sum() == 1


MINE = {"operator": "mine", "schedule": "beta", "times": None, "normalize": "off"}


@pytest.fixture
def of_no_paper(monkeypatch):
    """An operator `mine` of no paper."""
    monkeypatch.setitem(OPERATORS, "mine", SimpleNamespace(paper=None))


def test_a_noise_of_no_paper_is_compared_with_none(published, of_no_paper):
    table = hyperparameters_table(published | {"noises": {"mine": MINE}})
    [only] = table.itertuples()
    assert (only.key, only.published, only.run) == ("noises.mine.operator", '"no recipe"', '"mine"')
    tables = {"scores": scores(u(-0.4), shaped="mine"), "hyperparameters": table}
    found = claims_table(Evidence({kind: {"cifar10_sdm": table} for kind, table in tables.items()}))
    first = found.set_index("id").loc["C1"]
    assert first.verdict == "not run"
    assert 'here noises.mine.operator is "mine", published "no recipe"' in first.note


def test_a_noise_of_no_paper_beside_the_published_one_decides_nothing(published, of_no_paper):
    alone = hyperparameters_table(published)
    both = hyperparameters_table(published | {"noises": published["noises"] | {"mine": MINE}})
    assert both.iloc[:-1].equals(alone) and not both.decides.iloc[-1] and both.differs.iloc[-1]


def test_white_noise_alone_is_the_baseline_of_sdm(published):
    recipe = hyperparameters_table(published | {"name": "baseline", "noises": {}})
    assert recipe.equals(hyperparameters_table(published | {"name": "baseline"}))
