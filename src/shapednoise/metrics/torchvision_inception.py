"""torchvision's Inception of ImageNet, whose classes are those of the published Inception Score of SDM.

Its scores are of another scale than those of the FID network (docs/scores.md).
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate
from torch_fidelity.feature_extractor_base import FeatureExtractorBase
from torchvision.models import Inception_V3_Weights, inception_v3

from shapednoise.metrics.inception import LOGITS

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's colours
SIZE = 299


class TorchvisionInception(FeatureExtractorBase):
    """Pooled features and the logits of ImageNet's 1,000 classes, bias included."""

    def __init__(self, weights: str | None) -> None:
        """Load the network.

        Args:
            weights: Path of torchvision's state dict; None: the file of torch.hub's folder.
        """
        super().__init__("torchvision-inception", ["2048", LOGITS])
        if weights:
            state = torch.load(weights, map_location="cpu", weights_only=True)
        else:
            state = Inception_V3_Weights.DEFAULT.get_state_dict(check_hash=True, weights_only=True)
        network = inception_v3(weights=None, transform_input=False, init_weights=False)
        network.load_state_dict(state)
        self.fc, network.fc = network.fc, nn.Identity()
        self.network = network

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Features (n, 2048) and logits (n, 1000) of images, uint8 (n, 3, H, W)."""
        x = interpolate(images.float() / 255, (SIZE, SIZE), mode="bilinear", align_corners=False)
        mean, deviation = (x.new_tensor(values)[:, None, None] for values in (MEAN, DEVIATION))
        features = self.network((x - mean) / deviation)
        return features, self.fc(features)

    @staticmethod
    def get_provided_features_list() -> tuple[str, ...]:
        """The layers."""
        return "2048", LOGITS
