"""The config of the project, with all kinds of figures registered, and what jobs are told of it."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from shapednoise.config.load import (
    check_resources,
    load_config,
    load_project_config,
    merge,
    parse_config,
    read_over,
    read_yaml,
)
from shapednoise.config.schema import TOGETHER, Config
from shapednoise.errors import UserError
from shapednoise.figures.kinds import FIGURE_KINDS
from shapednoise.files import read_json, write_json
from shapednoise.noise.operators import BASELINE
from shapednoise.workflow.checksums import begin
from shapednoise.workflow.layout import Layout
from shapednoise.workflow.locks import hold_until_exit

__all__ = [
    "FIGURE_KINDS",
    "check_resources",
    "dataset_facts",
    "distortion_facts",
    "distortion_parameters",
    "experiment_facts",
    "load_config",
    "load_project_config",
    "merge",
    "own_results",
    "parse_config",
    "read_over",
    "read_yaml",
    "sample_set_facts",
    "snapshot",
    "theory_facts",
]


def snapshot(config: Config) -> str:
    """The file with the resolved config of the last run."""
    return f"{config.results}/config.json"


def own_results(config: Config) -> None:
    """Write down the resolved config; the results folder is this process's until it ends.

    Raises UserError if another configuration made the folder, or another run is at work there.
    """
    file, remedy = Path(snapshot(config)), "give `results` in the config another folder"
    if file.is_file() and (owner := read_json(file)["name"]) != config.name:
        raise UserError(
            f"{config.results} was made by configuration {owner!r}, this one is {config.name!r}; {remedy}"
        )
    hold_until_exit(
        Path(config.results, ".run.lock"),
        lambda holder: (
            f"{config.results} is being written by {holder}; wait until that run is done, or {remedy}"
        ),
    )
    with suppress(OSError):  # where nothing can be written, the next line says so
        begin(Path(config.results))
    write_json(file, config.model_dump(mode="json"))


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
        "together": settings.together,
        "seeds": len(config.seeds_of(experiment)),
        "training": recipe.training.model_dump(mode="json"),
        "scoring": recipe.scoring.model_dump(mode="json"),
        "sampling": {key: _one_or_all([sampler[key] for sampler in samplers]) for key in samplers[0]},
    }


def dataset_facts(config: Config, name: str) -> dict[str, str]:
    """What the card of a model says of its data; hub: OWNER/NAME on the Hugging Face hub, or nothing."""
    clean = config.datasets[config.clean_of(name)]
    hub = next((source.hub.partition("@")[0] for source in clean.sources if source.hub), "")
    return {"name": name, "title": config.datasets[name].title, "licence": clean.licence, "hub": hub}


def sample_set_facts(layout: Layout, wildcards: Mapping[str, str]) -> dict[str, Any]:
    """What the scores of a sample set belong to, for their record. wildcards: those of its rule."""
    sampler = layout.sampler_of(wildcards)
    noise, strength = wildcards["noise"], layout.strength_of(wildcards)
    white = layout.config.shape(noise, strength)["operator"] == BASELINE
    return {
        **{name: wildcards[name] for name in ("dataset", "marginal", "recipe")},
        "noise": BASELINE if white else noise,
        "network": wildcards["network"] if wildcards["network"].startswith(TOGETHER) else "separate",
        "reference": layout.config.clean_of(wildcards["dataset"]),
        "strength": strength,
        "seed": int(wildcards["seed"]),
        "sampler": sampler.record(exclude={"precision"}),
    }


def distortion_facts(layout: Layout, wildcards: Mapping[str, str]) -> dict[str, Any]:
    """What a set of distorted images is: noise, strength, shape and sampler. wildcards: of its rule."""
    found = layout.distorted[wildcards["dataset"], wildcards["point"]]
    return {
        "noise": found.noise,
        "strength": found.strength,
        "shape": (
            layout.config.shape(found.noise, found.strength) if found.sampler else {"operator": BASELINE}
        ),
        "sampler": found.sampler and found.sampler.in_theory(),
    }


def distortion_parameters(layout: Layout, wildcards: Mapping[str, str]) -> dict[str, Any]:
    """How the images of a set are distorted, and how many others they are kept apart from."""
    facts, dataset = distortion_facts(layout, wildcards), wildcards["dataset"]
    return {
        **{key: facts[key] for key in ("shape", "sampler")},
        "count": layout.distorted[dataset, wildcards["point"]].images,
        "apart_from": layout.largest_reference[dataset],
        "schedule": layout.config.schedule.for_diffusers(),
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
