"""The denoiser, diffusers' UNet2DModel, and the folder that it is saved in."""

from pathlib import Path
from typing import Any

import diffusers
from diffusers import UNet2DModel

from shapednoise.config.training import UNetSettings
from shapednoise.files import write_json
from shapednoise.noise import PIPELINE_CLASS, PIPELINE_CODE


def build_unet(
    settings: UNetSettings, size: int, channels: int = 3, of_strengths: bool = False
) -> UNet2DModel:
    """A UNet2DModel for `channels` x size x size images; attention where the settings say.

    of_strengths: whether it is told the strength of the noise (noise/strengths.py).
    """
    levels = len(settings.channels)
    attention = [level in settings.attention_levels for level in range(1, levels + 1)]
    return UNet2DModel(
        sample_size=size,
        in_channels=channels,
        out_channels=channels,
        layers_per_block=settings.layers_per_block,
        block_out_channels=settings.channels,
        norm_num_groups=settings.norm_groups,
        down_block_types=["AttnDownBlock2D" if a else "DownBlock2D" for a in attention],
        class_embed_type="timestep" if of_strengths else None,
        up_block_types=["AttnUpBlock2D" if a else "UpBlock2D" for a in reversed(attention)],
    )


SCHEDULER = ("shapednoise.noise.schedulers", "ShapedDDPMScheduler")


def save_model(unet: UNet2DModel, scheduler: dict[str, Any], folder: Path) -> None:
    """Save the network and a ShapedDDPMScheduler's config as the folder of a ShapedDDPMPipeline.

    It is what the pipeline's own save_pretrained writes, but for settings that have their default.
    Neither is called, so that the code of pipeline and schedulers, which only sampling uses, is no
    part of what a trained model depends on.
    """
    version = {"_diffusers_version": diffusers.__version__}
    unet.save_pretrained(folder / "unet")
    config = {"_class_name": SCHEDULER[1], **version, **scheduler}
    write_json(folder / "scheduler" / "scheduler_config.json", config)
    for name, code in PIPELINE_CODE.items():
        (folder / name).write_text(code, encoding="utf-8")
    index = {"_class_name": PIPELINE_CLASS, **version}
    write_json(
        folder / "model_index.json",
        {**index, "scheduler": SCHEDULER, "unet": ["diffusers", "UNet2DModel"]},
    )
