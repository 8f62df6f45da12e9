"""The config's schema: one model for config.yaml with its overlays, closed keys, cross-checked."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import Discriminator, Field, SerializeAsAny, Tag, TypeAdapter, ValidationError, model_validator

from shapednoise.config.base import (
    Name,
    OutputFolder,
    Seed,
    SeedList,
    Settings,
    Strength,
    StrengthGrid,
    one_line,
    strength_text,
)
from shapednoise.config.checks import problems
from shapednoise.config.claims import PlannedRun
from shapednoise.config.data import CorruptedSettings, DatasetSettings, DownloadSettings, ExtractorSettings
from shapednoise.config.figures import FigureSettings, NoiseAtStrength
from shapednoise.config.machine import ClusterSettings, EngineSettings, KeepSettings
from shapednoise.config.noise import NoiseSettings, shape_of
from shapednoise.config.sampling import DenoisingSettings, SamplerSettings
from shapednoise.config.scoring import ScoringSettings
from shapednoise.config.training import ScheduleSettings, TrainingSettings
from shapednoise.errors import ConfigError
from shapednoise.noise.operators import BASELINE

SAMPLERS = TypeAdapter(tuple[SamplerSettings, ...])
TOGETHER = "together_"  # before a grid, the name of a network of many strengths


def _clean_or_corrupted(entry: Any) -> str:
    corrupted = "corrupts" in entry if isinstance(entry, Mapping) else isinstance(entry, CorruptedSettings)
    return "corrupted set" if corrupted else "clean set"


AnyDatasetSettings = Annotated[
    Annotated[DatasetSettings, Tag("clean set")] | Annotated[CorruptedSettings, Tag("corrupted set")],
    Discriminator(_clean_or_corrupted),
]


class RecipeSettings(Settings):
    """Training, sampling and scoring; each is seen only by the rules that it concerns."""

    training: TrainingSettings = Field(description="What a trained model depends on.")
    sampling: SamplerSettings = Field(SamplerSettings(), description="How images are drawn from it.")
    denoising: DenoisingSettings = Field(
        DenoisingSettings(), description="How an optimal variance is measured on the network."
    )
    scoring: ScoringSettings = Field(ScoringSettings(), description="How the images are scored.")


class ExperimentSettings(Settings):
    """A named set of points: noises x strengths x seeds, under one recipe, by one or more samplers."""

    dataset: Name = Field(description="The data set to learn.")
    noises: tuple[Name, ...] = Field(min_length=1, description="Noise variants, one curve each.")
    strengths: StrengthGrid = Field(description="Strengths, or the name of a grid.")
    together: Name | None = Field(
        None,
        description="A grid's name: one network for all its strengths, trained once a seed and sampled at "
        "each of `strengths`. null: a network for each strength.",
    )
    seeds: SeedList = Field(description="Training seeds, or the name of a list.")
    recipe: Name | None = Field(None, description="The recipe; the config's own where none is named.")
    extractor: Name | None = Field(
        None, description="The feature extractor of its scores; the config's own where none is named."
    )
    samplers: tuple[dict[str, Any], ...] = Field(
        ({},),
        min_length=1,
        description="Changes to the recipe's sampling, a sample set of each model for each.",
    )


class Config(Settings):
    """Everything a run depends on. The papers' grid is config.yaml; overlays change parts of it."""

    name: Name = Field(description="Name of this configuration; a results folder belongs to one.")
    results: OutputFolder = Field(description="Folder of the results.")
    data_dir: OutputFolder = Field("data", description="Folder of downloads and data sets of all runs.")
    offline: bool = Field(False, description="Use no network, only what was fetched or put there before.")
    download: DownloadSettings = Field(DownloadSettings(), description="How long downloads go on.")
    engine: EngineSettings = Field(EngineSettings(), description="How fast and how safely to compute.")
    keep: KeepSettings = Field(KeepSettings(), description="Which large files stay on the disk.")
    cluster: ClusterSettings = Field(ClusterSettings(), description="What jobs ask of a cluster; site.yaml.")
    targets: tuple[Name, ...] = Field(description="Figures that `all` makes.")
    recipe: Name = Field(description="The recipe of experiments that name none.")
    extractor: Name = Field(description="The feature extractor of experiments that name none.")
    strengths: dict[Name, tuple[Strength, ...]] = Field({}, description="Named grids of strengths.")
    seeds: dict[Name, tuple[Seed, ...]] = Field({}, description="Named lists of training seeds.")
    noises: dict[Name, NoiseSettings] = Field(description="Noise variants by name.")
    datasets: dict[Name, AnyDatasetSettings] = Field(description="Data sets by name, clean or corrupted.")
    extractors: dict[Name, ExtractorSettings] = Field(description="Feature extractors by name.")
    recipes: dict[Name, RecipeSettings] = Field(description="Recipes by name.")
    experiments: dict[Name, ExperimentSettings] = Field(description="Sets of points by name.")
    claims: dict[Name, PlannedRun] = Field(
        {}, description="What is planned for each claim, or for `every` claim that is not named."
    )
    figures: dict[Name, SerializeAsAny[FigureSettings]] = Field(
        description="Figures by name; each is a target."
    )

    @model_validator(mode="after")
    def _fits_together(self) -> "Config":
        for problem in problems(self):
            raise ValueError(problem)
        for name, settings in self.datasets.items():
            if isinstance(settings, CorruptedSettings) and not settings.title:
                low, high = settings.band
                title = f"{self.datasets[settings.corrupts].title}, noise in {low:g}-{high:g}"
                self.datasets[name] = settings.model_copy(update={"title": title})
        return self

    def strengths_of(self, experiment: str) -> tuple[float, ...]:
        """The strengths of an experiment, its grid's name resolved."""
        return self.grid(self.experiments[experiment].strengths)

    def grid(self, strengths: str | tuple[float, ...]) -> tuple[float, ...]:
        """Strengths, a grid's name resolved."""
        return self.strengths[strengths] if isinstance(strengths, str) else strengths

    def seeds_of(self, experiment: str) -> tuple[int, ...]:
        """The training seeds of an experiment, its list's name resolved."""
        seeds = self.experiments[experiment].seeds
        return self.seeds[seeds] if isinstance(seeds, str) else seeds

    def recipe_of(self, experiment: str) -> str:
        """The name of an experiment's recipe."""
        return self.experiments[experiment].recipe or self.recipe

    def extractor_of(self, experiment: str) -> str:
        """The name of the feature extractor of an experiment's scores."""
        return self.experiments[experiment].extractor or self.extractor

    def samplers_of(self, experiment: str) -> tuple[SamplerSettings, ...]:
        """The samplers of an experiment: its recipe's, with each of its changes."""
        return self.samplers(self.recipe_of(experiment), self.experiments[experiment].samplers)

    def samplers(self, recipe: str, changes: tuple[dict[str, Any], ...]) -> tuple[SamplerSettings, ...]:
        """A recipe's sampling with each of these changes. Raises ConfigError, `0.steps: ...`."""
        changed = [self.recipes[recipe].sampling.model_dump() | change for change in changes]
        try:
            return SAMPLERS.validate_python(changed)
        except ValidationError as error:
            raise ConfigError(one_line(error, changed)) from None

    def shape(self, noise: str, strength: float) -> dict[str, Any]:
        """The shape of a noise at a strength, as make_shape takes it, without the data's colour axis."""
        return shape_of(self.noises[noise], strength, self.noises)

    def network_of(self, experiment: str, strength: float) -> str:
        """The name in paths of what an experiment samples at a strength: `s-0.40`, `together_grid`.

        Networks of the same name differ in data set, noise, marginal, recipe and seed.
        """
        together = self.experiments[experiment].together
        return TOGETHER + together if together else f"s{strength_text(strength)}"

    def shape_of_network(self, noise: str, network: str) -> dict[str, Any]:
        """The shape that a network is trained with, as `shape` gives it.

        That of many strengths lists them, and has the one that is nearest to 0.
        """
        if not network.startswith(TOGETHER):
            return self.shape(noise, float(network[1:]))
        strengths = sorted(self.strengths[network.removeprefix(TOGETHER)])
        shaped = self.shape(noise, next(strength for strength in strengths if strength))
        return {**shaped, "strength": min(strengths, key=abs), "trained_strengths": strengths}

    def clean_of(self, dataset: str) -> str:
        """The clean data set behind a data set: the one that it corrupts, or itself."""
        settings = self.datasets[dataset]
        return settings.corrupts if isinstance(settings, CorruptedSettings) else dataset

    def download_of(self, dataset: str) -> str:
        """The data set by whose name the archive behind one is fetched: the first with the same sources."""
        wanted = self.images_of(dataset).sources
        return next(
            name for name, other in self.datasets.items() if getattr(other, "sources", None) == wanted
        )

    def images_of(self, dataset: str) -> DatasetSettings:
        """What a data set's images are (size, and number where it is known): what its clean data set says."""
        return self.datasets[self.clean_of(dataset)]  # type: ignore[return-value]  # is clean

    @property
    def schedule(self) -> ScheduleSettings:
        """The variance schedule of the default recipe, which figures without an experiment take."""
        return self.recipes[self.recipe].training.schedule

    def points(self, points: Iterable[NoiseAtStrength]) -> list[tuple[str, float, dict[str, Any]]]:
        """(noise, strength, shape) of noises at strengths."""
        return [(each.noise, each.strength, self.shape(each.noise, each.strength)) for each in points]

    def title_of(self, experiment: str) -> str:
        """The title of an experiment's data set."""
        return self.datasets[self.experiments[experiment].dataset].title

    def trained_title(self, experiment: str, title: str = "") -> str:
        """That title, or another one, and how long the experiment's networks are trained."""
        epochs = self.recipes[self.recipe_of(experiment)].training.epochs
        return f"{title or self.title_of(experiment)}, {epochs:g} epoch{'' if epochs == 1 else 's'}"

    def noise_at(self, experiment: str, strength: float) -> str:
        """The name of an experiment's first noise at a strength.

        It is the baseline's where that is white, unless the network knows other strengths, too.
        """
        noise, together = self.experiments[experiment].noises[0], self.experiments[experiment].together
        white = self.shape(noise, strength)["operator"] == BASELINE
        return BASELINE if white and not together else noise

    def shaped_noise(self, experiment: str) -> NoiseSettings:
        """The settings of an experiment's first noise that is not white, or of its first noise."""
        noises = [self.noises[name] for name in self.experiments[experiment].noises]
        return next((noise for noise in noises if noise.operator != BASELINE), noises[0])
