"""The denoiser, diffusers' UNet2DModel, and the folder that it is saved in."""

from pathlib import Path

import diffusers
from diffusers import SchedulerMixin, UNet2DModel

from shapednoise.files import write_json
from shapednoise.settings.training import UNetSettings


def build_unet(settings: UNetSettings, size: int, channels: int = 3) -> UNet2DModel:
    """A UNet2DModel for `channels` x size x size images; attention where the settings say."""
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
        up_block_types=["AttnUpBlock2D" if a else "UpBlock2D" for a in reversed(attention)],
    )


def save_model(unet: UNet2DModel, scheduler: SchedulerMixin, folder: Path) -> None:
    """Save both as the folder of a ShapedDDPMPipeline.

    It is what the pipeline's own save_pretrained writes. That is not called, so that the pipeline's
    code, which only sampling uses, is no part of what a trained model depends on.
    """
    unet.save_pretrained(folder / "unet")
    scheduler.save_pretrained(folder / "scheduler")
    index = {"_class_name": "ShapedDDPMPipeline", "_diffusers_version": diffusers.__version__}
    index["scheduler"] = [type(scheduler).__module__, type(scheduler).__name__]
    index["unet"] = ["diffusers", "UNet2DModel"]
    write_json(folder / "model_index.json", index)
