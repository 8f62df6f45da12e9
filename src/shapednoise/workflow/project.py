"""The config of the project, with all kinds of figures registered, and what jobs are told of it."""

from collections.abc import Iterable
from typing import Any

from shapednoise.config.load import load_config, load_project_config, merge, parse_config
from shapednoise.config.schema import Config
from shapednoise.figures.kinds import FIGURE_KINDS
from shapednoise.metrics.registry import METRICS
from shapednoise.noise.operators import BASELINE

__all__ = [
    "FIGURE_KINDS",
    "METRICS",
    "experiment_facts",
    "load_config",
    "load_project_config",
    "merge",
    "parse_config",
    "theory_facts",
]


def experiment_facts(config: Config, experiment: str) -> dict[str, Any]:
    """The hyperparameters of an experiment, to be compared with the published ones."""
    settings, recipe = config.experiments[experiment], config.recipes[config.recipe_of(experiment)]
    extractor = config.extractors[config.extractor_of(experiment)]
    images = config.images_of(settings.dataset)
    samplers = [sampler.record() for sampler in config.samplers_of(experiment)]
    return {
        "name": experiment,
        "dataset": {
            "name": config.clean_of(settings.dataset),
            "band": getattr(config.datasets[settings.dataset], "band", None),
            **images.model_dump(mode="json", include={"images", "size"}),
        },
        "noises": _noises(config, (name for name in settings.noises if name != BASELINE)),
        "extractor": {"network": extractor.network, "layer": extractor.layer or "2048"},
        "strengths": config.strengths_of(experiment),
        "seeds": len(config.seeds_of(experiment)),
        "training": recipe.training.model_dump(mode="json"),
        "scoring": recipe.scoring.model_dump(mode="json"),
        "sampling": {key: _one_or_all([sampler[key] for sampler in samplers]) for key in samplers[0]},
    }


def theory_facts(config: Config) -> dict[str, Any]:
    """The schedule and the noise of the closed-form theory, to be compared with the published ones."""
    noises = _noises(config, (name for name in ("sdm",) if name in config.noises))
    return {"training": {"schedule": config.schedule.model_dump(mode="json")}, "noises": noises}


def _noises(config: Config, names: Iterable[str]) -> dict[str, Any]:
    return {name: config.noises[name].model_dump(mode="json") for name in names}


def _one_or_all(values: list[Any]) -> Any:
    """The value where all are equal, else the list of the different ones."""
    different = [value for index, value in enumerate(values) if value not in values[:index]]
    return different[0] if len(different) == 1 else different
