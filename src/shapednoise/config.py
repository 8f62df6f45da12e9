"""The config's schema: one model for config.yaml with its overlays, closed keys, cross-checked.

`parse_config` turns a plain dictionary into a Config or raises ConfigError, one line that names the
key and the remedy. Nothing here imports torch: the workflow parses it at every start.
"""

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Discriminator, Field, Tag, ValidationError, model_validator

from shapednoise.console import UserError
from shapednoise.settings.base import Name, Seed, Settings, Strength
from shapednoise.settings.data import CorruptedSettings, DatasetSettings, ExtractorSettings
from shapednoise.settings.figures import (
    DriftSettings,
    FigureSettings,
    ForwardNoiseSettings,
    OmissionSettings,
    SampleGridsSettings,
)
from shapednoise.settings.noise import BandPassSettings, ColourSettings, NoiseSettings, shape_of
from shapednoise.settings.recipe import RecipeSettings
from shapednoise.settings.sampling import SamplerSettings

BASELINE = "ddpm"
_TAGS = {"name", "list", "clean set", "corrupted set"}


def _named_or_listed(values: Any) -> str:
    return "name" if isinstance(values, str) else "list"


StrengthGrid = Annotated[
    Annotated[Name, Tag("name")] | Annotated[tuple[Strength, ...], Tag("list")],
    Discriminator(_named_or_listed),
]
SeedList = Annotated[
    Annotated[Name, Tag("name")] | Annotated[tuple[Seed, ...], Tag("list")],
    Discriminator(_named_or_listed),
]


def _clean_or_corrupted(entry: Any) -> str:
    corrupted = "corrupts" in entry if isinstance(entry, Mapping) else isinstance(entry, CorruptedSettings)
    return "corrupted set" if corrupted else "clean set"


AnyDatasetSettings = Annotated[
    Annotated[DatasetSettings, Tag("clean set")] | Annotated[CorruptedSettings, Tag("corrupted set")],
    Discriminator(_clean_or_corrupted),
]


class ConfigError(UserError):
    """The config is wrong; the message names the key and the remedy in one line."""


class ExperimentSettings(Settings):
    """A named set of points: noises x strengths x seeds, under one recipe, by one or more samplers."""

    dataset: Name = Field(description="The data set to learn.")
    noises: tuple[Name, ...] = Field(min_length=1, description="Noise variants, one curve each.")
    strengths: StrengthGrid = Field(description="Strengths, or the name of a grid.")
    seeds: SeedList = Field(description="Training seeds, or the name of a list.")
    recipe: Name | None = Field(None, description="The recipe; the config's own where none is named.")
    samplers: tuple[dict[str, Any], ...] = Field(
        ({},), min_length=1, description="Changes to the recipe's sampling; each gives a sample set a model."
    )


