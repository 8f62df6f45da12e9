"""What a config must satisfy beyond the schema of each part: names that exist, parts that fit together.

Each check yields one line a problem, `key: what; remedy`. The first one is what the user sees.
"""

import difflib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from shapednoise.config.base import Settings
from shapednoise.config.data import CorruptedSettings
from shapednoise.config.figures import (
    DriftSettings,
    ForwardNoiseSettings,
    NoiseGallerySettings,
    OmissionSettings,
    ReadingsSettings,
    SampleGridsSettings,
    ScoreLimitSettings,
    SpectraSettings,
    TheorySettings,
)
from shapednoise.config.sampling import SamplerSettings
from shapednoise.noise.operators import BASELINE, names_of

if TYPE_CHECKING:
    from shapednoise.config.schema import Config

TAGS = {"name", "list", "clean set", "corrupted set"}


def problems(config: "Config") -> Iterator[str]:
    """Every problem of a config; names that do not exist first, because the rest follows names."""
    first = [*_unknown_names(config), *_bad_grids(config), *_doubly_corrupted(config)]
    yield from first
    if not first:
        yield from _bad_noises(config)
        yield from _bad_datasets(config)
        yield from _bad_recipes(config)
        yield from _bad_samplers(config)
        yield from _bad_figures(config)
        yield from _bad_theory(config)


def _unknown_names(config: "Config") -> Iterator[str]:
    """References to things that the config does not define."""
    for key, used, known in (*_names_of_parts(config), *_names_of_figures(config)):
        if used not in known:
            yield f"{key}: there is no {used!r}; {_suggest(used, known)}"


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


def _names_of_figures(config: "Config") -> Iterator[tuple[str, str, Any]]:
    """The same of figures."""
    kinds = {"experiment": config.experiments, "dataset": config.datasets, "noise": config.noises}
    for name, figure in config.figures.items():
        key = f"figures.{name}"
        for field, known in kinds.items():
            if getattr(figure, field, None) is not None:
                yield f"{key}.{field}", getattr(figure, field), known
        for experiment in getattr(figure, "experiments", ()):
            yield f"{key}.experiments", experiment, config.experiments
        for place, point in enumerate(getattr(figure, "points", ())):
            yield f"{key}.points.{place}.noise", point.noise, config.noises
        if isinstance(figure, TheorySettings) and isinstance(figure.strengths, str):
            yield f"{key}.strengths", figure.strengths, config.strengths


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
        if isinstance(figure, TheorySettings) and not isinstance(figure.strengths, str):
            lists[f"figures.{name}.strengths"] = figure.strengths
    for key, values in lists.items():
        if not values or len(set(values)) != len(values):
            yield f"{key}: give at least one value, each once"
    for name, figure in config.figures.items():
        operator = getattr(config.noises.get(getattr(figure, "noise", "")), "operator", None)
        if operator == BASELINE:
            yield f"figures.{name}.noise: {BASELINE} has no strength; name a noise that is shaped"


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
    used = [(f"experiments.{name}.noises", e.dataset, e.noises) for name, e in config.experiments.items()]
    for key, dataset, noises in used:
        size = config.images_of(dataset).size
        for noise in (config.noises[name] for name in noises):
            if problem := _problem_of(noise.check_size, (size, size)):
                yield f"{key}: {problem}"
    for name, figure in config.figures.items():
        if isinstance(figure, ForwardNoiseSettings | TheorySettings):
            used.append((f"figures.{name}.noise", figure.dataset, (figure.noise,)))
        if isinstance(figure, SpectraSettings | NoiseGallerySettings | ScoreLimitSettings):
            noises = tuple(point.noise for point in figure.points)
            used.append((f"figures.{name}.points", figure.dataset, noises))
    for key, dataset, noises in used:
        for noise in noises:
            if config.images_of(dataset).channels == 1 and _needs_color_axis(config, noise):
                yield f"{key}: {noise} squeezes a colour axis and {dataset} is grey; use another noise"


