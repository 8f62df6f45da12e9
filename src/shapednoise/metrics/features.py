"""Features of images by the FID Inception network, in float32 with TF32 off.

Extracted once per image set and kept as a file: `features` (n, 2048) and, where the weights have
the classification layer, `logits` (n, 1008) without bias, the layers that torch-fidelity scores.
"""

from pathlib import Path

import numpy as np
import torch
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from shapednoise.console import progress
from shapednoise.data.scale import to_uint8
from shapednoise.metrics.weights import has_classifier

POOLED, LOGITS = "2048", "logits_unbiased"


def load_extractor(weights: str | Path, device: torch.device) -> FeatureExtractorInceptionV3:
    """The extractor with the layers that its weights can serve."""
    state = torch.load(weights, map_location="cpu", weights_only=True)
    layers = [POOLED, LOGITS] if has_classifier(state) else [POOLED]
    extractor = FeatureExtractorInceptionV3("fid_inception", layers, str(weights))
    return extractor.to(device, memory_format=torch.channels_last)


@torch.no_grad()
def extract(
    extractor: FeatureExtractorInceptionV3, images: np.ndarray, indices: np.ndarray, batch_size: int
) -> dict[str, np.ndarray]:
    """Features of images[indices] (N x C x H x W, see data/images.py). Returns float32 arrays by name.

    The network takes colour pictures of 8 bits: a grey channel is repeated, float16 is rounded.
    """
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    device = next(extractor.parameters()).device
    parts: list[tuple[np.ndarray, ...]] = []
    with progress(total=len(indices), desc="features", unit="image") as bar:
        for start in range(0, len(indices), batch_size):
            batch = torch.from_numpy(np.array(images[indices[start : start + batch_size]]))
            batch = to_uint8(batch).expand(-1, 3, -1, -1).to(device)
            parts.append(tuple(layer.cpu().numpy() for layer in extractor(batch)))
            bar.update(len(batch))
    names = {POOLED: "features", LOGITS: "logits"}
    stacked = [np.concatenate(layers) for layers in zip(*parts, strict=True)]
    return {names[layer]: array for layer, array in zip(extractor.features_list, stacked, strict=True)}
