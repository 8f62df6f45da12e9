"""What a config must satisfy beyond the schema of each part: names that exist, parts that fit together.

Each check yields one line a problem, `key: what; remedy`. The first one is what the user sees.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shapednoise.config.base import suggestion
from shapednoise.config.data import CorruptedSettings
from shapednoise.config.sampling import SamplerSettings
from shapednoise.errors import ConfigError
from shapednoise.noise.operators import BASELINE

if TYPE_CHECKING:
    from shapednoise.config.schema import Config

MOST_POINTS = 50_000  # of an experiment; a plan of so many takes minutes
FOLDERS_OF_DATA = {"code", "downloads", "logs", "weights"}


def problems(config: "Config") -> Iterator[str]:
    """Every problem of a config; names that do not exist first, because the rest follows names."""
    first = [*_taken_names(config), *_unknown_names(config), *_bad_grids(config), *_doubly_corrupted(config)]
    first = first or list(_too_many_points(config))
    yield from first
    if not first:
        for name, figure in config.figures.items():
            for field, problem in figure.problems(name, config):
                yield f"figures.{name}.{field}: {problem}"
        yield from _bad_noises(config)
        yield from _bad_networks(config)
        yield from _bad_datasets(config)
        yield from _bad_recipes(config)
        yield from _bad_samplers(config)


def _taken_names(config: "Config") -> Iterator[str]:
    """Names that files of the workflow have; those of its rules are looked for in the Snakefile."""
    if Path(config.data_dir).absolute().is_relative_to(Path(config.results).absolute()):
        yield f"data_dir: {config.data_dir} lies in the results folder, {config.results}; separate them"
    for name in config.datasets.keys() & FOLDERS_OF_DATA:
        yield f"datasets.{name}: the data folder has a folder {name} of its own; choose another name"
    for name in config.claims:
        if not re.fullmatch(r"every|[A-Z]\d+", name):
            yield f"claims.{name}: is no claim; write its id, such as C1, or every"
    for name, figure in config.figures.items():
        first = config.figures.get(name.removesuffix("_modes"), figure)
        if first is not figure and figure.table == first.table == "theory":
            yield f"figures.{name}: the second table of another figure has this name; choose another name"


def _unknown_names(config: "Config") -> Iterator[str]:
    """References to things that the config does not define."""
    for key, used, known in (*_names_of_parts(config), *_names_of_figures(config)):
        if used not in known:
            yield f"{key}: there is no {used!r}; {suggestion(used, known)}"


def unused_lists(config: "Config") -> Iterator[str]:
    """Lists of strengths and seeds that nothing names, and that look like one which something does.

    They may be meant for later, so that this is no problem.
    """
    parts = [*_names_of_parts(config), *_names_of_figures(config)]
    for group, lists in (("strengths", config.strengths), ("seeds", config.seeds)):
        used = {name for _, name, known in parts if known is lists}
        for name in sorted(lists.keys() - used):
            if close := get_close_matches(name, sorted(used), 1, 0.75):
                yield f"{group}.{name}: nothing uses it; was {close[0]!r} meant?"


def _names_of_parts(config: "Config") -> Iterator[tuple[str, str, Any]]:
    """Every (key, name, where it must be) outside of figures."""
    yield "recipe", config.recipe, config.recipes
    yield "extractor", config.extractor, config.extractors
    yield from (("targets", target, config.figures) for target in config.targets)
    for name in config.datasets:
        yield f"datasets.{name}.corrupts", config.clean_of(name), config.datasets
    for name, noise in config.noises.items():
        if noise.times:
            yield f"noises.{name}.times.noise", noise.times.noise, config.noises
    for name, experiment in config.experiments.items():
        key = f"experiments.{name}"
        yield f"{key}.dataset", experiment.dataset, config.datasets
        yield from ((f"{key}.noises", noise, config.noises) for noise in experiment.noises)
        yield f"{key}.recipe", config.recipe_of(name), config.recipes
        yield f"{key}.extractor", config.extractor_of(name), config.extractors
        for group, known in (("strengths", config.strengths), ("seeds", config.seeds)):
            if isinstance(values := getattr(experiment, group), str):
                yield f"{key}.{group}", values, known
        if experiment.together:
            yield f"{key}.together", experiment.together, config.strengths


def _names_of_figures(config: "Config") -> Iterator[tuple[str, str, Any]]:
    """Every (key, name, where it must be) of figures, by the names of their fields."""
    kinds = {"experiment": config.experiments, "dataset": config.datasets, "noise": config.noises}
    kinds |= {"extractor": config.extractors, "beside": config.experiments}
    for name, figure in config.figures.items():
        key = f"figures.{name}"
        for field, known in kinds.items():
            if getattr(figure, field, None) is not None:
                yield f"{key}.{field}", getattr(figure, field), known
        for experiment in getattr(figure, "experiments", ()):
            yield f"{key}.experiments", experiment, config.experiments
        for index, point in enumerate(getattr(figure, "points", ())):
            yield f"{key}.points.{index}.noise", point.noise, config.noises
        if isinstance(strengths := getattr(figure, "strengths", None), str):
            yield f"{key}.strengths", strengths, config.strengths


def _bad_grids(config: "Config") -> Iterator[str]:
    """What the baseline and the lists must satisfy."""
    baseline = config.noises.get(BASELINE)
    if baseline is None or baseline.operator != BASELINE:
        yield f"noises.{BASELINE}: the baseline must be there, with operator {BASELINE}"
    lists = {f"strengths.{name}": values for name, values in config.strengths.items()}
    lists |= {f"seeds.{name}": values for name, values in config.seeds.items()}
    for name, experiment in config.experiments.items():
        for group in ("strengths", "seeds"):
            values = getattr(experiment, group)
            lists |= {} if isinstance(values, str) else {f"experiments.{name}.{group}": values}
    for name, figure in config.figures.items():
        if not isinstance(strengths := getattr(figure, "strengths", ""), str):
            lists[f"figures.{name}.strengths"] = strengths
    for key, values in lists.items():
        twice = [value for value, count in Counter(values).items() if count > 1]
        if not values or twice:
            yield f"{key}: {f'{twice[0]} is there twice' if twice else 'is empty'}; give each value once"
    for name, figure in config.figures.items():
        operator = getattr(config.noises.get(getattr(figure, "noise", "")), "operator", None)
        if operator == BASELINE:
            yield f"figures.{name}.noise: {BASELINE} has no strength; name a noise that is shaped"


def _too_many_points(config: "Config") -> Iterator[str]:
    """Experiments of more sample sets than a plan can hold."""
    for name, experiment in config.experiments.items():
        lists = experiment.noises, config.strengths_of(name), config.seeds_of(name), experiment.samplers
        if (points := math.prod(map(len, lists))) > MOST_POINTS:
            yield (
                f"experiments.{name}: {points:,} sample sets (noises x strengths x seeds x samplers), "
                f"more than {MOST_POINTS:,}; take fewer, or several configs"
            )


def _doubly_corrupted(config: "Config") -> Iterator[str]:
    """Data sets that corrupt one that is corrupted."""
    for name in config.datasets:
        clean = config.clean_of(name)
        if clean != name and isinstance(config.datasets.get(clean), CorruptedSettings):
            yield f"datasets.{name}.corrupts: {clean} is corrupted itself; name a clean data set"
        elif clean == name and isinstance(config.datasets[name], CorruptedSettings):
            yield f"datasets.{name}.corrupts: it names itself; name a clean data set"


def _bad_datasets(config: "Config") -> Iterator[str]:
    """Bands without a frequency, and noises of colours on data sets that are grey."""
    for name, settings in config.datasets.items():
        size = config.images_of(name).size
        if isinstance(settings, CorruptedSettings) and not settings.reaches(size):
            yield f"datasets.{name}.band: {size} x {size} images have no frequency in it; widen it"
        elif any(source.file == name for source in getattr(settings, "sources", ())):
            yield f"datasets.{name}.sources: {config.data_dir}/{name} is where its array goes; rename either"
    used = [(f"experiments.{name}.noises", e.dataset, e.noises) for name, e in config.experiments.items()]
    for key, dataset, noises in used:
        for noise in noises:
            try:
                config.noises[noise].check_size((config.images_of(dataset).size,) * 2)
            except ValueError as error:
                yield f"{key}: {error}"
    for name, figure in config.figures.items():
        if dataset := getattr(figure, "dataset", ""):
            noises = tuple(point.noise for point in getattr(figure, "points", ()))
            noises += (figure.noise,) if hasattr(figure, "noise") else ()
            used.append(
                (f"figures.{name}.{'noise' if hasattr(figure, 'noise') else 'points'}", dataset, noises)
            )
    for key, dataset, noises in used:
        for noise in noises:
            if config.images_of(dataset).channels == 1 and _squeezes_colors(config, noise):
                yield f"{key}: {noise} squeezes a colour axis and {dataset} is grey; use another noise"


def _squeezes_colors(config: "Config", noise: str) -> bool:
    """Whether a noise, or the noise that multiplies it, needs the data's color axis."""
    factor = config.noises[noise].times
    names = [noise, factor.noise] if factor else [noise]
    return any(config.noises[name].basis == "color" for name in names)


