"""The published hyperparameters, and how far a run's are from them.

Values are what the SDM paper states, what its published code sets where the paper is silent, or what
its figures show; the column `source` says which, and `ours` what this project has chosen: how many
seeds decide, its own experiments, and the data that a test of SAGD is made on. Of
SAGD (arXiv 2510.09660) only what its abstract and workshop version settle is known here; the rest of
its rows are the least that this project accepts as a test of its claims.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from shapednoise.noise.operators import OPERATORS

PAPER, CODE, FIGURE, OURS = "paper", "published code", "read off a figure", "ours"
NO_RECIPE, NOWHERE = "no recipe", "nowhere"  # of a noise of no paper
# Images and size of the data sets; a claim is about all of them.
FULL_DATASETS = {
    "cifar10": (50_000, 32),
    "cifar100": (50_000, 32),
    "celeba64": (162_770, 64),
    "mnist": (60_000, 32),
    "fashion_mnist": (60_000, 32),
}
STUDY_DATASETS = {"cifar10": (50_000, 16)}


@dataclass(frozen=True)
class Hyperparameter:
    """A published value of a key of an experiment.

    decides: a run that differs does not test the claims. or_more: a larger number is as good, and a
    list that is as long with no smaller number in it. among: a longer list that has all of these is.
    """

    key: str
    value: Any
    source: str
    decides: bool = True
    or_more: bool = False
    among: bool = False

    def met_by(self, value: Any) -> bool:
        """Whether a run with this value is as published."""
        if isinstance(self.value, list) and isinstance(value, list):
            if self.or_more:
                pairs = zip(self.value, value, strict=False)
                return len(value) >= len(self.value) and all(ours >= theirs for theirs, ours in pairs)
            if self.among:
                return set(self.value) <= set(value)
        if self.or_more and isinstance(value, int | float):
            return value >= self.value
        return value == self.value


SCHEDULE = (
    Hyperparameter("training.schedule.timesteps", 1000, PAPER),
    Hyperparameter("training.schedule.beta_start", 1e-4, PAPER),
    Hyperparameter("training.schedule.beta_end", 0.02, PAPER),
)
SAMPLER = (  # of Figure 2: a claim about another one says in what it differs
    Hyperparameter("sampling.method", "ancestral", PAPER, decides=False),
    Hyperparameter("sampling.steps", 50, PAPER, decides=False),
    Hyperparameter("sampling.spacing", "leading", CODE, decides=False),
    Hyperparameter("sampling.variance", "fixed_small", CODE, decides=False),
    Hyperparameter("sampling.reading", "published", CODE, decides=False),
    Hyperparameter("sampling.clamp", "whitened", CODE, decides=False),
)
NETWORKS = (  # one a strength, sampled at the end of its training
    Hyperparameter("together", None, PAPER),
    Hyperparameter("sampling.epoch", "end", PAPER),
)
SCORING = (
    Hyperparameter("scoring.reference_images", "all", PAPER),
    Hyperparameter("scoring.neighbours", 3, CODE),
    Hyperparameter("scoring.is_splits", 10, CODE),
    Hyperparameter("extractor.network", "inception", PAPER),
)
EVALUATION = (  # what the published code does and this project does not: it says so and decides nothing
    Hyperparameter("evaluation.inception_score_of", "torchvision-inception", CODE, decides=False),
    Hyperparameter("evaluation.fid_of", "images neither clamped nor rounded", CODE, decides=False),
    Hyperparameter("evaluation.precision_recall_of", "images truncated to 8 bits", CODE, decides=False),
    Hyperparameter("evaluation.precision_recall_real_images", 10_000, CODE, decides=False),
    Hyperparameter(
        "evaluation.torch_fidelity_input1", "real, right before its version 0.4.0", CODE, decides=False
    ),
)
ROUNDED = "images rounded to 8 bits"
GRID = [round(0.1 * step, 1) for step in range(-6, 5)]
SDM_RECIPE = (
    *NETWORKS,
    Hyperparameter("training.unet.channels", [128, 256, 512, 512], CODE),
    Hyperparameter("training.unet.layers_per_block", 2, CODE),
    Hyperparameter("training.unet.attention_levels", [4], CODE),
    *SCHEDULE,
    Hyperparameter("training.prediction", "epsilon", PAPER),
    Hyperparameter("training.ema.decay", 0.9999, PAPER),
    Hyperparameter("training.ema.inverse_gamma", 1.0, CODE),
    Hyperparameter("training.ema.power", 0.75, CODE),
    Hyperparameter("training.precision.cuda", "fp16", PAPER, decides=False),
    Hyperparameter("training.epochs", 10, CODE, or_more=True),
    Hyperparameter("training.batch_size", 128, CODE),
    Hyperparameter("training.learning_rate", 1e-4, CODE),
    Hyperparameter("training.adam_betas", [0.95, 0.999], CODE),
    Hyperparameter("training.weight_decay", 1e-6, CODE),
    Hyperparameter("training.warmup_steps", 500, CODE),
    Hyperparameter("training.clip_norm", 1.0, CODE),
    Hyperparameter("training.horizontal_flips", True, CODE),
    *SAMPLER,
    Hyperparameter("sampling.images", 10_000, PAPER),
    Hyperparameter("sampling.precision.cuda", "fp16", CODE, decides=False),
    *SCORING,
    *EVALUATION,
    Hyperparameter("extractor.layer", "2048", PAPER),
    Hyperparameter("strengths", GRID, FIGURE, decides=False, among=True),
)
SAGD_RECIPE = (
    *NETWORKS,
    *SCHEDULE,
    Hyperparameter("training.unet.channels", [64, 128, 256], OURS, or_more=True),
    Hyperparameter("training.learning_rate", 1e-4, OURS),
    Hyperparameter("training.epochs", 10, OURS, or_more=True),
    Hyperparameter("sampling.images", 10_000, OURS, or_more=True),
    *SCORING,
)
STUDY_RECIPE = (  # the least that decides at the study's scale; all else is compared and decides nothing
    *SCHEDULE,
    Hyperparameter("training.unet.channels", [32, 64, 128], OURS, or_more=True),
    Hyperparameter("training.epochs", 5, OURS, or_more=True),
    Hyperparameter("sampling.images", 1000, OURS, or_more=True),
    Hyperparameter("scoring.neighbours", 3, CODE),
    Hyperparameter("extractor.network", "inception", PAPER),
    Hyperparameter("extractor.layer", "2048", PAPER),
)
# By the paper of an operator. Noises of both in one experiment are compared with the last.
RECIPES = {"SDM": SDM_RECIPE, "SAGD": SAGD_RECIPE}
COLOR = {"schedule": "beta", "times": None, "normalize": "off"}
SPECTRAL = {"schedule": "constant", "times": None, "normalize": "off"}
# The bands of selective omission by number: of the experiments omission1 to 8 and the noises omit1 to 8.
BANDS = {band: [round(0.08 * band - 0.04, 2), round(0.08 * band + 0.04, 2)] for band in range(1, 9)}
NOISES: dict[str, dict[str, Any]] = {
    "sdm": {"operator": "sdm", **COLOR},
    "hdm": {"operator": "hdm", **COLOR},
    "powerlaw": {"operator": "sagd_powerlaw", **SPECTRAL},
    **{
        f"omit{band}": {
            "operator": "sagd_bandpass",
            "low_band": [0, low],
            "high_band": [high, 0.75],
            **SPECTRAL,
        }
        for band, (low, high) in BANDS.items()
    },
}


@dataclass(frozen=True)
class ClaimScope:
    """What an experiment that a claim names must be about.

    source: of the data set and the noises. seeds: how many trainings at least (ours: a single one decides
    nothing); band: in which the data set is corrupted. study: at whose scale it is; together: the grid
    that one network of it learns.
    """

    dataset: str
    noises: tuple[str, ...]
    source: str = PAPER
    seeds: int = 2
    band: list[float] | None = None
    study: bool = False
    together: str | None = None


def _study(together: str | None, noise: str = "sdm") -> ClaimScope:
    return ClaimScope("cifar10", (noise,), OURS, seeds=1, study=True, together=together)


EXPERIMENTS = {
    "cifar10_sdm": ClaimScope("cifar10", ("sdm",)),
    "cifar10_variants": ClaimScope("cifar10", ("sdm", "hdm")),
    "cifar100_sdm": ClaimScope("cifar100", ("sdm",)),
    "celeba64_sdm": ClaimScope("celeba64", ("sdm",)),
    "mnist_powerlaw": ClaimScope("mnist", ("powerlaw",), OURS),
    "fashion_powerlaw": ClaimScope("fashion_mnist", ("powerlaw",), OURS),
    "cifar10_powerlaw": ClaimScope("cifar10", ("powerlaw",), OURS),
    **{
        f"omission{band}": ClaimScope("fashion_mnist", (f"omit{band}",), OURS, band=ends)
        for band, ends in BANDS.items()
    },
    **{
        f"cifar10_{what}": ClaimScope("cifar10", ("sdm",), OURS) for what in ("steps", "readings", "samplers")
    },
    **{
        f"study_{what}": _study("study")
        for what in ("sdm", "short", "steps", "steps1000", "samplers", "epochs")
    },
    "study_hdm": _study("study", "hdm"),
    "study_exact": _study("study_few"),
    "study_separate": _study(None),
}


def paper_of(operator: str) -> str | None:
    """The paper that an operator of noise is from; None for an operator of no paper."""
    return OPERATORS[operator].paper


def hyperparameters_table(experiment: Mapping[str, Any]) -> pd.DataFrame:
    """The published hyperparameters beside those of an experiment.

    experiment: `name`; `dataset` with name, images and size; `noises` by name; `extractor` with network
    and layer; `strengths`, `seeds` (how many); `training`, `scoring`, and `sampling`, whose values are
    lists where the experiment's samplers differ. Columns: experiment, key, published and run (JSON),
    source, `differs`, and `decides`: whether such a difference keeps the run from testing the paper's
    claims; of one of the study, from deciding at its scale. Which sampler an experiment takes does not
    decide; a claim asks for those that it is about.
    A noise whose operator is of no paper has a row that says so; with no other noise that is all.
    """
    papers = {name: paper_of(noise["operator"]) for name, noise in experiment["noises"].items()}
    if not papers:
        papers = {"ddpm": "SDM"}  # white noise alone is SDM's baseline
    recipes = [recipe for paper, recipe in RECIPES.items() if paper in papers.values()]
    scope = EXPERIMENTS.get(experiment["name"])
    published = [*_scope(scope), *recipes[-1]] if recipes else []
    if scope and scope.study:
        published = [*_scope(scope), *STUDY_RECIPE, *(replace(each, decides=False) for each in recipes[-1])]
    for name, paper in papers.items():
        if paper not in RECIPES:
            key = f"noises.{name}.operator"
            published.append(Hyperparameter(key, NO_RECIPE, NOWHERE, decides=not recipes))
    evaluation = {
        "inception_score_of": experiment["extractor"]["network"],
        "fid_of": ROUNDED,
        "precision_recall_of": ROUNDED,
        "precision_recall_real_images": experiment["scoring"]["reference_images"],
        "torch_fidelity_input1": "generated, right since its version 0.4.0",
    }
    return _compared(experiment["name"], {**experiment, "evaluation": evaluation}, published)


def defaults_table(defaults: Mapping[str, Any]) -> pd.DataFrame:
    """The same of what needs no training: `training.schedule` of the default recipe, and `noises`."""
    return _compared("theory", defaults, [*SCHEDULE, *_noises(("sdm",))])


def _scope(scope: ClaimScope | None) -> Iterator[Hyperparameter]:
    if scope:
        images, size = (STUDY_DATASETS if scope.study else FULL_DATASETS)[scope.dataset]
        yield Hyperparameter("dataset.name", scope.dataset, scope.source)
        yield Hyperparameter("dataset.images", images, scope.source)
        yield Hyperparameter("dataset.size", size, scope.source)
        yield Hyperparameter("dataset.band", scope.band, OURS)
        yield Hyperparameter("seeds", scope.seeds, OURS, or_more=True)
        yield from _noises(scope.noises)
        if scope.study:
            yield Hyperparameter("together", scope.together, OURS)


def _noises(names: Sequence[str]) -> Iterator[Hyperparameter]:
    for name in names:
        source = PAPER if name in ("sdm", "hdm") else OURS
        for key, value in NOISES[name].items():
            yield Hyperparameter(f"noises.{name}.{key}", value, source)


def _compared(name: str, content: Mapping[str, Any], published: Sequence[Hyperparameter]) -> pd.DataFrame:
    rows = []
    for parameter in published:
        value = _value(content, parameter.key)
        rows.append(
            {
                "experiment": name,
                "key": parameter.key,
                "published": json.dumps(parameter.value),
                "run": json.dumps(value),
                "source": parameter.source,
                "differs": not parameter.met_by(value),
                "decides": parameter.decides,
            }
        )
    return pd.DataFrame(rows)


def _value(content: Mapping[str, Any], key: str) -> Any:
    """The value below a dotted key; None where there is none."""
    value: Any = content
    for part in key.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value
