"""Real images distorted as the theory says that a sampler would distort them.

Each mode (principal colour axis, spatial frequency) of an image is attenuated by sqrt(v / L) where the
sampler's variance v is below the data's L, and gets white noise of variance v - L where it is above. All
else that makes an image look real stays: what FID says of them is the sampler's share of a model's FID, by
a perfect network.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from shapednoise.analysis.theory import predict_sampler
from shapednoise.config.sampling import SamplerSettings
from shapednoise.data.images import held_out_indices, normalize_to_minus_one_one, to_uint8
from shapednoise.errors import UserError

BLOCK = 500  # images that are transformed at once


def distorted_images(
    images: np.ndarray,
    spectrum: np.ndarray,
    pca: Mapping[str, Any],
    count: int,
    apart_from: int,
    shape: Mapping[str, Any],
    sampler: Mapping[str, Any] | None,
    schedule: Mapping[str, Any],
) -> np.ndarray:
    """Images of a data set as a sampler would distort them; the same images and noise for every sampler.

    Args:
        images: All of the data set, N x C x H x W, uint8, or float16 on the [-1, 1] scale.
        spectrum: L_m of them, (C, H, W) (analysis/spectrum.py).
        pca: The colours' principal `axes`, C unit rows (analysis/pca.py).
        count: How many images to distort.
        apart_from: Images of the reference that they are to be compared with, none of which is taken.
        shape: The noise's description for make_shape, without its axis.
        sampler: SamplerSettings as a dictionary; None: the images as they are.
        schedule: beta_start, beta_end and num_train_timesteps.

    Returns:
        uint8 (count, C, H, W).

    Raises:
        UserError: There are too few images, or the spectrum is of another size.
    """
    if spectrum.shape != images.shape[1:]:
        raise UserError(
            f"the spectrum is of {_size(spectrum.shape)}, the images are {_size(images.shape[1:])}; "
            "make the spectrum from these images"
        )
    chosen = images[held_out_indices(len(images), count, apart_from)]
    if sampler is None:
        return to_uint8(torch.from_numpy(chosen)).numpy()
    variances = predict_sampler(spectrum, pca, shape, SamplerSettings(**sampler), schedule).samples
    data = np.array(spectrum)
    kept = np.sqrt(np.divide(variances, data, out=np.ones_like(data), where=data > variances))
    added = np.sqrt((variances - data).clip(0))
    rotation, mean = torch.tensor(pca["axes"]).float(), _mean(images)
    generator = torch.Generator().manual_seed(0)
    parts = []
    for block in torch.from_numpy(chosen).split(BLOCK):
        projected = torch.einsum("ac,nchw->nahw", rotation, normalize_to_minus_one_one(block) - mean)
        white = torch.randn(projected.shape, generator=generator)
        modes = torch.from_numpy(kept).float() * torch.fft.fft2(projected)
        modes += torch.from_numpy(added).float() * torch.fft.fft2(white)
        distorted = torch.einsum("ac,nahw->nchw", rotation, torch.fft.ifft2(modes).real)
        parts.append(to_uint8(distorted + mean))
    return torch.cat(parts).numpy()


def _mean(images: np.ndarray) -> torch.Tensor:
    """The mean image, about which the spectrum is taken."""
    blocks = (torch.from_numpy(np.array(images[i : i + BLOCK])) for i in range(0, len(images), BLOCK))
    total = sum(normalize_to_minus_one_one(block).sum(0, dtype=torch.float64) for block in blocks)
    return (total / len(images)).float()


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
