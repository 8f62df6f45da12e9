"""Settings of a forward noise: its operator and how its strength runs over time."""

from typing import Literal

from pydantic import Field

from shapednoise.settings.base import Settings

Reading = Literal["published", "equations", "exact"]
Marginal = Literal["published", "exact"]
Clamp = Literal["auto", "whitened", "data", "off"]


class NoiseSettings(Settings):
    """A shape of forward noise; its strength s0 is the experiment's variable."""

    operator: Literal["ddpm", "sdm", "hdm"] = Field(
        description="ddpm: white noise. sdm: scaled by exp(-s) on the data's principal colour axis. "
        "hdm: also by exp(s/2) on the other two, so that the volume is kept (Eq. 9 of SDM)."
    )
    schedule: Literal["beta", "constant"] = Field(
        "beta", description="beta: s(t) = s0 beta_t / beta_max (section 2 of SDM); constant: s(t) = s0."
    )


def marginal_of(reading: Reading) -> Marginal:
    """The training marginal that a reading of the reverse process belongs to."""
    return "exact" if reading == "exact" else "published"
