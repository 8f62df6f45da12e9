"""Settings of how fast and how safely things are computed. They change no result beyond rounding."""

from typing import Literal

from pydantic import Field

from shapednoise.settings.base import Settings

Compilation = Literal["auto", "on", "off"]


class EngineSettings(Settings):
    """What a machine wants. A change reruns nothing."""

    compile: Compilation = Field(
        "auto",
        description="torch.compile of the network; auto: on a GPU, where what is left of the work repays it.",
    )
    checkpoint_minutes: float = Field(10.0, gt=0, description="Minutes between a training's checkpoints.")
    checkpoint_steps: int = Field(0, ge=0, description="Steps between them; 0: the minutes alone decide.")
    points_per_gpu: int = Field(
        1, ge=1, description="Jobs that share one GPU; run as many with --resources gpu=N."
    )
