"""Colour PCA against NumPy on data with known axes."""

import numpy as np
import pytest

from shapednoise.analysis.pca import color_pca


def test_axes_and_eigenvalues_are_numpys_on_all_pixels():
    rng = np.random.default_rng(0)
    mixed = rng.normal(size=(60, 3, 8, 8)) * np.array([40, 15, 5])[:, None, None]
    rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    images = np.clip(np.einsum("ij,njhw->nihw", rotation, mixed) + 128, 0, 255).round().astype(np.uint8)
    found = color_pca(images, block=7)
    pixels = images.transpose(0, 2, 3, 1).reshape(-1, 3) / 127.5 - 1
    covariance = np.cov(pixels.T, bias=True)
    np.testing.assert_allclose(found["covariance"], covariance, atol=1e-12)
    np.testing.assert_allclose(found["mean"], pixels.mean(0), atol=1e-12)
    eigenvalues, axes = np.array(found["eigenvalues"]), np.array(found["axes"])
    np.testing.assert_allclose(eigenvalues, np.linalg.eigvalsh(covariance)[::-1], atol=1e-12)
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(covariance @ axes.T, axes.T * eigenvalues, atol=1e-12)
    assert (axes.sum(1) > 0).all()


def test_images_of_the_unit_scale_are_not_scaled_again():
    pixels = np.random.default_rng(2).integers(0, 256, (31, 3, 8, 8), np.uint8)
    found, expected = color_pca((pixels / 127.5 - 1).astype(np.float16)), color_pca(pixels)
    for name in ("mean", "covariance", "eigenvalues"):
        np.testing.assert_allclose(found[name], expected[name], atol=1e-4)
    beyond = color_pca(np.resize(np.array([2, 3], np.float16), (2, 3, 4, 4)))
    assert beyond["mean"] == [2.5] * 3 and beyond["covariance"][0][0] == 0.25


def test_grey_images_have_one_axis():
    pixels = np.random.default_rng(3).integers(0, 256, (31, 1, 8, 8), np.uint8)
    found = color_pca(pixels)
    assert found["axes"] == [[1.0]] and found["explained"] == [1.0]
    assert found["eigenvalues"] == [pytest.approx((pixels / 127.5).var())]


def test_the_block_size_does_not_matter():
    images = np.random.default_rng(1).integers(0, 256, (31, 3, 8, 8), np.uint8)
    assert color_pca(images, block=4) == color_pca(images, block=1000)