def _needs_color_axis(config: "Config", noise: str) -> bool:
    """Whether a noise, or the noise that multiplies it, acts on the data's color axis."""
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
        reference, needed = recipe.scoring.reference_images, recipe.scoring.images_needed()
        wanted = dataset.images if reference == "all" else reference
        if wanted is not None and wanted < needed:
            yield f"{where}.scoring.reference_images: {_too_few(wanted, needed)}"
        if None not in (wanted, dataset.images) and wanted > dataset.images:
            yield (
                f"{where}.scoring.reference_images: {wanted} images, but {experiment.dataset} "
                f"has {dataset.images}; lower it or write all"
            )


def _bad_samplers(config: "Config") -> Iterator[str]:
    """Samplers that cannot run, that draw too few images, or that share their files."""
    seen: dict[tuple[str, str], SamplerSettings] = {}
    for name in config.experiments:
        recipe = config.recipes[config.recipe_of(name)]
        where = f"recipes.{config.recipe_of(name)}.sampling"
        try:
            samplers = config.samplers_of(name)
        except ValidationError as error:
            yield f"experiments.{name}.samplers.{one_line(error)}"
            continue
        timesteps, needed = recipe.training.schedule.timesteps, recipe.scoring.images_needed()
        for sampler in samplers:
            if problem := _too_many_steps(sampler, timesteps):
                yield f"{where}.steps: {problem}"
            if sampler.images < needed:
                yield f"{where}.images: {_too_few(sampler.images, needed)}"
            if seen.setdefault((config.recipe_of(name), sampler.slug), sampler) != sampler:
                yield (
                    f"experiments.{name}.samplers: {sampler.slug} is there twice, with settings that "
                    "file names do not tell apart (precision); remove one"
                )


def _too_many_steps(sampler: SamplerSettings, timesteps: int) -> str:
    """What is wrong with a sampler's number of steps; empty: nothing."""
    if sampler.steps > timesteps:
        return f"{sampler.steps} is more than the {timesteps} timesteps; lower it"
    if sampler.method == "dpm_solver" and 2 * sampler.steps > timesteps:
        return (
            f"{sampler.steps} steps of dpm_solver would visit timesteps twice; take at most {timesteps // 2}"
        )
    return ""


def _bad_figures(config: "Config") -> Iterator[str]:
    """Figures that ask for what is not there: a strength, an image, a number of steps."""
    timesteps = config.recipes[config.recipe].training.schedule.timesteps
    for name, figure in config.figures.items():
        if isinstance(figure, ForwardNoiseSettings | DriftSettings | ReadingsSettings):
            noise = config.noises[figure.noise]
            if noise.basis != "color" or noise.times:
                operators = names_of("color")
                yield f"figures.{name}.noise: {figure.kind} draws a colour axis; name one of {operators}"
        if isinstance(figure, DriftSettings | ReadingsSettings) and max(figure.steps) > timesteps:
            yield f"figures.{name}.steps: {max(figure.steps)} is more than the {timesteps} timesteps"
        if isinstance(figure, NoiseGallerySettings) and max(figure.timesteps) >= timesteps:
            last = timesteps - 1
            yield f"figures.{name}.timesteps: {max(figure.timesteps)} is too late; the last one is {last}"
        if isinstance(figure, ForwardNoiseSettings | NoiseGallerySettings):
            count = config.images_of(figure.dataset).images
            if count is not None and figure.image >= count:
                yield f"figures.{name}.image: {figure.image} is no image of {figure.dataset}; it has {count}"
        if isinstance(figure, OmissionSettings):
            yield from _bad_omission(config, name, figure)
        if isinstance(figure, SampleGridsSettings) and name in config.targets:
            for strength in figure.strengths:
                if strength not in config.strengths_of(figure.experiment):
                    yield (
                        f"figures.{name}.strengths: {strength:g} is not in experiment "
                        f"{figure.experiment}; add it there or remove it here"
                    )


def _bad_omission(config: "Config", name: str, figure: OmissionSettings) -> Iterator[str]:
    """What a figure of selective omission needs of its experiments."""
    if figure.shown not in figure.experiments:
        yield f"figures.{name}.shown: {figure.shown!r} is none of its experiments; name one of them"
    for experiment in figure.experiments:
        settings, strengths = config.experiments[experiment], config.strengths_of(experiment)
        if config.clean_of(settings.dataset) == settings.dataset:
            yield (
                f"figures.{name}.experiments: the data set of {experiment}, {settings.dataset}, is not "
                "corrupted; name one that `corrupts` another"
            )
        noise = config.noises[settings.noises[0]]
        if noise.operator != "sagd_bandpass" or noise.times or len(settings.samplers) != 1:
            yield (
                f"figures.{name}.experiments: {experiment} must have a noise of operator sagd_bandpass "
                "and one sampler"
            )
        if len(settings.noises) != 1 or 0.0 not in strengths or len(strengths) != 2:
            yield (
                f"figures.{name}.experiments: {experiment} must have one noise and two strengths, "
                "0 and that of the noise which leaves the band out"
            )


