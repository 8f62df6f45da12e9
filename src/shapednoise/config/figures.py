"""Figures in the config: what every kind of them has. Kinds are modules of the package figures."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from shapednoise.config.base import Name, Settings, Strength
from shapednoise.errors import ConfigError

if TYPE_CHECKING:
    from shapednoise.config.schema import Config

FIGURE_KINDS: dict[str, type["FigureSettings"]] = {}


class NoiseAtStrength(Settings):
    """A noise at a strength."""

    noise: Name = Field(description="Its name among the noises.")
    strength: Strength = Field(0.0, description="Its strength.")


def noises_in(points: Iterable[NoiseAtStrength]) -> list[str]:
    """Name the noises of points."""
    return [point.noise for point in points]


class FigureSettings(Settings):
    """A figure. A kind of figures is a subclass with a `kind` of its own, in a module of the package figures.

    Fields that are called `experiment`, `experiments`, `beside`, `dataset`, `noise`, `points` and `strengths`
    name entries of the config, which are checked to be there. A kind says which files it reads (`inputs`),
    which facts of the config it needs besides (`parameters`), and draws (`draw`, which gets both by name). A
    kind with a `table` is computed by the module of that name in the package analysis, from `table_inputs`
    and `table_parameters`, in a job of its own.
    """

    table: ClassVar[str | None] = None

    def __init_subclass__(cls, **options: Any) -> None:
        """Register the kind."""
        super().__init_subclass__(**options)
        FIGURE_KINDS[cls.__module__.rpartition(".")[2]] = cls

    def about(self, config: "Config") -> str:
        """What the figure shows, as its caption begins: the first paragraph about its kind."""
        return " ".join((type(self).__doc__ or "").split("\n\n")[0].split())

    def problems(self, name: str, config: "Config") -> Iterator[tuple[str, str]]:
        """What does not fit the rest of the config: (field, what is wrong and what to do)."""
        yield from ()

    def inputs(self, name: str, layout: Any) -> dict[str, str | list[str]]:
        """The files that `draw` reads, by the names of its arguments.

        Args:
            name: the figure's name in the config.
            layout: where the files of the run are, see workflow/layout.py.
        """
        raise NotImplementedError

    def parameters(self, config: "Config") -> dict[str, Any]:
        """The other arguments of `draw`, as JSON keeps them."""
        return {}

    def table_inputs(self, layout: Any) -> dict[str, str | list[str]]:
        """The files that the table is computed from."""
        return {}

    def table_parameters(self, config: "Config") -> dict[str, Any]:
        """The other arguments of the function that computes the table, as JSON keeps them."""
        return {}

    @property
    def evidence(self) -> str | None:
        """What the table says about claims is about this experiment or data set; None: it is no evidence."""
        return None

    @staticmethod
    def draw(**arguments: Any) -> Any:
        """A matplotlib Figure of the inputs, loaded, and the parameters."""
        raise NotImplementedError


def color_axis_problems(config: "Config", kind: str, noise: str) -> Iterator[tuple[str, str]]:
    """A kind of figures that draws the color axis wants a noise that acts on it and on nothing else."""
    if config.noises[noise].basis != "color" or config.noises[noise].times:
        yield "noise", f"{kind} draws a colour axis; name an sdm or hdm noise"


def sampler_problems(config: "Config", changes: tuple[dict[str, Any], ...]) -> Iterator[tuple[str, str]]:
    """Changes to the default recipe's sampling are samplers that can run, each there once."""
    try:
        samplers = config.samplers(config.recipe, changes)
    except ConfigError as error:
        key, _, problem = str(error).partition(": ")
        yield f"samplers.{key}", problem
        return
    for sampler in samplers:
        if problem := sampler.too_many_steps(config.schedule.timesteps):
            yield "samplers", problem
    if len({sampler.slug for sampler in samplers}) < len(samplers):
        yield "samplers", "give each sampler once"


def steps_problems(config: "Config", steps: tuple[int, ...]) -> Iterator[tuple[str, str]]:
    """Numbers of reverse steps are at most the timesteps of the default recipe."""
    if max(steps) > config.schedule.timesteps:
        yield "steps", f"{max(steps)} is more than the {config.schedule.timesteps} timesteps"


def reverse_process_parameters(
    config: "Config", noise: str, strengths: tuple[float, ...], steps: tuple[int, ...]
) -> dict[str, Any]:
    """What a table about reverse steps takes: a noise's shapes, one a strength, and the timesteps."""
    return {
        "noise": noise,
        "shapes": [config.shape(noise, strength) for strength in strengths],
        "steps": list(steps),
        "schedule": config.schedule.for_diffusers(),
    }


def image_problems(config: "Config", dataset: str, image: int) -> Iterator[tuple[str, str]]:
    """The index of an image is one that the data set has, where its number of images is known."""
    count = config.images_of(dataset).images
    if count is not None and image >= count:
        yield "image", f"{image} is no image of {dataset}; it has {count}"
