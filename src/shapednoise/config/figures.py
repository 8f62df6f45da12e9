"""Settings of figures: which experiment or noise, which quantity."""

from typing import Annotated, Any, Literal

from pydantic import Field

from shapednoise.config.base import Name, Settings, Strength, StrengthGrid
from shapednoise.metrics.registry import METRICS

Metric = Literal[tuple(METRICS)]


class UCurveSettings(Settings):
    """A score against the strength: seeds, quadratic fit, optimum, baseline (Figure 2a-e of SDM)."""

    kind: Literal["u_curve"] = Field(description="The kind of figure.")
    experiment: Name = Field(description="The experiment that is drawn.")
    metric: Metric = Field(description="The score that is drawn.")


class PrecisionRecallSettings(Settings):
    """Precision against recall, one point a strength, contours of equal F-score (Figure 2f)."""

    kind: Literal["precision_recall"] = Field(description="The kind of figure.")
    experiment: Name = Field(description="The experiment that is drawn.")


class SampleGridsSettings(Settings):
    """Grids of samples side by side, from the same starting noise (Figure 3)."""

    kind: Literal["sample_grids"] = Field(description="The kind of figure.")
    experiment: Name = Field(description="The experiment that is drawn.")
    strengths: tuple[Strength, ...] = Field(min_length=1, description="One grid each, left to right.")


class ForwardNoiseSettings(Settings):
    """A 2-D cloud and a real image under isotropic, squeezed and antisqueezed noise (Figure 1)."""

    kind: Literal["forward_noise"] = Field(description="The kind of figure.")
    dataset: Name = Field(description="The data set that is shown.")
    noise: Name = Field(description="The noise variant that squeezes.")
    strength: Strength = Field(gt=0, description="|s| of the squeezed and of the antisqueezed panel.")
    signal: float = Field(0.5, gt=0, lt=1, description="A_t, the share of the data's variance that is left.")
    image: int = Field(0, ge=0, description="Index of the training image that is shown.")


class DriftSettings(Settings):
    """How far S_t^-1 S_{t-1} is from the identity, step by step (appendix B.2, Eq. 12)."""

    kind: Literal["drift"] = Field(description="The kind of figure.")
    noise: Name = Field(description="The noise variant that is drawn.")
    strengths: tuple[Strength, ...] = Field(min_length=1, description="Strengths s0 to draw.")
    steps: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        min_length=1, description="Numbers of steps, one panel each."
    )


class SamplerBarsSettings(Settings):
    """A score of every sampler of an experiment, side by side, at a few strengths."""

    kind: Literal["sampler_bars"] = Field(description="The kind of figure.")
    experiment: Name = Field(description="The experiment that is drawn.")
    metric: Metric = Field("fid", description="The score that is drawn.")


class OmissionSettings(Settings):
    """Selective omission (SAGD): pictures for one corrupted band, scores for all of them."""

    kind: Literal["omission"] = Field(description="The kind of figure.")
    experiments: tuple[Name, ...] = Field(
        min_length=1, description="One a corrupted data set, each with strength 0 and one above."
    )
    shown: Name = Field(description="The experiment whose pictures are shown.")
    metric: Metric = Field("fid", description="The score that is drawn, against the clean data.")


class PointSettings(Settings):
    """A noise at a strength."""

    noise: Name = Field(description="Its name among the noises.")
    strength: Strength = Field(0.0, description="Its strength.")


class TheorySettings(Settings):
    """The closed-form distance against the strength, for several samplers (docs/noise.md)."""

    kind: Literal["theory"] = Field(description="The kind of figure.")
    dataset: Name = Field(description="The data set whose spectrum is taken.")
    noise: Name = Field(description="The noise variant.")
    strengths: StrengthGrid = Field(description="Strengths, or the name of a grid.")
    samplers: tuple[dict[str, Any], ...] = Field(
        ({},), min_length=1, description="Changes to the default recipe's sampling, one curve each."
    )
    shown: tuple[Strength, ...] = Field(
        (0.0, -0.4), min_length=1, description="Strengths of the panel of variances, for the first sampler."
    )
    experiment: Name | None = Field(None, description="An experiment whose FIDs are drawn over it, rescaled.")


class SpectraSettings(Settings):
    """Power spectra of noises, measured and in theory, at the last timestep."""

    kind: Literal["spectra"] = Field(description="The kind of figure.")
    dataset: Name = Field(description="The data set whose size and principal axes are taken.")
    points: tuple[PointSettings, ...] = Field(min_length=1, description="Noises, one curve each.")
    images: int = Field(512, ge=2, description="Noise images that are measured.")


class ScoreLimitSettings(Settings):
    """The error of the learned score as the noise vanishes, on Gaussian data (SAGD; docs/noise.md)."""

    kind: Literal["score_limit"] = Field(description="The kind of figure.")
    dataset: Name = Field(description="The data set whose spectrum the Gaussian data have.")
    points: tuple[PointSettings, ...] = Field(min_length=1, description="Noises, one curve each.")


class NoiseGallerySettings(Settings):
    """One real image under several noises, noised to several timesteps."""

    kind: Literal["noise_gallery"] = Field(description="The kind of figure.")
    dataset: Name = Field(description="The data set that is shown.")
    points: tuple[PointSettings, ...] = Field(min_length=1, description="Noises, one row each.")
    timesteps: tuple[Annotated[int, Field(ge=0)], ...] = Field(
        (0, 100, 250, 500, 999), min_length=1, description="Timesteps, one column each."
    )
    image: int = Field(0, ge=0, description="Index of the training image that is shown.")


class ReadingsSettings(Settings):
    """How far the three readings of the process lie apart on the principal axis."""

    kind: Literal["readings"] = Field(description="The kind of figure.")
    noise: Name = Field(description="The noise variant that is drawn.")
    strengths: tuple[Strength, ...] = Field(min_length=1, description="Strengths s0 to draw.")
    steps: tuple[Annotated[int, Field(ge=2)], ...] = Field(
        (1000, 50), min_length=1, description="Numbers of reverse steps, one panel each."
    )


FigureSettings = Annotated[
    SamplerBarsSettings
    | OmissionSettings
    | UCurveSettings
    | PrecisionRecallSettings
    | SampleGridsSettings
    | ForwardNoiseSettings
    | DriftSettings
    | TheorySettings
    | SpectraSettings
    | NoiseGallerySettings
    | ReadingsSettings
    | ScoreLimitSettings,
    Field(discriminator="kind"),
]
