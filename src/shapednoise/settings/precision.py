"""Settings of the numbers that a network computes with."""

from typing import Literal

from pydantic import Field

from shapednoise.settings.base import Settings


class PrecisionSettings(Settings):
    """Numbers of the network's forward pass under autocast; weights and loss stay float32."""

    cuda: Literal["fp32", "fp16", "bf16"] = Field("fp16", description="On a GPU (the paper trains in fp16).")
    cpu: Literal["fp32", "auto"] = Field(
        "fp32", description="On a CPU; auto: bf16 where the processor multiplies it natively, else fp32."
    )
