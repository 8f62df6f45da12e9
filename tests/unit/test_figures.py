"""Figures show what the table says: checked on what they draw, never on pixels."""

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from shapednoise.figures.drift import drift_figure
from shapednoise.figures.forward_noise import forward_noise
from shapednoise.figures.pictures import ZOOM, save_gif, save_grid, save_strip
from shapednoise.figures.precision_recall import precision_recall
from shapednoise.figures.sample_grids import sample_grids
from shapednoise.figures.style import new_figure, plt, save, show_image
from shapednoise.figures.tiles import GAP, square_grid
from shapednoise.figures.u_curve import u_curve
from shapednoise.metrics.curve import fit_parabola
from shapednoise.noise.drift import drift_table

STRENGTHS = np.array([-0.6, -0.4, -0.2, 0.0, 0.2, 0.4])


@pytest.fixture
def scores() -> pd.DataFrame:
    """FID = 30 + 50 (s + 0.3)^2 + seed, for two seeds; HDM one worse."""
    rows = []
    for seed in (0, 1):
        for strength in STRENGTHS:
            for noise, extra in (("sdm", 0), ("hdm", 1)) if strength else (("ddpm", 0),):
                fid = 30 + 50 * (strength + 0.3) ** 2 + seed + extra
                rows.append(
                    (noise, strength, seed, fid, 0.5 + 0.1 * strength, 0.4 - 0.2 * strength, 100, 200)
                )
    columns = ["noise", "strength", "seed", "fid", "precision", "recall", "generated_images", "real_images"]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(**{"is": np.nan, "is_missing": "no classification layer; get the file"})


def labels(axes) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_a_parabola_is_fitted_with_its_optimum():
    fit = fit_parabola(STRENGTHS, 30 + 50 * (STRENGTHS + 0.3) ** 2)
    assert fit.optimum(lower_is_better=True) == pytest.approx(-0.3)
    assert fit(np.array(-0.3)) == pytest.approx(30)
    assert fit.optimum(lower_is_better=False) is None
    outside = fit_parabola(STRENGTHS, (STRENGTHS - 3) ** 2)
    assert outside.optimum(lower_is_better=True) is None
    assert fit_parabola(STRENGTHS[:2], STRENGTHS[:2]) is None


def test_the_u_curve_shows_seeds_band_fit_optimum_and_baseline(scores):
    [axes] = u_curve(scores, "fid", "CIFAR-10").axes
    assert "SDM" in labels(axes) and "HDM" in labels(axes)
    assert "SDM, quadratic fit" in labels(axes)
    assert any("optimum" in label and "0.30" in label for label in labels(axes))
    assert "DDPM ($s=0$)" in labels(axes)
    assert len(axes.collections) == 2  # a band a variant
    curves = {line.get_label(): line for line in axes.lines}
    np.testing.assert_allclose(curves["SDM"].get_xdata(), STRENGTHS)  # the baseline is on the curve
    expected = 30.5 + 50 * (STRENGTHS + 0.3) ** 2
    np.testing.assert_allclose(curves["SDM"].get_ydata(), expected)
    assert curves["DDPM ($s=0$)"].get_ydata()[0] == pytest.approx(35.0)
    assert "100 generated, 200 real, 2 seeds" in axes.get_title()


def test_every_sampler_has_a_curve_of_its_own(scores):
    sdm = scores[scores.noise != "hdm"]
    both = pd.concat(
        [sdm.assign(**{"sampler.steps": 50}), sdm.assign(fid=sdm.fid - 5, **{"sampler.steps": 250})]
    )
    [axes] = u_curve(both, "fid", "CIFAR-10").axes
    curves = {line.get_label(): line for line in axes.lines}
    means = {name: curves[name].get_ydata() for name in ("SDM, steps 50", "SDM, steps 250")}
    np.testing.assert_allclose(means["SDM, steps 50"] - means["SDM, steps 250"], 5)
    assert "DDPM ($s=0$)" not in labels(axes)  # there are two baselines; they are on the curves


def test_a_score_that_could_not_be_computed_says_so(scores):
    [axes] = u_curve(scores, "is", "CIFAR-10").axes
    [text] = axes.texts
    assert "Inception Score is not available" in text.get_text()
    assert "no classification layer" in text.get_text()


def test_precision_and_recall_are_labelled_with_strengths_and_contours(scores):
    [axes] = precision_recall(scores[scores.noise != "hdm"], "CIFAR-10").axes
    texts = [text.get_text() for text in axes.texts]
    assert {"\u22120.6", "\u22120.4", "\u22120.2", "0 (DDPM)", "+0.2", "+0.4"} <= set(texts)
    assert any(text.startswith("F=") for text in texts)
    path = next(line for line in axes.lines if line.get_label() == "SDM")
    np.testing.assert_allclose(path.get_xdata(), 0.4 - 0.2 * STRENGTHS)
    np.testing.assert_allclose(path.get_ydata(), 0.5 + 0.1 * STRENGTHS)
    assert axes.get_xlabel() == "Recall" and axes.get_ylabel() == "Precision"


