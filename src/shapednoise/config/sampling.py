"""Settings of a sampler: what a sample set depends on besides the model."""

from typing import Any, Literal

from pydantic import Field, model_validator

from shapednoise.config.base import Seed, Settings
from shapednoise.config.noise import Clamp, Reading
from shapednoise.config.training import PrecisionSettings
from shapednoise.noise import Variance


class DenoisingSettings(Settings):
    """How the optimal variance of reverse steps is measured on a trained network."""

    images: int = Field(
        1000, ge=2, le=10_000_000, description="Training images that the network denoises at each timestep."
    )
    timesteps: int = Field(
        50,
        ge=1,
        le=100_000,
        description="Timesteps, evenly over the training's; between them it is interpolated.",
    )
    seed: Seed = Field(0, description="Of the images' choice and of their noise.")
    precision: PrecisionSettings = Field(
        PrecisionSettings(cuda="fp32", cpu="fp32"), description="Numbers of the network."
    )


class SamplerSettings(Settings):
    """How images are drawn from a trained model."""

    method: Literal["ancestral", "ddim", "dpm_solver"] = Field(
        "ancestral",
        description="ancestral: DDPM (Ho et al. 2020); ddim (Song et al. 2021); "
        "dpm_solver: DPM-Solver++, multistep, second order (Lu et al. 2022).",
    )
    steps: int = Field(50, ge=1, description="Reverse steps.")
    spacing: Literal["leading", "trailing", "linspace"] = Field(
        "leading", description="Which training timesteps are visited, as diffusers names it."
    )
    variance: Variance = Field(
        "fixed_small",
        description="Variance of a step's noise. Of an ancestral step: fixed_small, the posterior's, or "
        "fixed_large, beta_t. Of that and of ddim: optimal, exact for Gaussian data (docs/noise.md), or "
        "optimal_scalar, one number a step (Analytic-DPM, Bao et al. 2022).",
    )
    variance_from: Literal["network", "spectrum"] = Field(
        "network",
        description="What an optimal variance is of: network, the network's own errors; spectrum, the "
        "power spectrum of the data, in closed form.",
    )
    clipped_steps: int = Field(
        1,
        ge=0,
        description="Of an optimal variance: the last steps with noise, whose noise is clipped to a mean of "
        "2 grey levels. 0: none, and the step to the clean data adds its noise, too.",
    )
    eta: float = Field(0.0, ge=0, le=1, description="Of ddim: 0 is deterministic, 1 ancestral.")
    reading: Reading = Field("published", description="Which reading of the reverse process (docs/noise.md).")
    clamp: Clamp = Field(
        "auto",
        description="Clamp the predicted x_0 to [-1, 1] in whitened coordinates, in the data's, or not; "
        "auto: whitened for the reading `published`, as its code does, off for the others.",
    )
    epoch: float | None = Field(
        None, gt=0, description="Of the recipe's training.snapshots: its weights; null: those of the end."
    )
    images: int = Field(10_000, ge=1, le=10_000_000, description="Images to draw; the n of FID-n.")
    seed: Seed = Field(0, description="Image i starts from noise that is a function of (seed, i) alone.")

    precision: PrecisionSettings = Field(
        PrecisionSettings(cuda="fp32", cpu="fp32"), description="Numbers of the network while sampling."
    )

    @model_validator(mode="after")
    def _fits(self) -> "SamplerSettings":
        if self.variance.startswith("optimal") and self.method == "dpm_solver":
            raise ValueError(f"variance {self.variance} is of ancestral and ddim; dpm_solver adds no noise")
        return self

    @property
    def clamping(self) -> Literal["whitened", "data", "off"]:
        """The clamp, `auto` resolved."""
        if self.clamp == "auto":
            return "whitened" if self.reading == "published" else "off"
        return self.clamp

    @property
    def optimal(self) -> bool:
        """Whether its steps have an optimal variance."""
        return self.variance.startswith("optimal")

    def in_theory(self) -> dict[str, Any]:
        """The settings that the closed-form theory knows: it has no clamp, no seed and no images."""
        own = ("clipped_steps",) if self.optimal else ()
        names = ("method", "steps", "spacing", "variance", *own, "eta", "reading")
        return {name: getattr(self, name) for name in names}

    @property
    def slug(self) -> str:
        """The name of this sampler in paths: every setting that it uses, but the precision."""
        variance = "-" + self.variance.removeprefix("fixed_")
        if self.optimal:
            source = "" if self.variance_from == "network" else "-spectrum"
            variance += f"{source}-clip{self.clipped_steps}"
        ddim = f"-eta{self.eta:g}" + (variance if self.optimal else "")
        own = {"ancestral": variance, "ddim": ddim, "dpm_solver": ""}[self.method]
        epoch = f"-epoch{self.epoch:g}" if self.epoch else ""
        seed = f"-seed{self.seed}" if self.seed else ""
        return (
            f"{self.method}{self.steps}-{self.spacing}{own}"
            f"-{self.reading}-{self.clamping}-n{self.images}{epoch}{seed}"
        )

    def record(self, exclude: set[str] | None = None) -> dict[str, Any]:
        """The settings as records have them: the clamp that `auto` comes to, and `end` for no snapshot."""
        own = {"clamp": self.clamping, "epoch": self.epoch or "end"}
        return self.model_dump(mode="json", exclude=exclude) | own

    def too_many_steps(self, timesteps: int) -> str:
        """What is wrong with the number of steps for so many training timesteps; empty: nothing."""
        if self.steps > timesteps:
            return f"{self.steps} is more than the {timesteps} timesteps; lower it"
        if self.method == "dpm_solver" and 2 * self.steps > timesteps:
            most = timesteps // 2
            return f"{self.steps} steps of dpm_solver would visit timesteps twice; take at most {most}"
        return ""
