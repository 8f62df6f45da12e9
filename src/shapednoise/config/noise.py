"""Settings of a forward noise: its operator and how its strength runs over time."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from shapednoise.config.base import Name, Settings, Strength
from shapednoise.noise.bands import check_mixture

Reading = Literal["published", "equations", "exact"]
Marginal = Literal["published", "exact"]
Clamp = Literal["auto", "whitened", "data", "off"]
Band = tuple[float, float]


class FactorSettings(Settings):
    """A noise of the other basis at a fixed strength, that multiplies a noise."""

    noise: Name = Field(description="Its name among the noises.")
    strength: Strength = Field(description="Its strength.")


class ShapeSettings(Settings):
    """What every shaped noise has; its strength is the experiment's variable, 0 is white."""

    schedule: Literal["beta", "constant"] = Field(
        "beta", description="beta: s(t) = s0 beta_t / beta_max (section 2 of SDM); constant: s(t) = s0."
    )
    normalize: Literal["off", "energy"] = Field(
        "off", description="energy: scale the gains to a mean square of 1, so that only the spectrum changes."
    )
    times: FactorSettings | None = Field(None, description="Another noise that multiplies this one.")


class WhiteSettings(Settings):
    """White noise, the DDPM."""

    operator: Literal["ddpm"] = Field(description="ddpm: white noise.")
    times: None = Field(None, description="Nothing: white noise times a noise is that noise.")


class ColourSettings(ShapeSettings):
    """Noise scaled along the data's principal colour axis."""

    operator: Literal["sdm", "hdm"] = Field(
        description="sdm: scaled by exp(-s) on the principal colour axis. "
        "hdm: also by exp(s/2) on the other two, so that the volume is kept (Eq. 9 of SDM)."
    )


class PowerLawSettings(ShapeSettings):
    """Noise with a power law as its spectrum."""

    operator: Literal["sagd_powerlaw"] = Field(
        description="Gain (r + eps)^s on the frequency of radius r, cycles per pixel; s is SAGD's alpha."
    )
    eps: float = Field(
        0.01, gt=0, allow_inf_nan=False, description="Keeps the gain of the mean finite; cycles per pixel."
    )


class BandPassSettings(ShapeSettings):
    """Noise on two bands of frequency, none elsewhere."""

    operator: Literal["sagd_bandpass"] = Field(
        description="Gain 1 - s + s w(r): w is low_gain and high_gain on the bands, 0 elsewhere."
    )
    low_band: Band = Field((0.0, 0.0), description="[a, b): radii a <= r < b, in cycles per pixel.")
    high_band: Band = Field((0.0, 0.0), description="The same; the corner of the spectrum is at 0.7071.")
    low_gain: float = Field(0.5, description="Gain on low_band at strength 1.")
    high_gain: float = Field(0.5, description="Gain on high_band; the two add up to 1.")

    @model_validator(mode="after")
    def _bands(self) -> "BandPassSettings":
        check_mixture(self.low_band, self.high_band, self.low_gain, self.high_gain)
        return self


NoiseSettings = Annotated[
    WhiteSettings | ColourSettings | PowerLawSettings | BandPassSettings, Field(discriminator="operator")
]


def shape_of(noise: NoiseSettings, strength: float, noises: dict[str, NoiseSettings]) -> dict[str, Any]:
    """The description of a noise at a strength as make_shape takes it, but for the data's colour axis.

    noises: all of the config, for `times`. White noise and strength 0 without a factor are `ddpm`.
    """
    if noise.operator == "ddpm" or (strength == 0 and noise.times is None):
        return {"operator": "ddpm"}
    shape = noise.model_dump(mode="json", exclude={"times"}) | {"strength": strength}
    if noise.times:
        factor = noises[noise.times.noise]
        shape["times"] = shape_of(factor, noise.times.strength, noises)
    return shape


def marginal_of(reading: Reading) -> Marginal:
    """The training marginal that a reading of the reverse process belongs to."""
    return "exact" if reading == "exact" else "published"
