"""Colour PCA against NumPy on data with known axes."""

import tracemalloc

import numpy as np
import pytest

from shapednoise.analysis.pca import color_pca
from shapednoise.analysis.score_limit import score_limit_table
from shapednoise.analysis.spectrum import power_spectrum
from shapednoise.analysis.theory import theory_table
from shapednoise.data.images import block_size
from shapednoise.errors import UserError


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


def one_line_of_colours() -> np.ndarray:
    """Stripes of colours (v, 2 v, 3 v): nothing across that axis, and of 144 frequencies only three."""
    values = np.random.default_rng(5).integers(0, 85, (300, 1, 1, 3), np.uint8)
    return np.array([1, 2, 3], np.uint8)[:, None, None] * np.tile(values, (12, 4))


def test_rounding_is_not_taken_for_variance():
    images = one_line_of_colours()
    pca = color_pca(images)
    np.testing.assert_allclose(pca["axes"][0], np.array([1, 2, 3]) / 14**0.5, atol=1e-12)
    assert pca["eigenvalues"][1:] == [0, 0] and pca["explained"] == [1, 0, 0]
    spectrum = power_spectrum(images, pca)
    assert (spectrum[1:] == 0).all() and (spectrum[0] > 0).sum() == 3
    assert spectrum[0, 0, [0, 4, 8]].min() > 0
    assert spectrum.sum() == pytest.approx((images / 127.5).var(0).sum(), rel=1e-5)
    errors = score_limit_table(spectrum, pca, [("ddpm", 0.0, {"operator": "ddpm"})]).set_index("level")
    there = spectrum[spectrum > 0]
    expected = np.sqrt((there * (1 / (0.9 * there + 0.1) - 1 / there) ** 2).sum() / (1 / there).sum())
    assert errors.error[0.1] == pytest.approx(expected)
    distances, variances = theory_table(
        spectrum, pca, "ddpm", [{"operator": "ddpm"}], [{"steps": 5}], [0.0],
        {"beta_start": 1e-4, "beta_end": 0.02, "num_train_timesteps": 1000},
    )  # fmt: skip
    assert np.isfinite(distances[["distance", "share", "share_v"]]).all(axis=None)
    assert not np.isinf(variances.ratio).any() and variances.ratio[variances.data == 0].isna().all()


def test_a_smallest_variance_is_not_taken_for_rounding():
    images = np.repeat(np.random.default_rng(6).integers(0, 256, (500, 1, 32, 32), np.uint8), 3, axis=1)
    images[7, 0, 3, 3] ^= 1  # one pixel is not grey, by one level
    found = color_pca(images)["eigenvalues"]
    assert found[1] == pytest.approx(2 / 3 * (2 / 255) ** 2 / 512_000, rel=0.01) and found[2] == 0


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", [np.uint8, np.float16])
def test_pictures_of_one_colour_are_one_clear_line(channels, dtype, tmp_path):
    np.save(tmp_path / "plain.npy", np.full((31, channels, 8, 8), 3, dtype))
    with pytest.raises(
        UserError, match=r"all 31 images of .*plain\.npy are of one and the same colour; take"
    ):
        color_pca(np.load(tmp_path / "plain.npy", mmap_mode="r"))
    same = np.resize(np.random.default_rng(0).integers(0, 256, (3, 8, 8), np.uint8), (31, 3, 8, 8))
    with pytest.raises(UserError, match="all 31 images of the array are equal; take others"):
        power_spectrum(same, color_pca(same))


def test_large_images_are_taken_few_at_a_time():
    images = np.random.default_rng(0).integers(0, 256, (100, 3, 512, 512), np.uint8)
    assert block_size(images.shape[1:], 5000) == 31
    tracemalloc.start()
    color_pca(images)
    assert tracemalloc.get_traced_memory()[1] < 3.5 * 8 * 31 * images[0].size
    tracemalloc.stop()
