"""The published hyperparameters, and how far a run's are from them.

Values are what the SDM paper states, what its published code sets where the paper
is silent, or what its figures show; the column `source` says which. Of SAGD (arXiv 2510.09660) only
what its abstract and workshop version settle is known here; the rest of its rows are the least that
this project accepts as a test of its claims, and say so.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

PAPER, CODE, OURS = "paper", "published code", "least accepted here"


@dataclass(frozen=True)
class Hyperparameter:
    """A published value of a key of a recipe.

    decides: a run that differs does not test the claims. or_more: a larger number is as good.
    """

    key: str
    value: Any
    source: str
    decides: bool = True
    or_more: bool = False

    def met_by(self, value: Any) -> bool:
        """Whether a run with this value is as published."""
        if self.or_more and isinstance(value, int | float):
            return value >= self.value
        return value == self.value


SDM = (
    Hyperparameter("training.unet.channels", [128, 256, 512, 512], CODE),
    Hyperparameter("training.unet.layers_per_block", 2, CODE),
    Hyperparameter("training.unet.attention_levels", [4], CODE),
    Hyperparameter("training.schedule.timesteps", 1000, PAPER),
    Hyperparameter("training.schedule.beta_start", 1e-4, PAPER),
    Hyperparameter("training.schedule.beta_end", 0.02, PAPER),
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
    Hyperparameter("sampling.method", "ancestral", PAPER, decides=False),
    Hyperparameter("sampling.steps", 50, PAPER, decides=False),
    Hyperparameter("sampling.spacing", "leading", CODE, decides=False),
    Hyperparameter("sampling.variance", "fixed_small", CODE, decides=False),
    Hyperparameter("sampling.reading", "published", CODE, decides=False),
    Hyperparameter("sampling.clamp", "whitened", CODE, decides=False),
    Hyperparameter("sampling.images", 10_000, PAPER),
    Hyperparameter("sampling.precision.cuda", "fp32", CODE, decides=False),
    Hyperparameter("scoring.reference_images", "all", PAPER),
    Hyperparameter("extractor", "inception", PAPER),
    Hyperparameter("noise.schedule", "beta", PAPER),
)
SAGD = (
    Hyperparameter("training.schedule.timesteps", 1000, OURS),
    Hyperparameter("training.epochs", 10, OURS, or_more=True),
    Hyperparameter("sampling.images", 10_000, OURS, or_more=True),
    Hyperparameter("scoring.reference_images", "all", OURS),
    Hyperparameter("noise.schedule", "constant", PAPER),
)
# What the experiments that claims name are about, and how many images that is: all of them.
EXPERIMENTS = {
    **dict.fromkeys(("cifar10_sdm", "cifar10_variants", "cifar10_powerlaw"), "cifar10"),
    **dict.fromkeys(("cifar10_steps", "cifar10_readings", "cifar10_samplers"), "cifar10"),
    "cifar100_sdm": "cifar100",
    "celeba64_sdm": "celeba64",
    "mnist_powerlaw": "mnist",
    "fashion_powerlaw": "fashion_mnist",
    **{f"omission{band}": "fashion_mnist" for band in range(1, 9)},
}
IMAGES = {
    "cifar10": 50_000,
    "cifar100": 50_000,
    "celeba64": 162_770,
    "mnist": 60_000,
    "fashion_mnist": 60_000,
}


def hyperparameters_table(experiment: Mapping[str, Any]) -> pd.DataFrame:
    """The published hyperparameters beside those of an experiment.

    experiment: `name`, `dataset`, `images` of it, `operator` of its noise, `extractor`, and `noise`,
    `training`, `sampling` and `scoring` as dictionaries. Columns: experiment, key, published and run
    (JSON), source, `differs`, and `decides`: whether such a difference keeps the run from testing the
    paper's claims. A clamp `auto` is shown as what it comes to. The samplers of an experiment may
    differ from its recipe on purpose, so no sampler decides.
    """
    operator = experiment["operator"]
    published = SAGD if operator.startswith("sagd") else SDM
    dataset = EXPERIMENTS.get(experiment["name"])
    if dataset:
        about = Hyperparameter("dataset", dataset, PAPER), Hyperparameter("images", IMAGES[dataset], PAPER)
        published = (*about, *published)
    rows = []
    for parameter in published:
        value = _value(experiment, parameter.key)
        differs = not parameter.met_by(value)
        rows.append(
            {
                "experiment": experiment["name"],
                "key": parameter.key,
                "published": json.dumps(parameter.value),
                "run": json.dumps(value),
                "source": parameter.source,
                "differs": differs,
                "decides": parameter.decides,
            }
        )
    return pd.DataFrame(rows)


def _value(experiment: Mapping[str, Any], key: str) -> Any:
    value: Any = experiment
    for part in key.split("."):
        value = value[part]
    return value
