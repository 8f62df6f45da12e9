"""A number for how sharp images are."""

import numpy as np
import pytest

from shapednoise.analysis.sharpness import gradient_energy, sharpness_table


def test_flat_images_have_no_energy_and_stripes_the_most():
    flat = np.full((2, 3, 8, 8), 77, np.uint8)
    stripes = np.zeros((1, 3, 8, 8), np.uint8)
    stripes[..., ::2] = 255
    assert gradient_energy(flat).tolist() == [0, 0]
    assert gradient_energy(stripes) == pytest.approx([1.0])


def test_blurring_lowers_it_and_blocks_do_not_matter(monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (5, 3, 16, 16)).astype(np.uint8)
    blurred = (images.astype(float) + np.roll(images, 1, -1) + np.roll(images, 1, -2)) / 3
    whole = gradient_energy(images)
    assert (gradient_energy(blurred.astype(np.uint8)) < whole).all()
    monkeypatch.setattr("shapednoise.analysis.sharpness.BLOCK", 2)
    np.testing.assert_array_equal(gradient_energy(images), whole)


def test_the_table_pairs_images_of_the_same_index():
    gray = np.zeros((3, 1, 8, 8), np.uint8)
    table = sharpness_table([gray, gray], [0.0, -0.4], [7, 7], {"method": "ddim"})
    assert table.groupby(["seed", "strength"]).image.apply(list).tolist() == [[0, 1, 2], [0, 1, 2]]
    assert list(table) == ["image", "energy", "strength", "seed", "sampler.method"]