def test_forward_noise_has_four_columns_of_cloud_and_image():
    images = np.random.default_rng(0).integers(0, 256, (30, 3, 8, 8), np.uint8)
    figure = forward_noise(images, np.eye(3), "sdm", {"operator": "sdm", "strength": 1.0}, 0.5, 2)
    assert len(figure.axes) == 8
    titles = [axes.get_title() for axes in figure.axes[:4]]
    assert titles[0] == "Data" and "Squeezed" in titles[2] and "Antisqueezed" in titles[3]
    shown = figure.axes[4].images[0].get_array()
    np.testing.assert_array_equal(shown, images[2].transpose(1, 2, 0))

    def spread(axes):
        return axes.lines[0].get_xdata().std()

    isotropic, squeezed, antisqueezed = (spread(axes) for axes in figure.axes[1:4])
    assert squeezed < isotropic < antisqueezed


def test_grids_are_side_by_side():
    images = np.random.default_rng(0).integers(0, 256, (40, 3, 8, 8), np.uint8)
    figure = sample_grids([("DDPM (s = 0)", images), ("SDM (s = -0.4)", images[::-1])])
    assert [axes.get_title() for axes in figure.axes] == ["DDPM (s = 0)", "SDM (s = -0.4)"]
    picture = figure.axes[0].images[0].get_array()
    assert picture.shape == (6 * 10 - GAP, 6 * 10 - GAP, 3)
    np.testing.assert_array_equal(picture[10:18, 20:28], images[8].transpose(1, 2, 0))


def test_drift_has_a_panel_for_each_number_of_steps_and_one_for_the_sum():
    betas = torch.linspace(1e-4, 0.02, 1000)
    shapes = [{"operator": "sdm", "strength": strength} for strength in (-0.4, 0.4)]
    figure = drift_figure(drift_table("sdm", shapes, [1000, 50], betas))
    titles = [axes.get_title() for axes in figure.axes]
    assert "1000 steps" in titles[0] and "50 steps" in titles[1] and "accumulated" in titles[2]
    assert labels(figure.axes[2]) == ["\u22120.4", "0.4"]


def test_saved_figures_are_the_same_every_time(tmp_path, scores):
    for name in ("a", "b"):
        save(u_curve(scores, "fid", "CIFAR-10"), [tmp_path / f"{name}.pdf", tmp_path / f"{name}.png"])
    for suffix in ("pdf", "png"):
        assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()


def test_pictures_of_a_sample_set(tmp_path):
    frames = np.random.default_rng(0).integers(0, 256, (5, 8, 3, 16, 16), np.uint8)
    save_strip(frames, np.array([800, 600, 400, 200, 0]), tmp_path / "strip.png")
    save_gif(frames, tmp_path / "denoising.gif")
    save_grid(frames[:, 0], tmp_path / "grid.png")
    with Image.open(tmp_path / "strip.png") as strip:
        assert strip.width == 5 * (16 * ZOOM + GAP) - GAP
    with Image.open(tmp_path / "denoising.gif") as gif:
        assert gif.n_frames == 5
    with Image.open(tmp_path / "grid.png") as grid:
        assert grid.size == (5 * (16 * ZOOM + GAP) - GAP, 16 * ZOOM)


def test_grey_images_are_shown_grey(tmp_path):
    frames = np.random.default_rng(0).integers(0, 256, (5, 8, 1, 16, 16), np.uint8)
    same = np.repeat(frames, 3, axis=2)
    for name, content in (("grey", frames), ("colour", same)):
        save_strip(content, np.arange(5), tmp_path / f"{name}.png")
        save_gif(content, tmp_path / f"{name}.gif")
    for suffix in ("png", "gif"):
        assert (tmp_path / f"grey.{suffix}").read_bytes() == (tmp_path / f"colour.{suffix}").read_bytes()
    np.testing.assert_array_equal(square_grid(frames[:, 0], 2), square_grid(same[:, 0], 2))
    for picture in (frames[0, 0], frames[0, 0].transpose(1, 2, 0)):
        figure, [[axes]] = new_figure(2, 2)
        show_image(axes, picture)
        np.testing.assert_array_equal(axes.images[0].get_array(), same[0, 0].transpose(1, 2, 0))
        plt.close(figure)


def test_a_grid_of_fewer_images_than_places():
    images = np.zeros((7, 3, 4, 4), np.uint8)
    assert square_grid(images, 6).shape == (2 * 4 + GAP, 6 * 4 + 5 * GAP, 3)