def _bad_noises(config: "Config") -> Iterator[str]:
    """Products that no shape is, and noises at strengths that they do not have."""
    for name, noise in config.noises.items():
        factor = noise.times and config.noises[noise.times.noise]
        if factor and (factor.times or {noise.basis, factor.basis} != {"color", "frequency"}):
            yield (
                f"noises.{name}.times: {noise.times.noise} is white, a product, or acts on the same basis; a "
                f"noise of the colours ({names_of('color')}) is multiplied by one of the frequencies "
                f"({names_of('frequency')})"
            )
        if factor and (problem := _problem_of(factor.check_strength, noise.times.strength)):
            yield f"noises.{name}.times.strength: {problem}"
    for key, noise, strength in _noises_at_strengths(config):
        if problem := _problem_of(config.noises[noise].check_strength, strength):
            yield f"{key}: {problem}"


def _noises_at_strengths(config: "Config") -> Iterator[tuple[str, str, float]]:
    """Every (key, noise, strength) that experiments and figures name."""
    for name, experiment in config.experiments.items():
        for noise in experiment.noises:
            if config.noises[noise].operator != BASELINE:
                yield from ((f"experiments.{name}.strengths", noise, s) for s in config.strengths_of(name))
    for name, figure in config.figures.items():
        for place, point in enumerate(getattr(figure, "points", ())):
            yield f"figures.{name}.points.{place}.strength", point.noise, point.strength
        if isinstance(figure, TheorySettings):
            strengths = config.grid(figure.strengths)
            yield from ((f"figures.{name}.strengths", figure.noise, s) for s in strengths)


def _bad_theory(config: "Config") -> Iterator[str]:
    """Figures of the theory whose samplers cannot run, or that do not fit their experiment."""
    timesteps = config.recipes[config.recipe].training.schedule.timesteps
    for name, figure in config.figures.items():
        if not isinstance(figure, TheorySettings):
            continue
        where = f"figures.{name}"
        try:
            samplers = config.samplers(config.recipe, figure.samplers)
        except ValidationError as error:
            yield f"{where}.samplers.{one_line(error)}"
            continue
        for sampler in samplers:
            if problem := _too_many_steps(sampler, timesteps):
                yield f"{where}.samplers: {problem}"
        if len({sampler.slug for sampler in samplers}) < len(samplers):
            yield f"{where}.samplers: give each sampler once"
        for strength in set(figure.shown) - set(config.grid(figure.strengths)):
            yield f"{where}.shown: {strength:g} is not among the strengths; add it or remove it here"
        experiment = figure.experiment and config.experiments[figure.experiment]
        about = f"{figure.noise} on {figure.dataset}"
        if experiment and (experiment.dataset != figure.dataset or figure.noise not in experiment.noises):
            yield f"{where}.experiment: {figure.experiment} is not about {about}"
        if experiment:
            drawn = config.samplers_of(figure.experiment)
            if len({tuple(sampler.in_theory().values()) for sampler in drawn}) < len(drawn):
                yield f"{where}.experiment: samplers of {figure.experiment} differ in what the theory ignores"


def _problem_of(check: Callable[[Any], None], value: Any) -> str:
    """What a check that raises ValueError says of a value; empty: nothing."""
    try:
        check(value)
    except ValueError as error:
        return str(error)
    return ""


def _too_few(images: int, needed: int) -> str:
    return (
        f"{images} images are fewer than the {needed} that the scores need; "
        "raise it or lower scoring.kid_subset_size"
    )


def one_line(error: ValidationError) -> str:
    """The first problem, `key: what; remedy`, and how many more there are."""
    problems = error.errors()
    first = problems[0]
    key = ".".join(str(part) for part in first["loc"] if part not in TAGS)
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