class Config(Settings):
    """Everything a run depends on. The papers' grid is config.yaml; overlays change parts of it."""

    name: Name = Field(description="Name of this configuration; a results folder belongs to one.")
    results: str = Field(description="Folder of the results.")
    data_dir: str = Field("data", description="Folder of downloads and data sets, shared by all runs.")
    targets: tuple[Name, ...] = Field(description="Figures that `all` makes.")
    recipe: Name = Field(description="The recipe of experiments that name none.")
    extractor: Name = Field(description="The feature extractor of all scores.")
    strengths: dict[Name, tuple[Strength, ...]] = Field({}, description="Named grids of strengths.")
    seeds: dict[Name, tuple[Seed, ...]] = Field({}, description="Named lists of training seeds.")
    datasets: dict[Name, AnyDatasetSettings] = Field(description="Data sets by name, clean or corrupted.")
    extractors: dict[Name, ExtractorSettings] = Field(description="Feature extractors by name.")
    noises: dict[Name, NoiseSettings] = Field(description="Noise variants by name.")
    recipes: dict[Name, RecipeSettings] = Field(description="Recipes by name.")
    experiments: dict[Name, ExperimentSettings] = Field(description="Sets of points by name.")
    figures: dict[Name, FigureSettings] = Field(description="Figures by name; each is a target.")

    @model_validator(mode="after")
    def _fits_together(self) -> "Config":
        problems = [*self._unknown_names(), *self._bad_grids(), *self._doubly_corrupted()]
        if not problems:
            problems = [*self._bad_noises(), *self._bad_datasets(), *self._bad_recipes()]
            problems += [*self._bad_samplers(), *self._bad_figures()]
        if problems:
            raise ValueError(problems[0])
        return self

    def strengths_of(self, experiment: str) -> tuple[float, ...]:
        """The strengths of an experiment, its grid's name resolved."""
        strengths = self.experiments[experiment].strengths
        return self.strengths[strengths] if isinstance(strengths, str) else strengths

    def seeds_of(self, experiment: str) -> tuple[int, ...]:
        """The training seeds of an experiment, its list's name resolved."""
        seeds = self.experiments[experiment].seeds
        return self.seeds[seeds] if isinstance(seeds, str) else seeds

    def recipe_of(self, experiment: str) -> str:
        """The name of an experiment's recipe."""
        return self.experiments[experiment].recipe or self.recipe

    def samplers_of(self, experiment: str) -> tuple[SamplerSettings, ...]:
        """The samplers of an experiment: its recipe's, with each of its changes."""
        base = self.recipes[self.recipe_of(experiment)].sampling.model_dump()
        changes = self.experiments[experiment].samplers
        return tuple(SamplerSettings.model_validate({**base, **change}) for change in changes)

    def shape(self, noise: str, strength: float) -> dict[str, Any]:
        """The shape of a noise at a strength, as make_shape takes it, without the data's colour axis."""
        return shape_of(self.noises[noise], strength, self.noises)

    def clean_of(self, dataset: str) -> str:
        """The clean data set behind a data set: the one that it corrupts, or itself."""
        settings = self.datasets[dataset]
        return settings.corrupts if isinstance(settings, CorruptedSettings) else dataset

    def images_of(self, dataset: str) -> DatasetSettings:
        """How many images of which size a data set has: what its clean data set says."""
        return self.datasets[self.clean_of(dataset)]

    def _unknown_names(self) -> Iterator[str]:
        """References to things that the config does not define."""
        uses = [("recipe", self.recipe, self.recipes), ("extractor", self.extractor, self.extractors)]
        uses += [("targets", target, self.figures) for target in self.targets]
        for name in self.datasets:
            uses.append((f"datasets.{name}.corrupts", self.clean_of(name), self.datasets))
        for name, experiment in self.experiments.items():
            key = f"experiments.{name}"
            uses.append((f"{key}.dataset", experiment.dataset, self.datasets))
            uses += [(f"{key}.noises", noise, self.noises) for noise in experiment.noises]
            uses.append((f"{key}.recipe", self.recipe_of(name), self.recipes))
            if isinstance(experiment.strengths, str):
                uses.append((f"{key}.strengths", experiment.strengths, self.strengths))
            if isinstance(experiment.seeds, str):
                uses.append((f"{key}.seeds", experiment.seeds, self.seeds))
        for name, noise in self.noises.items():
            if noise.times:
                uses.append((f"noises.{name}.times.noise", noise.times.noise, self.noises))
        kinds = {"experiment": self.experiments, "dataset": self.datasets, "noise": self.noises}
        for name, figure in self.figures.items():
            for field, known in kinds.items():
                if getattr(figure, field, None) is not None:
                    uses.append((f"figures.{name}.{field}", getattr(figure, field), known))
            for experiment in getattr(figure, "experiments", ()):
                uses.append((f"figures.{name}.experiments", experiment, self.experiments))
        for key, used, known in uses:
            if used not in known:
                yield f"{key}: there is no {used!r}; {_suggest(used, known)}"

    def _bad_grids(self) -> Iterator[str]:
        """What the baseline and the lists must satisfy."""
        baseline = self.noises.get(BASELINE)
        if baseline is None or baseline.operator != BASELINE:
            yield f"noises.{BASELINE}: the baseline must be there, with operator {BASELINE}"
        lists = {f"strengths.{name}": values for name, values in self.strengths.items()}
        lists |= {f"seeds.{name}": values for name, values in self.seeds.items()}
        for name, experiment in self.experiments.items():
            for group in ("strengths", "seeds"):
                values = getattr(experiment, group)
                lists |= {} if isinstance(values, str) else {f"experiments.{name}.{group}": values}
        for key, values in lists.items():
            if not values or len(set(values)) != len(values):
                yield f"{key}: give at least one value, each once"
        for name, figure in self.figures.items():
            operator = getattr(self.noises.get(getattr(figure, "noise", "")), "operator", None)
            if operator == BASELINE:
                yield f"figures.{name}.noise: {BASELINE} has no strength; name a noise that is shaped"

    def _doubly_corrupted(self) -> Iterator[str]:
        """Data sets that corrupt one that is corrupted."""
        for name in self.datasets:
            clean = self.clean_of(name)
            if clean != name and isinstance(self.datasets.get(clean), CorruptedSettings):
                yield f"datasets.{name}.corrupts: {clean} is corrupted itself; name a clean data set"
            elif clean == name and isinstance(self.datasets[name], CorruptedSettings):
                yield f"datasets.{name}.corrupts: it names itself; name a clean data set"

    def _bad_datasets(self) -> Iterator[str]:
        """Bands without a frequency, and noises of colours on data sets that are grey."""
        for name, settings in self.datasets.items():
            size = self.images_of(name).size
            if isinstance(settings, CorruptedSettings) and not settings.reaches(size):
                yield f"datasets.{name}.band: {size} x {size} images have no frequency in it; widen it"
        used = [(f"experiments.{name}.noises", e.dataset, e.noises) for name, e in self.experiments.items()]
        for name, figure in self.figures.items():
            if isinstance(figure, ForwardNoiseSettings):
                used.append((f"figures.{name}.noise", figure.dataset, (figure.noise,)))
        for key, dataset, noises in used:
            for noise in noises:
                if self.images_of(dataset).channels == 1 and self._squeezes_colours(noise):
                    yield f"{key}: {noise} squeezes a colour axis and {dataset} is grey; use another noise"

    def _squeezes_colours(self, noise: str) -> bool:
        """Whether a noise, or the noise that multiplies it, needs the data's colour axis."""
        factor = self.noises[noise].times
        kinds = [self.noises[noise], *([self.noises[factor.noise]] if factor else [])]
        return any(isinstance(kind, ColourSettings) for kind in kinds)

    def _bad_noises(self) -> Iterator[str]:
        """Products that are none, and strengths that a noise does not have."""
        used = [
            (f"experiments.{name}.strengths", noise, self.strengths_of(name))
            for name, experiment in self.experiments.items()
            for noise in experiment.noises
        ]
        for name, noise in self.noises.items():
            if noise.times is None:
                continue
            factor = self.noises[noise.times.noise]
            used.append((f"noises.{name}.times.strength", noise.times.noise, (noise.times.strength,)))
            if factor.times or factor.operator == BASELINE:
                yield f"noises.{name}.times.noise: {noise.times.noise} is white or a product; name another"
            elif isinstance(noise, ColourSettings) == isinstance(factor, ColourSettings):
                yield (
                    f"noises.{name}.times.noise: {noise.times.noise} acts on the same basis; a noise of the "
                    "colours (sdm, hdm) is multiplied by one of the frequencies (sagd_...), or the reverse"
                )
        for key, noise, strengths in used:
            if isinstance(self.noises[noise], BandPassSettings) and not all(0 <= s <= 1 for s in strengths):
                yield f"{key}: a strength of {noise}, a share of the band mixture, lies in 0..1"

    def _bad_recipes(self) -> Iterator[str]:
        """Recipes that do not fit the data sets of their experiments."""
        for name, experiment in self.experiments.items():
            recipe, dataset = self.recipes[self.recipe_of(name)], self.images_of(experiment.dataset)
            where = f"recipes.{self.recipe_of(name)}"
            levels = len(recipe.training.unet.channels)
            if dataset.size % 2 ** (levels - 1):
                yield (
                    f"{where}.training.unet.channels: {levels} levels halve the {dataset.size} pixels of "
                    f"{experiment.dataset} {levels - 1} times, which does not come out even; use fewer levels"
                )
            reference, needed = recipe.scoring.reference_images, recipe.scoring.images_needed()
            wanted = dataset.images if reference == "all" else reference
            if wanted < needed:
                yield f"{where}.scoring.reference_images: {_too_few(wanted, needed)}"
            if wanted > dataset.images:
                yield (
                    f"{where}.scoring.reference_images: {wanted} images, but {experiment.dataset} "
                    f"has {dataset.images}; lower it or write all"
                )

    def _bad_samplers(self) -> Iterator[str]:
        """Samplers that cannot run, that draw too few images, or that share their files."""
        seen: dict[tuple[str, str], SamplerSettings] = {}
        for name in self.experiments:
            recipe = self.recipes[self.recipe_of(name)]
            where = f"recipes.{self.recipe_of(name)}.sampling"
            try:
                samplers = self.samplers_of(name)
            except ValidationError as error:
                yield f"experiments.{name}.samplers.{_one_line(error)}"
                continue
            timesteps, needed = recipe.training.schedule.timesteps, recipe.scoring.images_needed()
            for sampler in samplers:
                if sampler.steps > timesteps:
                    yield f"{where}.steps: {sampler.steps} is more than the {timesteps} timesteps; lower it"
                if sampler.images < needed:
                    yield f"{where}.images: {_too_few(sampler.images, needed)}"
                if seen.setdefault((self.recipe_of(name), sampler.slug), sampler) != sampler:
                    yield (
                        f"experiments.{name}.samplers: {sampler.slug} is there twice, with settings that "
                        "file names do not tell apart (precision); remove one"
                    )

    def _bad_figures(self) -> Iterator[str]:
        """Figures that ask for what is not there: a strength, an image, a number of steps."""
        timesteps = self.recipes[self.recipe].training.schedule.timesteps
        for name, figure in self.figures.items():
            if isinstance(figure, DriftSettings) and max(figure.steps) > timesteps:
                yield f"figures.{name}.steps: {max(figure.steps)} is more than the {timesteps} timesteps"
            if (
                isinstance(figure, ForwardNoiseSettings)
                and figure.image >= self.images_of(figure.dataset).images
            ):
                count = self.images_of(figure.dataset).images
                yield f"figures.{name}.image: {figure.image} is no image of {figure.dataset}; it has {count}"
            if isinstance(figure, OmissionSettings):
                yield from self._bad_omission(name, figure)
            if isinstance(figure, SampleGridsSettings) and name in self.targets:
                for strength in figure.strengths:
                    if strength not in self.strengths_of(figure.experiment):
                        yield (
                            f"figures.{name}.strengths: {strength:g} is not in experiment "
                            f"{figure.experiment}; add it there or remove it here"
                        )

    def _bad_omission(self, name: str, figure: OmissionSettings) -> Iterator[str]:
        """What a figure of selective omission needs of its experiments."""
        if figure.shown not in figure.experiments:
            yield f"figures.{name}.shown: {figure.shown!r} is none of its experiments; name one of them"
        for experiment in figure.experiments:
            settings, strengths = self.experiments[experiment], self.strengths_of(experiment)
            if self.clean_of(settings.dataset) == settings.dataset:
                yield (
                    f"figures.{name}.experiments: the data set of {experiment}, {settings.dataset}, is not "
                    "corrupted; name one that `corrupts` another"
                )
            if len(settings.noises) != 1 or 0.0 not in strengths or len(strengths) != 2:
                yield (
                    f"figures.{name}.experiments: {experiment} must have one noise and two strengths, "
                    "0 and that of the noise which leaves the band out"
                )


