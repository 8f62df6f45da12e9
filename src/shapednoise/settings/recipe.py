"""A recipe: how a model is trained, sampled and scored."""

from pydantic import Field

from shapednoise.settings.base import Settings
from shapednoise.settings.sampling import SamplerSettings
from shapednoise.settings.scoring import ScoringSettings
from shapednoise.settings.training import TrainingSettings


class RecipeSettings(Settings):
    """Training, sampling and scoring; each is seen only by the rules that it concerns."""

    training: TrainingSettings = Field(description="What a trained model depends on.")
    sampling: SamplerSettings = Field(SamplerSettings(), description="How images are drawn from it.")
    scoring: ScoringSettings = Field(ScoringSettings(), description="How the images are scored.")
