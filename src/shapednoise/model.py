"""The denoiser: diffusers' UNet2DModel."""

from diffusers import UNet2DModel

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