def _bad_recipes(config: "Config") -> Iterator[str]:
    """Recipes that do not fit the data sets of their experiments."""
    for name, experiment in config.experiments.items():
        recipe, dataset = config.recipes[config.recipe_of(name)], config.images_of(experiment.dataset)
        where = f"recipes.{config.recipe_of(name)}"
        levels = len(recipe.training.unet.channels)
        if dataset.size % 2 ** (levels - 1):
            yield (
                f"{where}.training.unet.channels: {levels} levels halve the {dataset.size} pixels of "
                f"{experiment.dataset} {levels - 1} times, which does not come out even; use fewer levels"
            )
        if dataset.images and (problem := recipe.training.unfit(dataset.images)):
            yield f"{where}.training.epochs: {experiment.dataset}: {problem}"
        reference, needed = recipe.scoring.reference_images, recipe.scoring.images_needed()
        wanted = dataset.images if reference == "all" else reference
        if wanted is not None and wanted < needed:
            yield f"{where}.scoring.reference_images: {_too_few(wanted, needed)}"
        if wanted is not None and dataset.images is not None and wanted > dataset.images:
            yield (
                f"{where}.scoring.reference_images: {wanted} images, but {experiment.dataset} "
                f"has {dataset.images}; lower it or write all"
            )


def _bad_networks(config: "Config") -> Iterator[str]:
    """Networks of many strengths that have too few, or that are asked for a strength they do not know."""
    for name, experiment in config.experiments.items():
        if not experiment.together:
            continue
        key, grid = f"experiments.{name}", config.strengths[experiment.together]
        if len(experiment.noises) != 1 or config.noises[experiment.noises[0]].operator == BASELINE:
            yield f"{key}.noises: a network of many strengths has one shaped noise; name one"
        if len(grid) < 2:
            yield f"{key}.together: {experiment.together} has one strength; add others or remove together"
        outside = [each for each in config.strengths_of(name) if not min(grid) <= each <= max(grid)]
        if outside:
            yield (
                f"{key}.strengths: {outside[0]:g} is outside of {min(grid):g} to {max(grid):g}, what the "
                f"network learns (strengths.{experiment.together}); widen that or remove it"
            )


