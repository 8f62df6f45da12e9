"""torch-fidelity's FID Inception network, the same numbers in less time.

Batch normalization is folded into the convolutions, the input is resized by two small matrices (the
resize of TensorFlow 1 is linear and separable) and kept channels last, and nothing is computed beyond
the deepest layer that is wanted. What it gains is measured by benchmarks/scores.py.
"""

import io
from collections.abc import Mapping
from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torch_fidelity.feature_extractor_inceptionv3 import BasicConv2d, FeatureExtractorInceptionV3
from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x

STAGES = {
    "64": ("Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "MaxPool_1"),
    "192": ("Conv2d_3b_1x1", "Conv2d_4a_3x3", "MaxPool_2"),
    "768": (*(f"Mixed_5{block}" for block in "bcd"), *(f"Mixed_6{block}" for block in "abcde")),
    "2048": tuple(f"Mixed_7{block}" for block in "abc"),
}
LOGITS = "logits_unbiased"  # the layer that the Inception Score takes


class FastInception(FeatureExtractorInceptionV3):
    """The network with its batch normalization folded in, for pooled layers and logits_unbiased."""

    def __init__(self, features_list: list[str], state: Mapping[str, Tensor]) -> None:
        """Load the weights and fold them.

        Args:
            features_list: Layers that are wanted: "64", "192", "768", "2048" or "logits_unbiased".
            state: A state dict of FeatureExtractorInceptionV3.
        """
        torch.save(state, content := io.BytesIO())  # its base opens what it is given as a pickle
        content.seek(0)
        super().__init__("inception-v3-compat", features_list, content)
        for block in self.modules():
            if isinstance(block, BasicConv2d):
                block.conv = fuse_conv_bn_eval(block.conv, block.bn)
                block.bn = nn.Identity()
        self.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Features of images, uint8 (n, 3, H, W): float32 (n, channels) for each of features_list."""
        x = resize((images.float() - 128) / 128, self.INPUT_IMAGE_SIZE)
        features: dict[str, Tensor] = {}
        for layer, blocks in STAGES.items():
            for block in blocks:
                x = getattr(self, block)(x)
            if layer in self.features_list or layer == "2048":
                features[layer] = adaptive_avg_pool2d(x, 1).flatten(1)
            if features.keys() >= set(self.features_list):
                break
        else:
            features[LOGITS] = features["2048"] @ self.fc.weight.T
        return tuple(features[layer] for layer in self.features_list)


def resize(images: Tensor, size: int) -> Tensor:
    """Bilinear resize as TensorFlow 1 does it.

    Args:
        images: float32 (n, c, H, W).
        size: Height and width afterwards.

    Returns:
        float32 (n, c, size, size), channels last.
    """
    rows, columns = (resize_matrix(length, size, images.device) for length in images.shape[2:])
    return (rows @ images @ columns.T).contiguous(memory_format=torch.channels_last)


@lru_cache(maxsize=8)
def resize_matrix(length: int, size: int, device: torch.device) -> Tensor:
    """The weights of each input pixel in each output pixel along one axis, float32 (size, length)."""
    identity = torch.eye(length)[None, None]
    weights = interpolate_bilinear_2d_like_tensorflow1x(identity, (size, length), align_corners=False)
    return weights[0, 0].to(device)
