"""Selective omission (SAGD): what models learn from data with noise in a known band.

Above: clean and corrupted images, and what is drawn from a model with white noise and from one whose
noise has no support in that band. Below: their scores against the clean data, band by band.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from shapednoise.config.base import Name
from shapednoise.config.figures import FigureSettings
from shapednoise.figures.curves import counts, draw_bars
from shapednoise.figures.pictures import square_grid
from shapednoise.figures.style import new_figure, show_image
from shapednoise.metrics.registry import METRICS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from shapednoise.config.schema import Config

SIDE = 5
SAMPLED = ("white noise", "no noise in the band")


class OmissionSettings(FigureSettings):
    """Selective omission (SAGD): pictures for one corrupted band, scores for all of them."""

    kind: Literal["omission"] = Field(description="The kind of figure.")
    experiments: tuple[Name, ...] = Field(
        min_length=1, description="One for each corrupted data set, with strength 0 and one above."
    )
    shown: Name = Field(description="The experiment whose pictures to show.")
    metric: Literal[tuple(METRICS)] = Field("fid", description="Metric to plot, against the clean data.")

    def problems(self, name: str, config: Config) -> Iterator[tuple[str, str]]:
        """Each experiment must compare white noise with one that leaves a band out, on corrupted data."""
        if self.shown not in self.experiments:
            yield "shown", f"{self.shown!r} is none of its experiments; name one of them"
        for experiment in self.experiments:
            settings, strengths = config.experiments[experiment], config.strengths_of(experiment)
            if config.clean_of(settings.dataset) == settings.dataset:
                yield (
                    "experiments",
                    f"the data set of {experiment}, {settings.dataset}, is not corrupted; "
                    "name one that `corrupts` another",
                )
            noise = config.noises[settings.noises[0]]
            if noise.operator != "sagd_bandpass" or noise.times or len(settings.samplers) != 1:
                yield (
                    "experiments",
                    f"{experiment} must have a noise of operator sagd_bandpass and one sampler",
                )
            if len(settings.noises) != 1 or 0.0 not in strengths or len(strengths) != 2:
                yield (
                    "experiments",
                    f"{experiment} must have one noise and two strengths, "
                    "0 and that of the noise which leaves the band out",
                )

    def inputs(self, name: str, layout: Any) -> dict[str, str | list[str]]:
        """The scores of every band; of the one that is shown, the images and both sample sets."""
        sets = layout.sample_sets(self.shown)
        isotropic = next(each for each in sets if not each.strength)
        omitting = next(each for each in sets if each.strength)
        dataset = isotropic.model.dataset
        return {
            "scores": [layout.scores_table(experiment) for experiment in self.experiments],
            "clean": layout.images(layout.config.clean_of(dataset)),
            "corrupted": layout.images(dataset),
            "samples": [layout.samples(isotropic), layout.samples(omitting)],
        }

    def parameters(self, config: Config) -> dict[str, Any]:
        """The bands, as figures write them, the metric, the title of the clean data."""
        bands = {name: config.datasets[config.experiments[name].dataset].band for name in self.experiments}
        clean = config.images_of(config.experiments[self.shown].dataset)
        texts = {name: f"{low:.2f}\u2013{high:.2f}" for name, (low, high) in bands.items()}
        return {
            "bands": list(texts.values()),
            "shown": texts[self.shown],
            "metric": self.metric,
            "dataset": config.trained_title(self.shown, clean.title),
        }

    @staticmethod
    def draw(
        scores: Sequence[pd.DataFrame],
        clean: np.ndarray,
        corrupted: np.ndarray,
        samples: Sequence[np.ndarray],
        bands: Sequence[str],
        shown: str,
        metric: str,
        dataset: str,
    ) -> Figure:
        """Four grids of pictures above, bars below.

        scores: of the experiments, one a band, with `strength` (0: white noise, above: band-pass). bands:
        in the same order. shown: the pictures' band. clean, corrupted, samples: images N x C x H x W.
        """
        figure, axes = new_figure(10, 5.6, rows=2, columns=4)
        titles = ("clean data", f"corrupted in {shown}", *(f"sampled, {name}" for name in SAMPLED))
        for ax, title, images in zip(axes[0], titles, (clean, corrupted, *samples), strict=True):
            show_image(ax, square_grid(_as_uint8(images[: SIDE**2]), SIDE), title)
            ax.title.set_fontsize("small")
        for ax in axes[1]:
            ax.remove()
        below = figure.add_subplot(axes[1, 0].get_gridspec()[1, :])
        tables = [table.assign(group=band) for table, band in zip(scores, bands, strict=True)]
        drawn = pd.concat(tables)
        drawn = drawn.assign(bar=np.where(drawn.strength == 0, *SAMPLED))
        draw_bars(below, drawn, metric, bands, SAMPLED)
        below.set_ylabel(f"{METRICS[metric].label} to clean data\n({METRICS[metric].direction})")
        below.set_xlabel("corrupted band, cycles per pixel")
        margin = max(0.6, 2 - len(bands) / 2)
        below.set_xlim(-margin, len(bands) - 1 + margin)
        figure.suptitle(f"{dataset}: {counts(drawn)}", fontsize="medium", parse_math=False)
        below.legend(frameon=False, fontsize="small", loc="lower right", bbox_to_anchor=(1, 1), ncols=3)
        return figure


def _as_uint8(images: np.ndarray) -> np.ndarray:
    import torch

    from shapednoise.data.images import to_uint8

    return to_uint8(torch.from_numpy(np.array(images))).numpy()
