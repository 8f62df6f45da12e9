"""Settings of a forward noise, one class for each operator of the registry, and how its strength runs."""

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, create_model

from shapednoise.config.base import Name, Settings, Strength
from shapednoise.noise import Normalize, Reading, Schedule
from shapednoise.noise.operators import BASELINE, OPERATORS, Operator

Marginal = Literal["published", "exact"]
Clamp = Literal["auto", "whitened", "data", "off"]


class FactorSettings(Settings):
    """A noise of the other basis at a fixed strength, that multiplies a noise."""

    noise: Name = Field(description="Its name among the noises.")
    strength: Strength = Field(description="Its strength.")


class UnshapedSettings(Settings):
    """What white noise has: no strength, and so none that runs over time."""

    operator: str = Field(description="What multiplies the white noise.")
    times: None = Field(None, description="Nothing: white noise times a noise is that noise.")


class ShapeSettings(Settings):
    """What every shaped noise has; its strength is the experiment's variable, 0 is white."""

    schedule: Schedule = Field(
        "beta",
        description="beta: s(t) = s0 beta_t / beta_max (section 2 of SDM); falling: "
        "s0 (1 - beta_t / beta_max), strongest near the data; constant: s(t) = s0.",
    )
    normalize: Normalize = Field(
        "off", description="energy: scale the gains to a mean square of 1, so that only the spectrum changes."
    )
    times: FactorSettings | None = Field(None, description="Another noise that multiplies this one.")
    operator: str = Field(description="What multiplies the white noise.")


def _settings_of(operator: type[Operator]) -> type[Settings]:
    """The settings of one operator: its own parameters after those that every noise has."""
    base = UnshapedSettings if operator.basis == "white" else ShapeSettings
    summary = (operator.__doc__ or "").split("\n\n")[0]
    return create_model(
        f"{operator.__name__}Settings",
        __base__=(operator, base),
        __module__=__name__,
        __doc__=operator.__doc__,
        operator=(Literal[operator.name], Field(description=f"{operator.name}: {summary}")),
    )


# A noise of the config is its operator, too: it knows the operator's basis, ranges and labels.
if TYPE_CHECKING:

    class NoiseSettings(Operator, ShapeSettings):
        """What all of them have."""
else:
    NoiseSettings = Annotated[
        reduce(or_, (_settings_of(operator) for operator in OPERATORS.values())),
        Field(discriminator="operator"),
    ]


def shape_of(noise: NoiseSettings, strength: float, noises: dict[str, NoiseSettings]) -> dict[str, Any]:
    """The description of a noise at a strength as make_shape takes it, but for the data's color axis.

    noises: all of the config, for `times`. White noise and strength 0 without a factor are the baseline.
    """
    if noise.operator == BASELINE or (strength == 0 and noise.times is None):
        return {"operator": BASELINE}
    shape = noise.model_dump(mode="json", exclude={"times"}) | {"strength": strength}
    if noise.times:
        factor = noises[noise.times.noise]
        shape["times"] = shape_of(factor, noise.times.strength, noises)
    return shape


def marginal_of(reading: Reading) -> Marginal:
    """The training marginal that a reading of the reverse process belongs to."""
    return "exact" if reading == "exact" else "published"