def _bad_samplers(config: "Config") -> Iterator[str]:
    """Samplers that cannot run, that draw too few images, or that share their files."""
    seen: dict[tuple[str, str], tuple[str, SamplerSettings]] = {}
    for name in config.experiments:
        recipe = config.recipes[config.recipe_of(name)]
        where = f"recipes.{config.recipe_of(name)}.sampling"
        try:
            samplers = config.samplers_of(name)
        except ConfigError as error:
            yield f"experiments.{name}.samplers.{error}"
            continue
        timesteps, needed = recipe.training.schedule.timesteps, recipe.scoring.images_needed()
        for sampler in samplers:
            if problem := sampler.too_many_steps(timesteps):
                yield f"{where}.steps: {problem}"
            if sampler.epoch and sampler.epoch not in recipe.training.snapshots:
                yield (
                    f"experiments.{name}.samplers: no weights are kept after epoch {sampler.epoch:g}; add it "
                    f"to recipes.{config.recipe_of(name)}.training.snapshots"
                )
            blurring = [noise for noise in config.experiments[name].noises if config.noises[noise].blurs]
            if blurring and sampler.reading != "exact":
                yield f"{where}.reading: {blurring[0]} blurs, which the reading exact knows alone; set it"
            if sampler.images < needed:
                yield f"{where}.images: {_too_few(sampler.images, needed)}"
            first, same = seen.setdefault((config.recipe_of(name), sampler.slug), (name, sampler))
            if same != sampler:
                place = "there twice" if first == name else f"in {first}, too"
                yield (
                    f"experiments.{name}.samplers: {sampler.slug} is {place}, with settings that "
                    "file names do not tell apart (precision, or what its method does not use); remove one"
                )


def _bad_noises(config: "Config") -> Iterator[str]:
    """Products that no shape is, and noises at strengths that they do not have."""
    for name, noise in config.noises.items():
        if noise.times is None:
            continue
        factor = config.noises[noise.times.noise]
        if factor.times or {noise.basis, factor.basis} != {"color", "frequency"}:
            yield (
                f"noises.{name}.times: {noise.times.noise} is white, a product, or acts on the same basis; "
                "a noise of the colours (sdm, hdm) is multiplied by one of the frequencies (sagd_...)"
            )
        yield from _bad_strength(f"noises.{name}.times.strength", factor, noise.times.strength)
    for key, name, strength in _noises_at_strengths(config):
        yield from _bad_strength(key, config.noises[name], strength)


def _noises_at_strengths(config: "Config") -> Iterator[tuple[str, str, float]]:
    """Every (key, noise, strength) that experiments and figures name."""
    for name, experiment in config.experiments.items():
        for noise in experiment.noises:
            if config.noises[noise].operator != BASELINE:
                yield from ((f"experiments.{name}.strengths", noise, s) for s in config.strengths_of(name))
    for name, figure in config.figures.items():
        for index, point in enumerate(getattr(figure, "points", ())):
            yield f"figures.{name}.points.{index}.strength", point.noise, point.strength
        if hasattr(figure, "noise") and hasattr(figure, "strengths"):
            strengths = config.grid(figure.strengths)
            yield from ((f"figures.{name}.strengths", figure.noise, s) for s in strengths)


def _bad_strength(key: str, noise: Any, strength: float) -> Iterator[str]:
    """What is wrong with a noise at a strength."""
    try:
        noise.check_strength(strength)
    except ValueError as error:
        yield f"{key}: {error}"


def _too_few(images: int, needed: int) -> str:
    return (
        f"{images} images are fewer than the {needed} that the scores need; "
        "raise it or lower scoring.kid_subset_size"
    )
