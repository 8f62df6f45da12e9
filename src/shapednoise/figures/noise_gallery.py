"""One real image under several noises, noised to several timesteps with the same white noise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field

from shapednoise.config.base import Name
from shapednoise.config.figures import FigureSettings, NoiseAtStrength, image_problems, noises_in
from shapednoise.figures.style import new_figure, noise_at_strength, show_image

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from shapednoise.config.schema import Config

SEED = 0


class NoiseGallerySettings(FigureSettings):
    """One real image under several noises, noised to several timesteps."""

    kind: Literal["noise_gallery"] = Field(description="The kind of figure.")
    dataset: Name = Field(description="Data set to show.")
    points: tuple[NoiseAtStrength, ...] = Field(min_length=1, description="Noises, one row each.")
    timesteps: tuple[Annotated[int, Field(ge=0)], ...] = Field(
        (0, 100, 250, 500, 999), min_length=1, description="Timesteps, one column each."
    )
    image: int = Field(0, ge=0, description="Index of the training image to show.")

    def problems(self, name: str, config: Config) -> Iterator[tuple[str, str]]:
        """The timesteps and the image must be there."""
        last = config.schedule.timesteps - 1
        if max(self.timesteps) > last:
            yield "timesteps", f"{max(self.timesteps)} is too late; the last one is {last}"
        yield from image_problems(config, self.dataset, self.image)

    def inputs(self, name: str, layout: Any) -> dict[str, str | list[str]]:
        """The images, their color axes and, where a noise needs it, their spectrum."""
        return {
            "images": layout.images(self.dataset),
            **layout.of_data(self.dataset, *noises_in(self.points)),
        }

    def parameters(self, config: Config) -> dict[str, Any]:
        """The shapes, without their axes, the schedule, and what to show."""
        return {
            "points": config.points(self.points),
            "schedule": config.schedule.for_diffusers(),
            "timesteps": list(self.timesteps),
            "image": self.image,
        }

    @staticmethod
    def draw(
        images: np.ndarray,
        pca: dict,
        points: Sequence[tuple[str, float, dict[str, Any]]],
        schedule: dict[str, Any],
        timesteps: Sequence[int],
        image: int,
        spectrum: np.ndarray | None = None,
    ) -> Figure:
        """A row a noise, a column a timestep, and last the noise alone, of the last timestep.

        images: N x C x H x W, see data/images.py. points: (noise, strength, shape without its axis).
        Pictures are x_t, or n_t, clipped to what 0..255 can show. A shape with gains of 0 leaves the
        image's own frequencies out, too.
        """
        import torch

        from shapednoise.data.images import check_index, normalize_to_minus_one_one, to_uint8
        from shapednoise.noise.process import ShapedProcess, linear_betas, size_of
        from shapednoise.noise.shape import make_shape, with_data

        check_index(images, image, getattr(images, "filename", "the data set"))
        width, height = 1.45 * len(timesteps) + 3.2, 1.5 * len(points) + 0.4
        figure, axes = new_figure(width, height, rows=len(points), columns=len(timesteps) + 1)
        clean = normalize_to_minus_one_one(torch.from_numpy(np.array(images[image][None])))
        white = torch.randn(clean.shape, generator=torch.Generator().manual_seed(SEED))
        betas = linear_betas(**schedule)
        for row, (noise, strength, shape) in zip(axes, points, strict=True):
            made = make_shape(**with_data(shape, pca["axes"], spectrum))
            process = ShapedProcess(made, betas, exact=False)
            for ax, t in zip(row, timesteps, strict=False):
                at = torch.tensor([t])
                noised = process.add_noise(clean, process.shape_noise(white, at), at)
                show_image(ax, to_uint8(noised[0]).numpy())
            show_image(row[-1], to_uint8(process.shape_noise(white, process.last)[0]).numpy())
            label = noise_at_strength(noise, strength).replace(", ", "\n")
            if not process.noise_gains(size_of(clean)).full:
                label += "\n(the image has\nits bands alone)"
            row[0].text(
                -0.08, 0.5, label, ha="right", va="center", transform=row[0].transAxes, fontsize="medium"
            )
        for ax, t in zip(axes[0], timesteps, strict=False):
            ax.set_title(f"$t$ = {t}")
        axes[0, -1].set_title("noise alone")
        return figure
