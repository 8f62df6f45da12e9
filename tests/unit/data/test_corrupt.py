"""Corruption in a band: the band's power rises by one, everything else stays."""

import hashlib

import numpy as np
import pytest

from shapednoise.config.data import CorruptionSettings
from shapednoise.data.corrupt import band_noise, write_corrupted
from shapednoise.data.images import load_images

IMAGES = np.random.default_rng(0).integers(0, 256, (200, 1, 16, 16), np.uint8)
BAND = (0.2, 0.35)


def corrupted(tmp_path, images=IMAGES, block: int = 64, **changes) -> np.ndarray:
    settings = CorruptionSettings(**{"corrupts": "pictures", "band": BAND, **changes})
    digest = write_corrupted(images, settings, tmp_path / "images.npy", block)
    written = load_images(tmp_path / "images.npy")
    assert digest == hashlib.sha256(written.tobytes()).hexdigest()
    return np.array(written)


def in_band(size: int) -> np.ndarray:
    """Which frequencies of a full two-dimensional transform are in the band."""
    frequencies = np.fft.fftfreq(size)
    radius = np.sqrt(frequencies[:, None] ** 2 + frequencies**2)
    return (radius >= BAND[0]) & (radius < BAND[1])


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [16, 15])
def test_the_spectrum_rises_by_one_in_the_band_and_nowhere_else(tmp_path, channels, size):
    images = np.random.default_rng(1).integers(0, 256, (200, channels, size, size), np.uint8)
    found = corrupted(tmp_path, images)
    assert found.dtype == np.float16 and found.shape == images.shape
    added = found.astype(np.float64) - (images / 127.5 - 1)
    power = (np.abs(np.fft.fft2(added, norm="ortho")) ** 2).mean((0, 1))
    band = in_band(size)
    assert power[~band].max() < 1e-6  # the rounding of float16
    np.testing.assert_allclose(power[band], 1, atol=0.45)  # each a mean over 200 or 600 draws
    assert power[band].mean() == pytest.approx(1, abs=0.03)


def test_nothing_is_clipped(tmp_path):
    white = np.full_like(IMAGES, 255)
    found = corrupted(tmp_path, white).astype(np.float64)
    assert found.max() > 2
    assert found.mean() == pytest.approx(1, abs=1e-4)


def test_the_noise_of_an_image_is_a_function_of_seed_and_index(tmp_path):
    whole = corrupted(tmp_path)
    np.testing.assert_array_equal(corrupted(tmp_path, block=7), whole)
    np.testing.assert_array_equal(corrupted(tmp_path, images=IMAGES[:50]), whole[:50])
    assert not np.array_equal(corrupted(tmp_path, seed=1), whole)
    noise = band_noise(0, range(20), (1, 16, 16), BAND)
    np.testing.assert_array_equal(noise[12:], band_noise(0, range(12, 20), (1, 16, 16), BAND))
    likeness = np.corrcoef(noise.reshape(20, -1)) - np.eye(20)
    assert np.abs(likeness).max() < 0.5


def test_all_frequencies_are_white_noise():
    noise = band_noise(3, range(5), (3, 16, 16), (0, 0.7072))
    white = np.stack([np.random.default_rng((3, i)).standard_normal((3, 16, 16)) for i in range(5)])
    np.testing.assert_allclose(noise, white, atol=1e-12)


@pytest.mark.parametrize(
    ("band", "size", "reached"),
    [((0, 0.01), 32, True), ((0.01, 0.03), 32, False), ((0.01, 0.03), 64, True), ((0.7, 0.7072), 16, True),
     ((0.7, 0.7072), 15, False), ((0.5, 0.6), 16, True)],
)  # fmt: skip
def test_a_band_reaches_images_as_its_noise_says(band, size, reached):
    settings = CorruptionSettings(corrupts="pictures", band=band)
    assert settings.reaches(size) == reached
    assert (np.abs(band_noise(0, range(2), (1, size, size), band)).max() > 1e-9) == reached
