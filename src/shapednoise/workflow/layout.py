"""What a config asks for, each thing once, and where its files are. The only place that knows the paths.

A model is what training sees: data set x noise x strength x marginal x recipe x seed; the network of many
strengths has the name of their grid in the place of one. A sample set is a model x a sampler, and of such a
network x a strength. A run is a sample set with its scores.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from shapednoise.config.base import strength_text
from shapednoise.config.figures import FigureSettings
from shapednoise.config.noise import Marginal, marginal_of
from shapednoise.config.sampling import SamplerSettings
from shapednoise.config.schema import TOGETHER, Config
from shapednoise.config.training import snapshot_folder
from shapednoise.noise.operators import BASELINE
from shapednoise.workflow.code import operator_modules

MODEL = "{dataset}/{noise}/{network}/{marginal}/{recipe}/seed{seed}"
SAMPLES = MODEL + "/{sampler}"
DENOISING = MODEL + "/s{at}{epoch}"  # the strength, and -epoch3 of a snapshot
REPORTED_SAMPLE_SETS = 50  # of more a report shows a choice


@dataclass(frozen=True)
class Model:
    """What training sees, and nothing else."""

    dataset: str
    noise: str
    network: str  # Config.network_of
    marginal: Marginal
    recipe: str
    seed: int

    @property
    def path(self) -> str:
        """Its folder below `models/`."""
        return MODEL.format(**vars(self))


@dataclass(frozen=True)
class SampleSet:
    """Images drawn from a model at one strength by one sampler."""

    model: Model
    strength: float
    sampler: SamplerSettings

    @property
    def name(self) -> str:
        """Its folder in that of its model, the value of the rules' wildcard `sampler`."""
        of_many = self.model.network.startswith(TOGETHER)
        return f"s{strength_text(self.strength)}/{self.sampler.slug}" if of_many else self.sampler.slug

    @property
    def path(self) -> str:
        """Its folder below `samples/`, `features/` and `scores/`."""
        return f"{self.model.path}/{self.name}"


@dataclass(frozen=True)
class DistortedSet:
    """Real images as the theory says that a sampler would distort them; sampler None: as they are."""

    dataset: str
    noise: str
    strength: float
    sampler: SamplerSettings | None
    images: int

    @property
    def path(self) -> str:
        """Its folder below `predicted/DATASET/`."""
        if self.sampler is None:
            return f"undistorted-n{self.images}"
        return f"{self.noise}/s{strength_text(self.strength)}/{self.sampler.slug}"


