"""What a run has fixed beforehand about the claims that it decides."""

from pydantic import Field

from shapednoise.config.base import Settings


class PlannedRun(Settings):
    """With how many seeds and epochs a claim is decided; a run with more says so in the table of claims."""

    seeds: int = Field(ge=1, description="Training seeds.")
    epochs: float = Field(gt=0, description="Epochs of each training.")
