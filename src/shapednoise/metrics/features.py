"""Features of images by one network, in float32 with TF32 off.

Extracted once per image set and kept as a file: `features` (n, d) and, for Inception weights with the
classification layer, `logits` (n, 1008) without bias; `record`, as JSON, says how they came about.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch_fidelity.feature_extractor_base import FeatureExtractorBase

from shapednoise.data.images import to_uint8
from shapednoise.errors import DamagedFile, UserError
from shapednoise.files import DAMAGED, atomic_path
from shapednoise.log import progress
from shapednoise.metrics.inception import LOGITS
from shapednoise.shards import Arrays, Shards

SHARD_IMAGES = 2048  # about


@torch.inference_mode()
def extract(
    extractor: FeatureExtractorBase,
    images: np.ndarray,
    indices: np.ndarray,
    batch_size: int,
    shards: Shards | None = None,
) -> Arrays:
    """Features of images[indices] (N x C x H x W, see data/images.py). Returns float32 arrays by name.

    The networks take colour pictures of 8 bits: a grey channel is repeated, float16 is rounded. With
    shards, pieces that are there already are not computed. Raises UserError for what are no features.
    """
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    shards, size = shards or Shards(None, ""), shard_size(batch_size)
    pieces: list[Arrays] = []
    with progress(total=len(indices), desc="features", unit="image") as bar:
        for start in range(0, len(indices), size):
            chosen = indices[start : start + size]
            before = bar.n
            pieces.append(
                shards.get(start, lambda chosen=chosen: _extract(extractor, images, chosen, batch_size, bar))
            )
            bar.update(len(chosen) - (bar.n - before))  # what came from disk
    return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}


def _extract(
    extractor: FeatureExtractorBase, images: np.ndarray, indices: np.ndarray, batch_size: int, bar: Any
) -> Arrays:
    """Features of images[indices], batch by batch."""
    device = next((value.device for value in extractor.parameters()), torch.device("cpu"))
    parts: list[tuple[np.ndarray, ...]] = []
    for start in range(0, len(indices), batch_size):
        batch = torch.from_numpy(np.array(images[indices[start : start + batch_size]]))
        batch = to_uint8(batch).expand(-1, 3, -1, -1).to(device)
        layers = extractor(batch)
        if any(layer.ndim != 2 or len(layer) != len(batch) for layer in layers):
            raise UserError(
                f"{type(extractor).__name__} returned {[tuple(layer.shape) for layer in layers]} for "
                f"{len(batch)} images; a layer must be (images, features)"
            )
        parts.append(tuple(layer.float().cpu().numpy() for layer in layers))
        bar.update(len(batch))
    names = ["logits" if layer == LOGITS else "features" for layer in extractor.features_list]
    return {
        name: np.concatenate(layers) for name, layers in zip(names, zip(*parts, strict=True), strict=True)
    }


def shard_size(batch_size: int) -> int:
    """Images a shard: whole batches, so that shards change no batch and thus no last digit."""
    return max(1, SHARD_IMAGES // batch_size) * batch_size


def code_of(extractor: FeatureExtractorBase) -> str:
    """The source of the network's own module, which may be the user's."""
    file = sys.modules[type(extractor).__module__].__file__
    return Path(file).read_text(encoding="utf-8") if file else ""


def write_features(path: Path, arrays: Arrays, record: dict[str, Any]) -> None:
    """Write arrays and record as one file, whole or not at all."""
    with atomic_path(path) as temporary:
        np.savez(temporary, **arrays, record=np.array(json.dumps(record, sort_keys=True)))


def read_features(path: Path, *names: str) -> tuple[Arrays, dict[str, Any]]:
    """The arrays of a features file, or those of them that are named, and its record.

    Raises DamagedFile where it is damaged.
    """
    try:
        with np.load(path) as arrays:
            wanted = names or [name for name in arrays.files if name != "record"]
            return {name: arrays[name] for name in wanted}, json.loads(str(arrays["record"]))
    except DAMAGED as error:
        raise DamagedFile(path, error) from error