class Layout:
    """The models, sample sets and files of a config."""

    def __init__(self, config: Config) -> None:
        self.config, self.results, self.data = config, config.results, config.data_dir
        self.sample_sets = cache(self._sample_sets)
        predictions = [each for each in config.figures.values() if each.table == "predicted_fid"]
        self.distorted = {  # by their folders
            (each.dataset, each.path): each for figure in predictions for each in self.distorted_sets(figure)
        }
        self.largest_reference = {  # that the distorted images of a data set are kept apart from
            figure.dataset: max(f.reference_images for f in predictions if f.dataset == figure.dataset)
            for figure in predictions
        }
        self.samplers = {
            (each.model.recipe, each.name): each.sampler
            for experiment in config.experiments
            for each in self.sample_sets(experiment)
        }

    # What is wanted.

    def _sample_sets(self, experiment: str) -> list[SampleSet]:
        """The sample sets of an experiment, each once, in the order of the config."""
        config, settings = self.config, self.config.experiments[experiment]
        samplers = config.samplers_of(experiment)
        found = (
            SampleSet(self._model(experiment, noise, strength, sampler, seed), strength, sampler)
            for noise in settings.noises
            for strength in config.strengths_of(experiment)
            for seed in config.seeds_of(experiment)
            for sampler in samplers
        )
        return list(dict.fromkeys(found))

    def _model(
        self, experiment: str, noise: str, strength: float, sampler: SamplerSettings, seed: int
    ) -> Model:
        """The model of a run. A network for white noise alone is the one baseline, whatever the marginal."""
        dataset, recipe = self.config.experiments[experiment].dataset, self.config.recipe_of(experiment)
        network, marginal = self.config.network_of(experiment, strength), marginal_of(sampler.reading)
        if self.config.shape_of_network(noise, network)["operator"] == BASELINE:
            noise, network, marginal = BASELINE, f"s{strength_text(0.0)}", "published"
        return Model(dataset, noise, network, marginal, recipe, seed)

    def wanted_experiments(self) -> list[str]:
        """The experiments behind the target figures, each once, in the order of the targets."""
        figures = (self.config.figures[target] for target in self.config.targets)
        return list(dict.fromkeys(name for figure in figures for name in experiments_of(figure)))

    def wanted_sample_sets(self) -> list[SampleSet]:
        """The sample sets of all wanted experiments, each once."""
        wanted = (each for name in self.wanted_experiments() for each in self.sample_sets(name))
        return list(dict.fromkeys(wanted))

    def wanted_datasets(self) -> set[str]:
        """The data sets of all wanted experiments and figures."""
        names = {self.config.experiments[name].dataset for name in self.wanted_experiments()}
        figures = (self.config.figures[target] for target in self.config.targets)
        return names | {figure.dataset for figure in figures if hasattr(figure, "dataset")}

    def evidence(self) -> dict[str, dict[str, list[str]]]:
        """The files by which claims are decided, of all that the targets make: kind -> name -> paths."""
        found: dict[str, dict[str, list[str]]] = {}
        for name in self.wanted_experiments():
            found.setdefault("scores", {})[name] = [self.scores_table(name)]
            path = f"{self.results}/tables/hyperparameters/{name}.csv"
            found.setdefault("hyperparameters", {})[name] = [path]
        for target in self.config.targets:
            figure = self.config.figures[target]
            if figure.evidence:
                names = found.setdefault(figure.table, {})
                names.setdefault(figure.evidence, []).append(self.figure_table(target))
        for name in sorted({self.config.clean_of(name) for name in self.wanted_datasets()}):
            found.setdefault("pca", {})[name] = [self.pca(name)]
        return found

    def sampler_of(self, wildcards: Mapping[str, str]) -> SamplerSettings:
        """The sampler of a sample set, by the wildcards of its rule."""
        return self.samplers[wildcards["recipe"], wildcards["sampler"]]

    def drawn_from(self, wildcards: Mapping[str, str]) -> str:
        """The folder with the weights of a sample set: its model's, or a snapshot of that."""
        snapshot = snapshot_folder(self.sampler_of(wildcards).epoch)
        return f"{self.results}/models/{MODEL.format(**wildcards)}{snapshot}"

    def denoising(self, wildcards: Mapping[str, str]) -> dict[str, str]:
        """What an optimal variance of a sample set is made of, by the names of the script's options."""
        sampler, dataset = self.sampler_of(wildcards), wildcards["dataset"]
        if not sampler.optimal:
            return {}
        if sampler.variance_from == "spectrum":
            return {"pca": self.pca(dataset), "spectrum": self.spectrum(dataset)}
        at = strength_text(self.strength_of(wildcards))
        epoch = f"-epoch{sampler.epoch:g}" if sampler.epoch else ""
        file = DENOISING.format(**wildcards, at=at, epoch=epoch)
        return {"denoising_variance": f"{self.results}/denoising/{file}.json"}

    def measured_model(self, wildcards: Mapping[str, str]) -> str:
        """The folder with the weights that a denoising variance is of."""
        epoch = float(wildcards["epoch"].removeprefix("-epoch") or 0)
        return f"{self.results}/models/{MODEL.format(**wildcards)}{snapshot_folder(epoch)}"

    def strength_option(self, wildcards: Mapping[str, str]) -> str:
        """The option of scripts that run a network of many strengths, by the wildcards of their rule."""
        if not wildcards["network"].startswith(TOGETHER):
            return ""
        return f"--strength {wildcards.get('at') or self.strength_of(wildcards)}"

    def of_data(self, dataset: str, *noises: str) -> dict[str, str]:
        """What noises need to know of a data set: the color axes, and the spectrum where one asks for it."""
        bases = {self.config.noises[noise].basis for noise in noises}
        spectrum = {"spectrum": self.spectrum(dataset)} if "principal" in bases else {}
        return {"pca": self.pca(dataset), **spectrum}

    def strength_of(self, wildcards: Mapping[str, str]) -> float:
        """The strength of a sample set, by the wildcards of its rule."""
        at, slash, _ = wildcards["sampler"].partition("/")
        return float((at if slash else wildcards["network"])[1:])

    def distorted_sets(self, figure: FigureSettings) -> list[DistortedSet]:
        """The images behind predicted scores: undistorted ones, and each noise under each sampler."""
        config, dataset, images = self.config, figure.dataset, figure.images
        samplers = [
            sampler.model_copy(update={"images": images, "clamp": "off", "seed": 0})
            for sampler in config.samplers(config.recipe, figure.samplers)
        ]
        found = [DistortedSet(dataset, "undistorted", 0.0, None, images)]
        for noise, strength, shape in config.points(figure.points):
            name = BASELINE if shape["operator"] == BASELINE else noise
            found += [DistortedSet(dataset, name, strength, sampler, images) for sampler in samplers]
        return list(dict.fromkeys(found))

    # Where files are.

    def prepared(self, dataset: str) -> str:
        """The folder of a data set's array below the data folder: `celeba64/crop140-size64`.

        What was done to the pictures is part of it; a corrupted data set says it of its clean one.
        """
        return f"{dataset}/{self.config.images_of(dataset).preprocessing_slug}"

    def download(self, dataset: str) -> str:
        """The record of the archive behind a data set, which those with the same sources share."""
        return f"{self.data}/{self.config.download_of(dataset)}/download.json"

    def images(self, dataset: str) -> str:
        """The array of a data set."""
        return f"{self.data}/{self.prepared(dataset)}/images.npy"

    def manifest(self, dataset: str) -> str:
        """The manifest beside it."""
        return f"{self.data}/{self.prepared(dataset)}/manifest.json"

    def pca(self, dataset: str) -> str:
        """The principal color axes of a data set."""
        return f"{self.results}/pca/{dataset}.json"

    def spectrum(self, dataset: str) -> str:
        """The power spectrum of a data set."""
        return f"{self.results}/spectrum/{dataset}.npy"

    def samples(self, sample_set: SampleSet) -> str:
        """The images of a sample set."""
        return f"{self.results}/samples/{sample_set.path}/samples.npy"

    def _made_here(self) -> list[SampleSet]:
        """All wanted sample sets, but of models of which there is the provenance alone."""

        def scored_elsewhere(model: Model) -> bool:
            folder = Path(self.results, "models", model.path)
            return (folder / "provenance.json").exists() and not (folder / "model_index.json").exists()

        return [each for each in self.wanted_sample_sets() if not scored_elsewhere(each.model)]

    def grids(self) -> list[str]:
        """The grids of the sample sets that are made here."""
        return [self._grid(each) for each in self._made_here()]

    def reports_all_samples(self) -> bool:
        """Whether a report shows all sample sets, GIFs too; of many it shows a choice of grids."""
        return len(self._made_here()) <= REPORTED_SAMPLE_SETS

    def grids_of_report(self) -> list[str]:
        """Of the grids those that a report shows: all, or of many the first seed's at the ends and at 0.

        Ends: the least and the greatest strength of a noise, by sampler, recipe and kind of network.
        """
        if self.reports_all_samples():
            return self.grids()
        alike: dict[tuple, list[SampleSet]] = {}
        for each in self._made_here():
            model, together = each.model, each.model.network.startswith(TOGETHER)
            network = model.network if together else ""
            kind = (model.dataset, model.noise, network, model.marginal, model.recipe, each.sampler)
            alike.setdefault(kind, []).append(each)
        shown = []
        for sets in alike.values():
            strengths = {each.strength for each in sets}
            chosen = {min(strengths), 0.0, max(strengths)}
            seed = sets[0].model.seed
            shown += [each for each in sets if each.strength in chosen and each.model.seed == seed]
        return [self._grid(each) for each in shown]

    def _grid(self, sample_set: SampleSet) -> str:
        return f"{self.results}/samples/{sample_set.path}/grid.png"

    def training_curves(self) -> list[str]:
        """The training curves of the models that are trained here."""
        models = dict.fromkeys(each.model.path for each in self._made_here())
        return [f"{self.results}/models/{path}/training.csv" for path in models]

    def provenances(self) -> list[str]:
        """The records of all wanted models."""
        models = dict.fromkeys(each.model.path for each in self.wanted_sample_sets())
        return [f"{self.results}/models/{path}/provenance.json" for path in models]

    def scores(self, experiment: str) -> list[str]:
        """The scores of an experiment's sample sets; extractor and reference are in each file's name."""
        reference = self.config.recipes[self.config.recipe_of(experiment)].scoring.reference_slug()
        name = f"{self.config.extractor_of(experiment)}-{reference}.json"
        return [f"{self.results}/scores/{each.path}/{name}" for each in self.sample_sets(experiment)]

    def predicted_scores(self, figure: FigureSettings) -> list[str]:
        """The scores of the distorted images of a figure."""
        name = f"{figure.extractor or self.config.extractor}-ref{figure.reference_images}.json"
        return [
            f"{self.results}/scores/predicted/{each.dataset}/{each.path}/{name}"
            for each in self.distorted_sets(figure)
        ]

    def all_scores(self) -> list[str]:
        """The scores of all wanted experiments, each once."""
        return list(dict.fromkeys(file for name in self.wanted_experiments() for file in self.scores(name)))

    def scores_table(self, experiment: str) -> str:
        """The scores of an experiment in one table."""
        return f"{self.results}/tables/experiments/{experiment}.csv"

    def figure_table(self, figure: str, part: str = "") -> str:
        """The table that a figure is drawn from; part: `_modes` of its second table."""
        return f"{self.results}/tables/{self.config.figures[figure].table}/{figure}{part}.csv"

    def figure(self, name: str) -> list[str]:
        """The files of a figure."""
        return [f"{self.results}/figures/{name}.{suffix}" for suffix in ("pdf", "png")]

    def weights(self, extractor: str) -> list[str]:
        """The file of an extractor's weights; none where torch.hub or the network itself has them."""
        return [f"{self.data}/weights/{extractor}.pth"] if self.config.extractors[extractor].sources else []

    def hub_manifest(self, extractor: str) -> list[str]:
        """The record that torch.hub has an extractor's network, where that is where it comes from."""
        settings = self.config.extractors[extractor]
        from_hub = settings.in_hub and not settings.sources
        return [f"{self.data}/weights/{extractor}.json"] if from_hub else []

    def network_code(self, extractor: str) -> list[str]:
        """The file of a network of the user's own, if it lies in the working folder: an edit is seen."""
        module, colon, _ = self.config.extractors[extractor].network.partition(":")
        file = "/".join(module.split(".")) + ".py"
        return [file] if colon and Path(file).is_file() else []

    def user_supplied_weights(self, extractor: str) -> list[str]:
        """The weights that the user has put into the data folder, so that new ones are taken up."""
        sources = self.config.extractors[extractor].sources
        files = (str(Path(self.data, source.file)) for source in sources if source.file)
        return [file for file in files if Path(file).is_file()]

    def fetched(self) -> list[str]:
        """Everything that comes from outside, for the wanted data sets and feature extractors."""
        downloads = {self.download(name) for name in self.wanted_datasets()}
        extractors = {self.config.extractor_of(name) for name in self.wanted_experiments()}
        figures = (self.config.figures[target] for target in self.config.targets)
        extractors |= {
            figure.extractor or self.config.extractor for figure in figures if hasattr(figure, "extractor")
        }
        networks = (self.weights(name) + self.hub_manifest(name) for name in sorted(extractors))
        return [*sorted(downloads), *(file for files in networks for file in files)]

    def operator_modules(self, *noises: str) -> list[str]:
        """The modules of the operators of noises, for the digest of a stage's code."""
        shapes = (self.config.shape(noise, 1.0) for noise in noises)
        return sorted({module for shape in shapes for module in operator_modules(shape)})


def experiments_of(figure: FigureSettings) -> Iterator[str]:
    """The experiments that a figure draws."""
    yield from getattr(figure, "experiments", ())
    yield from filter(None, (getattr(figure, field, None) for field in ("experiment", "beside")))


def noises_of(figure: FigureSettings) -> list[str]:
    """The noises that a figure names."""
    noises = [figure.noise] if hasattr(figure, "noise") else []
    return [*noises, *(point.noise for point in getattr(figure, "points", ()))]
