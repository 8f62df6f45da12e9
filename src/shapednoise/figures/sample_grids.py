"""Figure 3 of SDM: grids of samples side by side, image i from the same starting noise in each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from shapednoise.config.base import Name, Strength
from shapednoise.config.figures import FigureSettings
from shapednoise.figures.pictures import square_grid
from shapednoise.figures.style import new_figure, noise_at_strength, show_image

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

    from shapednoise.config.schema import Config

SIDE = 6


class SampleGridsSettings(FigureSettings):
    """Grids of samples side by side, from the same starting noise (as Figure 3 of SDM)."""

    table: ClassVar[str] = "sharpness"

    kind: Literal["sample_grids"] = Field(description="The kind of figure.")
    experiment: Name = Field(description="Experiment to plot.")
    strengths: tuple[Strength, ...] = Field(min_length=1, description="One grid each, left to right.")

    def problems(self, name: str, config: Config) -> Iterator[tuple[str, str]]:
        """The experiment must have the strengths, if the figure is a target: overlays shorten grids."""
        for strength in self.strengths:
            if name in config.targets and strength not in config.strengths_of(self.experiment):
                yield (
                    "strengths",
                    f"{strength:g} is not in experiment {self.experiment}; add it there or remove it here",
                )

    def inputs(self, name: str, layout: Any) -> dict[str, str | list[str]]:
        """The sample sets, one a strength: the first that the experiment has."""
        first = layout.config.seeds_of(self.experiment)[0]
        return {"samples": [layout.samples(each) for each in self._sample_sets(layout, first)]}

    def parameters(self, config: Config) -> dict[str, Any]:
        """The title of each grid."""
        noises = [config.noise_at(self.experiment, strength) for strength in self.strengths]
        return {"titles": list(map(noise_at_strength, noises, self.strengths))}

    def table_inputs(self, layout: Any) -> dict[str, str | list[str]]:
        """The sample sets of every seed: their sharpness is evidence for what the pictures show."""
        seeds = layout.config.seeds_of(self.experiment)
        return {"samples": [layout.samples(each) for k in seeds for each in self._sample_sets(layout, k)]}

    def table_parameters(self, config: Config) -> dict[str, Any]:
        """Their strengths and seeds, and the sampler that drew them."""
        sampler, seeds = config.samplers_of(self.experiment)[0], config.seeds_of(self.experiment)
        return {
            "strengths": list(self.strengths) * len(seeds),
            "seeds": [seed for seed in seeds for _ in self.strengths],
            "sampler": sampler.record(exclude={"precision"}),
        }

    @property
    def evidence(self) -> str:
        """The experiment."""
        return self.experiment

    def _sample_sets(self, layout: Any, seed: int) -> list[Any]:
        sets = [each for each in layout.sample_sets(self.experiment) if each.model.seed == seed]
        by_strength = {each.strength: each for each in reversed(sets)}
        return [by_strength[strength] for strength in self.strengths]

    @staticmethod
    def draw(samples: Sequence[np.ndarray], titles: Sequence[str]) -> Figure:
        """One grid a panel; samples: uint8 images N x C x H x W each."""
        figure, axes = new_figure(3.6 * len(samples), 3.9, columns=len(samples))
        figure.get_layout_engine().set(wspace=0.08)  # more than between the images of a grid
        for ax, title, images in zip(axes[0], titles, samples, strict=True):
            show_image(ax, square_grid(images, SIDE), title)
        return figure
