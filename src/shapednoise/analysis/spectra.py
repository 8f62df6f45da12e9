"""The power spectrum of shaped noise: measured on noise images, and what its gains say."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from shapednoise.analysis.modes import directions, radial_mean
from shapednoise.noise.process import linear_betas
from shapednoise.noise.shape import NoiseShape, Size, make_shape, radii, with_data

BLOCK = 64


def spectra_table(
    pca: Mapping[str, Any],
    points: Sequence[tuple[str, float, Mapping[str, Any]]],
    schedule: Mapping[str, Any],
    size: int,
    images: int,
    seed: int = 0,
    spectrum: np.ndarray | None = None,
) -> pd.DataFrame:
    """Power by direction and radius of the noise of the last timestep; white noise has power 1.

    Args:
        pca: The colours' principal `axes`, C unit rows (analysis/pca.py).
        points: Noise, strength and description for make_shape without its axis.
        schedule: beta_start, beta_end and num_train_timesteps.
        size: Height and width of the noise images in pixels.
        images: How many noise images are measured.
        seed: Seed of their white noise, the same for every point.
        spectrum: L_m of the data, (C, H, W) (analysis/spectrum.py), for noises that are made of it.

    Returns:
        Columns noise, strength, direction, radius in cycles per pixel, `measured` and `theory`, each
        the mean over the direction and the radius.
    """
    axes, betas = np.array(pca["axes"]), linear_betas(**schedule)
    parts = []
    for noise, strength, description in points:
        shape = make_shape(**with_data(description, axes, spectrum))
        gains = shape.gains(betas, (size, size))[-1:]
        measured = _measured_power(shape, gains, axes, (size, size), images, seed)
        theory = (gains[0] ** 2)[shape.modes(len(axes), (size, size))].numpy()
        rows = pd.DataFrame(_rows(measured, theory))
        parts.append(rows.assign(noise=noise, strength=strength))
    return pd.concat(parts, ignore_index=True)


def _measured_power(
    shape: NoiseShape, gains: Tensor, axes: np.ndarray, size: Size, images: int, seed: int
) -> np.ndarray:
    """Mean square of each mode (principal axis, frequency) of noise images: (C, H, W)."""
    generator = torch.Generator().manual_seed(seed)
    rotation = torch.from_numpy(axes).double()
    total = torch.zeros(len(axes), *size, dtype=torch.float64)
    for start in range(0, images, BLOCK):
        count = min(BLOCK, images - start)
        white = torch.randn(count, len(axes), *size, generator=generator, dtype=torch.float64)
        projected = torch.einsum("ac,nchw->nahw", rotation, shape.apply(white, gains))
        total += torch.fft.fft2(projected, norm="ortho").abs().square().sum(0)
    return (total / images).numpy()


def _rows(measured: np.ndarray, theory: np.ndarray) -> Iterator[dict[str, Any]]:
    radius, index = (values.numpy() for values in radii(measured.shape[-2:]))
    for direction, axes in directions(len(measured)):
        means = radial_mean(measured[axes], index), radial_mean(theory[axes], index)
        for r, found, expected in zip(radius, *means, strict=True):
            yield {"direction": direction, "radius": r, "measured": found, "theory": expected}
