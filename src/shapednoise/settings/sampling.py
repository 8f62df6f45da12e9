"""Settings of a sampler: what a sample set depends on besides the model."""

from typing import Literal

from pydantic import Field

from shapednoise.settings.base import Settings
from shapednoise.settings.noise import Clamp, Reading
from shapednoise.settings.precision import PrecisionSettings


class SamplerSettings(Settings):
    """How images are drawn from a trained model."""

    method: Literal["ancestral"] = Field("ancestral", description="Ancestral DDPM sampling (Ho et al. 2020).")
    steps: int = Field(50, ge=1, description="Reverse steps.")
    spacing: Literal["leading", "trailing", "linspace"] = Field(
        "leading", description="Which training timesteps are visited, as diffusers names it."
    )
    variance: Literal["fixed_small", "fixed_large"] = Field(
        "fixed_small", description="Variance of a reverse step: the posterior's, or beta_t."
    )
    reading: Reading = Field("published", description="Which reading of the forward process (docs/noise.md).")
    clamp: Clamp = Field(
        "whitened",
        description="Clamp the predicted x_0 to [-1, 1] in whitened coordinates, in the data's, or not.",
    )
    images: int = Field(10_000, ge=1, description="Images to draw; the n of FID-n.")
    seed: int = Field(0, ge=0, description="Image i starts from noise that is a function of (seed, i) alone.")

    precision: PrecisionSettings = PrecisionSettings(cuda="fp32", cpu="fp32")

    @property
    def slug(self) -> str:
        """The name of this sampler in paths: every setting but the precision."""
        variance = {"fixed_small": "small", "fixed_large": "large"}[self.variance]
        seed = f"-seed{self.seed}" if self.seed else ""
        return (
            f"{self.method}{self.steps}-{self.spacing}-{variance}"
            f"-{self.reading}-{self.clamp}-n{self.images}{seed}"
        )
