"""Corrupt a data set in one band of spatial frequencies, for the selective omission of SAGD.

Every image x of the [-1, 1] scale becomes x + n, where n is white Gaussian noise of variance one of
which only the radial frequencies a <= r < b are kept (r = sqrt(fx^2 + fy^2), cycles per pixel): in the
orthonormal Fourier transform each of them rises in power by one, all others stay what they are. The
sum is stored as float16, neither clipped to [-1, 1] nor rounded to 8 bits, because clipping is not
linear and would leak the corruption into the other bands; the rounding of float16 is white noise of a
variance of about 1e-7.
"""

import hashlib
from pathlib import Path

import numpy as np
import torch

from shapednoise.config.data import CorruptionSettings
from shapednoise.data.images import block_size, normalize_to_minus_one_one
from shapednoise.files import new_array
from shapednoise.log import progress
from shapednoise.noise.bands import in_band


def write_corrupted(
    clean: np.ndarray, settings: CorruptionSettings, destination: Path, block: int = 500
) -> str:
    """Write the corrupted array (float16, like `clean` N x C x H x W); return the sha256 of its values.

    The values are hashed in the order in which they are stored. Blocks do not change them.
    """
    digest, block = hashlib.sha256(), block_size(clean.shape[1:], block)
    with new_array(destination, clean.shape, "float16") as array:
        for start in progress(range(0, len(clean), block), desc="corrupt", unit="block"):
            pixels = torch.from_numpy(np.array(clean[start : start + block]))
            images = normalize_to_minus_one_one(pixels).numpy()
            indices = range(start, start + len(images))
            noise = band_noise(settings.seed, indices, images.shape[1:], settings.band)
            corrupted = (images + noise).astype(np.float16)
            array[indices.start : indices.stop] = corrupted
            digest.update(corrupted)
    return digest.hexdigest()


def band_noise(seed: int, indices: range, shape: tuple[int, ...], band: tuple[float, float]) -> np.ndarray:
    """White noise of variance one, restricted to the band: float64, len(indices) x shape (C, H, W).

    The noise of image i is a function of (seed, i) alone.
    """
    white = np.stack([np.random.default_rng((seed, index)).standard_normal(shape) for index in indices])
    height, width = shape[1:]
    radius = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width))
    kept = in_band(radius, band)
    return np.fft.irfft2(np.fft.rfft2(white, norm="ortho") * kept, s=(height, width), norm="ortho")
