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
from shapednoise.resumable import Arrays, ResumableArrays

CHUNK_IMAGES = 512  # about; so many may be extracted again after an interruption


@torch.inference_mode()
def extract(
    extractor: FeatureExtractorBase,
    images: np.ndarray,
    indices: np.ndarray,
    batch_size: int,
    work: ResumableArrays | None = None,
) -> Arrays:
    """Features of images[indices].

    The networks take colour images of 8 bits: a grey channel is repeated, float16 is rounded.

    Args:
        extractor: a feature extractor of torch-fidelity's kind, on its device.
        images: (N, C, H, W), see data/images.py.
        indices: (n,), which of them.
        batch_size: images at once; the last digits depend on it.
        work: the arrays to fill, of n rows; what is done there is not computed.

    Returns:
        float32 arrays (n, d) by name, `features` and, where the network has that layer, `logits`.

    Raises:
        UserError: if the extractor's output is not (images, features).
    """
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    work = work or ResumableArrays(len(indices))
    chunk = max(1, CHUNK_IMAGES // batch_size) * batch_size  # whole batches
    with progress(total=len(indices), initial=work.done, desc="features", unit="image") as bar:
        while work.done < len(indices):
            chosen = indices[work.done : work.done + chunk]
            work.append(_extract(extractor, images, chosen, batch_size, bar))
    return work.arrays


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


def code_of(extractor: FeatureExtractorBase) -> str:
    """The source of the network's own module, which may be the user's."""
    file = sys.modules[type(extractor).__module__].__file__
    return Path(file).read_text(encoding="utf-8") if file else ""


def write_features(path: Path, arrays: Arrays, record: dict[str, Any]) -> None:
    """Write arrays and record as one .npz file, whole or not at all."""
    with atomic_path(path) as temporary:
        np.savez(temporary, **arrays, record=np.array(json.dumps(record, sort_keys=True)))


def read_features(path: Path, *names: str) -> tuple[Arrays, dict[str, Any]]:
    """Read a file of features.

    Args:
        path: The .npz file.
        names: Arrays that are wanted; all where none is named.

    Returns:
        The arrays by name, and the record.

    Raises:
        DamagedFile: The file is damaged or lacks an array.
    """
    try:
        with np.load(path) as arrays:
            wanted = names or [name for name in arrays.files if name != "record"]
            return {name: arrays[name] for name in wanted}, json.loads(str(arrays["record"]))
    except DAMAGED as error:
        raise DamagedFile(path, error) from error
