"""Figure 1 of SDM: what isotropic, squeezed and antisqueezed noise do to a cloud and to an image."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from shapednoise.config.base import Name, Strength
from shapednoise.config.figures import FigureSettings, color_axis_problems, image_problems
from shapednoise.figures.style import new_figure, noise_name, show_image

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from torch import Tensor

    from shapednoise.config.schema import Config
    from shapednoise.noise.shape import NoiseShape

PIXELS = 1500


class ForwardNoiseSettings(FigureSettings):
    """A 2-D cloud and a real image under isotropic, squeezed and antisqueezed noise (SDM, Figure 1)."""

    kind: Literal["forward_noise"] = Field(description="The kind of figure.")
    dataset: Name = Field(description="Data set to show.")
    noise: Name = Field(description="The noise variant that squeezes.")
    strength: Strength = Field(gt=0, description="|s| of the squeezed and of the antisqueezed panel.")
    signal: float = Field(
        0.5, gt=0, lt=1, description="A_t, the fraction of the data's variance that is left."
    )
    image: int = Field(0, ge=0, description="Index of the training image to show.")

    def problems(self, name: str, config: Config) -> Iterator[tuple[str, str]]:
        """The noise must have a color axis, and the data set the image."""
        yield from color_axis_problems(config, self.kind, self.noise)
        yield from image_problems(config, self.dataset, self.image)

    def inputs(self, name: str, layout: Any) -> dict[str, str | list[str]]:
        """The images and their color axes."""
        return {"images": layout.images(self.dataset), "pca": layout.pca(self.dataset)}

    def parameters(self, config: Config) -> dict[str, Any]:
        """The shape that squeezes, without its axis, and what to show."""
        return {
            "name": self.noise,
            "shape": config.shape(self.noise, self.strength),
            "signal": self.signal,
            "image": self.image,
        }

    @staticmethod
    def draw(images: np.ndarray, pca: dict, name: str, shape: dict, signal: float, image: int) -> Figure:
        """Top: the colors of real pixels in the plane of the first two principal axes. Bottom: an image.

        images: N x 3 x H x W, see data/images.py. signal: A_t; the noise has weight sqrt(1 - A_t) and
        constant strength.
        """
        import torch

        from shapednoise.data.images import check_index, normalize_to_minus_one_one, to_uint8
        from shapednoise.noise.shape import make_shape, with_data

        check_index(images, image, getattr(images, "filename", "the data set"))
        color_axes, strength = np.array(pca["axes"]), shape["strength"]
        squeezing = with_data(shape, color_axes.tolist()) | {"schedule": "constant"}
        name = noise_name(name)
        panels = {
            "Data": None,
            "Isotropic (DDPM)": make_shape(),
            f"Squeezed ({name}, $s={strength:g}$)": make_shape(**squeezing),
            f"Antisqueezed ({name}, $s=-{strength:g}$)": make_shape(**squeezing | {"strength": -strength}),
        }
        figure, axes = new_figure(11.5, 5.4, rows=2, columns=len(panels))
        pixels = normalize_to_minus_one_one(torch.from_numpy(_pixels(images))).double()[:, :, None, None]
        clean = normalize_to_minus_one_one(torch.from_numpy(np.array(images[image : image + 1]))).double()
        for column, (title, panel) in enumerate(panels.items()):
            _draw_cloud(axes[0, column], pixels, panel, color_axes, signal)
            axes[0, column].set_xlabel("1st principal axis $v$")
            axes[0, column].set_title(title)
            noised = clean if panel is None else _add_noise(clean, panel, signal)
            show_image(axes[1, column], to_uint8(noised[0]).numpy())
        axes[0, 0].set_ylabel("2nd principal axis")
        scale = f"Noise at $\\bar\\alpha$ = {signal:g}; colours from \u22121 to 1"
        figure.suptitle(scale, fontsize="medium")
        axes[0, 1].legend(frameon=False, fontsize="small", loc="upper center", ncols=2, markerscale=4)
        return figure


def _pixels(images: np.ndarray) -> np.ndarray:
    """Colors of PIXELS pixels spread over the data set, one pixel an image: (PIXELS, 3)."""
    chosen = np.linspace(0, len(images) - 1, min(PIXELS, len(images))).astype(int)
    size = images.shape[2]
    positions = np.random.default_rng(0).integers(0, size, (len(chosen), 2))
    return np.stack([images[i, :, row, col] for i, (row, col) in zip(chosen, positions, strict=True)])


def _add_noise(x: Tensor, shape: NoiseShape, signal: float) -> Tensor:
    """sqrt(A) x + sqrt(1 - A) S e, the same e for every shape."""
    import torch

    white = torch.randn(x.shape, generator=torch.Generator().manual_seed(0), dtype=x.dtype)
    gains = shape.gains(torch.tensor([0.5]), (x.shape[2], x.shape[3]))
    return signal**0.5 * x + (1 - signal) ** 0.5 * shape.apply(white, gains)


def _draw_cloud(
    ax: Axes, pixels: Tensor, shape: NoiseShape | None, color_axes: np.ndarray, signal: float
) -> None:
    data = pixels[:, :, 0, 0].numpy() @ color_axes[:2].T
    if shape is not None:
        noised = _add_noise(pixels, shape, signal)[:, :, 0, 0].numpy() @ color_axes[:2].T
        ax.plot(*noised.T, ".", color="tab:red", ms=2.2, alpha=0.5, label="with noise", rasterized=True)
    ax.plot(*data.T, ".", color="tab:blue", ms=2.2, alpha=0.5, label="data", rasterized=True)
    ax.set(xlim=(-5, 5), ylim=(-3.25, 3.25), aspect="equal")