def parse_config(content: Mapping[str, Any]) -> Config:
    """A Config from a plain dictionary. Raises ConfigError."""
    try:
        return Config.model_validate(dict(content))
    except ValidationError as error:
        raise ConfigError(f"config: {_one_line(error)}") from None


def load_config(*paths: str | Path) -> Config:
    """A Config from YAML files, later ones laid over earlier ones key by key. Raises ConfigError."""
    merged: dict[str, Any] = {}
    for path in paths:
        merge(merged, yaml.safe_load(Path(path).read_text(encoding="utf-8")) or {})
    return parse_config(merged)


def merge(base: dict[str, Any], overlay: Mapping[str, Any]) -> None:
    """Lay `overlay` over `base` in place: dictionaries key by key, all else replaced."""
    for key, value in overlay.items():
        if isinstance(value, Mapping) and isinstance(base.get(key), dict):
            merge(base[key], value)
        else:
            base[key] = value


def _too_few(images: int, needed: int) -> str:
    return (
        f"{images} images are fewer than the {needed} that the scores need; "
        "raise it or lower scoring.kid_subset_size"
    )


def _one_line(error: ValidationError) -> str:
    """The first problem, `key: what; remedy`, and how many more there are."""
    problems = error.errors()
    first = problems[0]
    key = ".".join(str(part) for part in first["loc"] if part not in _TAGS)
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    if first["type"] == "extra_forbidden" and first["loc"][-1] in _all_keys():
        text = "does not belong here; remove it"
    elif first["type"] == "extra_forbidden":
        text = f"unknown key; {_suggest(str(first['loc'][-1]), _all_keys())}"
    elif first["type"] == "missing":
        text = "is missing; add it"
    else:
        text = first["msg"].removeprefix("Value error, ")
        if first["type"] != "value_error":
            text += f" (it is {first['input']!r})"
    return f"{key}: {text}{more}" if key else f"{text}{more}"


def _suggest(wrong: str, known: Any) -> str:
    close = difflib.get_close_matches(wrong, list(known), 1)
    if close:
        return f"did you mean {close[0]!r}?"
    names = ", ".join(sorted(known)) if len(known) <= 12 else ""
    return f"known: {names}" if names else "remove it or correct its spelling"


def _all_keys(settings: type[Settings] = Settings) -> set[str]:
    keys = set(settings.model_fields)
    for kind in settings.__subclasses__():
        keys |= _all_keys(kind)
    return keys
