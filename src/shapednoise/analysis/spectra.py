"""The power spectrum of shaped noise: measured on noise images, and what its gains say."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from shapednoise.analysis.modes import directions, radial_mean
from shapednoise.noise.shape import NoiseShape, Size, make_shape, radii

BLOCK = 64


def spectra_table(
    points: Sequence[tuple[str, float, dict[str, Any]]],
    axes: np.ndarray,
    size: Size,
    betas: Tensor,
    images: int,
    seed: int = 0,
) -> pd.DataFrame:
    """Power by direction and radius of the noise of the last timestep; white noise has power 1.

    points: (noise, strength, shape with its axis); axes: the principal axes (C, C), unit rows; betas:
    (T,); images: how many noise images are measured. Columns: noise, strength, direction, radius in
    cycles per pixel, `measured` and `theory`, each the mean over the direction and the radius.
    """
    parts = []
    for noise, strength, description in points:
        shape = make_shape(**description)
        gains = shape.gains(betas, size)[-1:]
        measured = measured_power(shape, gains, axes, size, images, seed)
        theory = (gains[0] ** 2)[shape.modes(len(axes), size)].numpy()
        rows = pd.DataFrame(_rows(measured, theory))
        parts.append(rows.assign(noise=noise, strength=strength))
    return pd.concat(parts, ignore_index=True)


def measured_power(
    shape: NoiseShape, gains: Tensor, axes: np.ndarray, size: Size, images: int, seed: int
) -> np.ndarray:
    """Mean square of each (principal axis, frequency) of so many noise images: (C, H, W)."""
    generator = torch.Generator().manual_seed(seed)
    rotation = torch.from_numpy(np.asarray(axes)).double()
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
