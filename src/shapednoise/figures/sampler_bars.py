"""A score of every sampler at a few strengths: is a better sampler worth as much as a shape?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from shapednoise.analysis.curve import varying_settings
from shapednoise.config.base import Name
from shapednoise.config.figures import FigureSettings
from shapednoise.figures.curves import bars_size, common_sampler, counts, draw_bars, is_separate, sampler_name
from shapednoise.figures.style import new_figure, noise_at_strength
from shapednoise.metrics.registry import METRICS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from shapednoise.config.schema import Config


class SamplerBarsSettings(FigureSettings):
    """A score of every sampler of an experiment, side by side, at each of its strengths, best few."""

    kind: Literal["sampler_bars"] = Field(description="The kind of figure.")
    experiment: Name = Field(description="Experiment to plot.")
    metric: Literal[tuple(METRICS)] = Field("fid", description="Metric to plot.")

    def inputs(self, name: str, layout: Any) -> dict[str, str | list[str]]:
        """The experiment's scores."""
        return {"scores": layout.scores_table(self.experiment)}

    def parameters(self, config: Config) -> dict[str, Any]:
        """The metric and the data set's title."""
        return {"metric": self.metric, "dataset": config.trained_title(self.experiment)}

    @staticmethod
    def draw(scores: pd.DataFrame, metric: str, dataset: str) -> Figure:
        """Groups of bars by sampler, named by the settings that differ; one bar a noise and strength."""
        told = varying_settings(scores)
        noises = scores.noise if is_separate(scores) else scores.network.str.partition("/")[0]
        drawn = scores.assign(
            group=[sampler_name(row, told) for _, row in scores.iterrows()],
            bar=[noise_at_strength(noise, s) for noise, s in zip(noises, scores.strength, strict=True)],
        )
        groups, bars = list(dict.fromkeys(drawn.group)), list(dict.fromkeys(drawn.bar))
        figure, [[ax]] = new_figure(*bars_size(groups, bars))
        draw_bars(ax, drawn, metric, groups, bars, horizontal=True)
        figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize="small")
        title = f"{dataset}: {counts(scores)}\n{common_sampler(scores)}".strip()
        ax.set_title(title, fontsize="medium", parse_math=False)
        return figure
