"""The variance along v against numpy, on pixels whose variance is known, and what the data's is."""

import numpy as np
import pytest

from shapednoise.analysis.pca import color_pca
from shapednoise.config.scoring import ScoringSettings
from shapednoise.metrics.measures.variance_along_v import moments_along
from shapednoise.metrics.scores import score
from tests.unit.metrics.test_scores import SETTINGS, cloud


def pictures(count: int, spread: float, seed: int, channels: int = 3) -> np.ndarray:
    """Colors that vary along one axis, and images that vary in brightness."""
    rng = np.random.default_rng(seed)
    bright = rng.normal(scale=spread, size=(count, 1, 1, 1)) + rng.normal(scale=30, size=(count, 1, 8, 8))
    colors = bright * np.array([0.5, 0.6, 0.62])[:channels, None, None] + rng.normal(
        scale=5, size=(count, channels, 8, 8)
    )
    return (128 + colors).clip(0, 255).round().astype(np.uint8)


def scored(images: np.ndarray, data: np.ndarray, settings: ScoringSettings = SETTINGS) -> dict:
    features = cloud(len(images), 1.0, 0) | {"images": images}
    return score(features, cloud(60, 1.0, 1), settings, pca=color_pca(data))


@pytest.mark.parametrize("channels", [1, 3])
def test_it_is_the_variance_of_all_projected_pixels(channels):
    images, data = pictures(50, 20, 0, channels), pictures(90, 40, 1, channels)
    found = scored(images, data)
    v = np.array(color_pca(data)["axes"][0])
    pixels = images.transpose(0, 2, 3, 1).reshape(-1, channels) / 127.5 - 1
    assert found["variance_along_v"] == pytest.approx(np.var(pixels @ v), rel=1e-12)
    theirs = data.transpose(0, 2, 3, 1).reshape(-1, channels) / 127.5 - 1
    assert found["data_variance_along_v"] == pytest.approx(np.var(theirs @ v), rel=1e-12)
    assert scored(data[:60], data[:60])["variance_along_v"] == pytest.approx(
        color_pca(data[:60])["eigenvalues"][0], rel=1e-12
    )


def test_floats_are_on_the_scale_already_and_blocks_change_nothing(monkeypatch):
    images = pictures(30, 30, 2)
    axis = np.array([0.6, 0.0, 0.8])
    whole = moments_along(images, axis)
    monkeypatch.setattr("shapednoise.data.images.AT_ONCE", 7 * 3 * 64)
    np.testing.assert_array_equal(moments_along(images, axis), whole)
    np.testing.assert_allclose(moments_along((images / 127.5 - 1).astype(np.float16), axis), whole, atol=1e-3)


def test_its_interval_says_how_much_it_moves_when_images_are_drawn_again():
    settings = ScoringSettings(kid_subsets=2, kid_subset_size=20, is_splits=2, bootstrap=100)
    data = pictures(60, 40, 0)
    found = [scored(pictures(100, 40, seed), data, settings) for seed in range(40)]
    values, said = ([row[name] for row in found] for name in ("variance_along_v", "variance_along_v_se"))
    assert np.mean(said) == pytest.approx(np.std(values, ddof=1), rel=0.35)
    assert all(row["variance_along_v_low"] < row["variance_along_v"] for row in found)


def test_without_images_there_is_none():
    found = score(cloud(50, 1.0, 0), cloud(60, 1.0, 1), SETTINGS)
    assert found["variance_along_v"] is None and found["data_variance_along_v"] is None
