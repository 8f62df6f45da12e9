"""What a config asks for: models, sample sets and points, each once, and where their files are.

A model is what training sees: data set x noise x strength x marginal x recipe x seed. A sample set
is a model x a sampler. A point is a sample set with its scores. This is the only place that knows
the paths.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from shapednoise.config.base import strength_text
from shapednoise.config.figures import FigureSettings
from shapednoise.config.noise import Marginal, marginal_of
from shapednoise.config.sampling import SamplerSettings
from shapednoise.config.schema import Config
from shapednoise.noise.operators import BASELINE

MODEL = "{dataset}/{noise}/s{strength}/{marginal}/{recipe}/seed{seed}"
SAMPLES = MODEL + "/{sampler}"


@dataclass(frozen=True)
class Model:
    """What training sees, and nothing else."""

    dataset: str
    noise: str
    strength: str
    marginal: Marginal
    recipe: str
    seed: int

    @property
    def path(self) -> str:
        """Its place below `models/`."""
        return MODEL.format(**vars(self))


@dataclass(frozen=True)
class SampleSet:
    """Images drawn from a model by one sampler."""

    model: Model
    sampler: SamplerSettings

    @property
    def path(self) -> str:
        """Its place below `samples/`, `features/` and `scores/`."""
        return f"{self.model.path}/{self.sampler.slug}"


def prepared(config: Config, dataset: str) -> str:
    """The place of a data set's array and manifest below the data folder: `celeba64/crop140-size64`.

    What was done to the pictures is part of it; a corrupted data set says it of its clean one.
    """
    return f"{dataset}/{config.images_of(dataset).prepared}"


def make_model(
    config: Config,
    dataset: str,
    noise: str,
    strength: float,
    sampler: SamplerSettings,
    recipe: str,
    seed: int,
) -> Model:
    """The model of a point. What comes to white noise is the one baseline, whatever the marginal."""
    if config.shape(noise, strength)["operator"] == BASELINE:
        return Model(dataset, BASELINE, strength_text(0), "published", recipe, seed)
    marginal = marginal_of(sampler.reading)
    return Model(dataset, noise, strength_text(strength), marginal, recipe, seed)


def sample_sets(config: Config, experiment: str) -> list[SampleSet]:
    """The sample sets of an experiment, each once, in the order of the config."""
    return list(dict.fromkeys(_sample_sets(config, experiment)))


def _sample_sets(config: Config, experiment: str) -> Iterator[SampleSet]:
    settings, recipe = config.experiments[experiment], config.recipe_of(experiment)
    samplers = config.samplers_of(experiment)
    for noise in settings.noises:
        for strength in config.strengths_of(experiment):
            for seed in config.seeds_of(experiment):
                for sampler in samplers:
                    model = make_model(config, settings.dataset, noise, strength, sampler, recipe, seed)
                    yield SampleSet(model, sampler)


def wanted_experiments(config: Config) -> list[str]:
    """The experiments behind the target figures, each once, in the order of the targets."""
    figures = (config.figures[target] for target in config.targets)
    return list(dict.fromkeys(name for figure in figures for name in experiments_of(figure)))


def experiments_of(figure: FigureSettings) -> tuple[str, ...]:
    """The experiments that a figure draws."""
    one = getattr(figure, "experiment", None)
    return getattr(figure, "experiments", (one,) if one else ())


def wanted_sample_sets(config: Config) -> list[SampleSet]:
    """The sample sets of all wanted experiments, each once."""
    wanted = (sample_set for name in wanted_experiments(config) for sample_set in sample_sets(config, name))
    return list(dict.fromkeys(wanted))


def score_files(config: Config, experiment: str) -> list[str]:
    """The scores of an experiment's sample sets, below the results folder, in the order of the config.

    Extractor and reference are in the name of each file.
    """
    reference = config.recipes[config.recipe_of(experiment)].scoring.reference_slug()
    name = f"{config.extractor_of(experiment)}-{reference}.json"
    return [f"scores/{sample_set.path}/{name}" for sample_set in sample_sets(config, experiment)]


def wanted_score_files(config: Config) -> list[str]:
    """The scores of all wanted experiments, each once."""
    wanted = (file for name in wanted_experiments(config) for file in score_files(config, name))
    return list(dict.fromkeys(wanted))
