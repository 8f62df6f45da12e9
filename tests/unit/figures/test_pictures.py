"""Pictures of sample sets: tiles, grids, strips and animations."""

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

from shapednoise.figures.pictures import GAP, ZOOM, save_gif, save_grid, save_strip, square_grid
from shapednoise.figures.style import new_figure, show_image


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
    for shown in (frames[0, 0], frames[0, 0].transpose(1, 2, 0)):
        figure, [[axes]] = new_figure(2, 2)
        show_image(axes, shown)
        np.testing.assert_array_equal(axes.images[0].get_array(), same[0, 0].transpose(1, 2, 0))
        plt.close(figure)


def test_a_grid_of_fewer_images_than_places():
    images = np.zeros((7, 3, 4, 4), np.uint8)
    assert square_grid(images, 6).shape == (2 * 4 + GAP, 6 * 4 + 5 * GAP, 3)
