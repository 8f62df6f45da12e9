"""A score of every sampler at a few strengths: is a better sampler worth as much as a shape?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from shapednoise.analysis.curve import SAMPLER, varying_settings
from shapednoise.config.base import Name
from shapednoise.config.figures import FigureSettings
from shapednoise.figures.curves import draw_bars, setting_text
from shapednoise.figures.style import METHOD_NAMES, new_figure, noise_name
from shapednoise.metrics.registry import METRICS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from shapednoise.config.schema import Config

USED_BY = {"variance": "ancestral", "eta": "ddim"}  # settings that one method alone uses


class SamplerBarsSettings(FigureSettings):
    """A score of every sampler of an experiment, side by side, at a few strengths."""

    kind: Literal["sampler_bars"] = Field(description="The kind of figure.")
    experiment: Name = Field(description="Experiment to plot.")
    metric: Literal[tuple(METRICS)] = Field("fid", description="Metric to plot.")

    def inputs(self, name: str, layout: Any) -> dict[str, str | list[str]]:
        """The experiment's scores."""
        return {"scores": layout.scores_table(self.experiment)}

    def parameters(self, config: Config) -> dict[str, Any]:
        """The metric and the data set's title."""
        return {"metric": self.metric, "dataset": config.title_of(self.experiment)}

    @staticmethod
    def draw(scores: pd.DataFrame, metric: str, dataset: str) -> Figure:
        """Groups of bars by sampler, named by the settings that differ; one bar a noise and strength."""
        drawn = scores.assign(
            group=[sampler_name(row, varying_settings(scores)) for _, row in scores.iterrows()],
            bar=[_bar_name(noise, s) for noise, s in zip(scores.noise, scores.strength, strict=True)],
        )
        groups = list(dict.fromkeys(drawn.group))
        figure, [[ax]] = new_figure(1.6 + 1.5 * len(groups), 3.8)
        draw_bars(ax, drawn, metric, groups, list(dict.fromkeys(drawn.bar)))
        ax.set_ylabel(f"{METRICS[metric].label}  ({METRICS[metric].direction})")
        generated = int(scores.generated_images.iloc[0])
        ax.set_title(f"{dataset}: {generated:,} generated", fontsize="medium", parse_math=False)
        ax.legend(frameon=False, fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))
        return figure


def sampler_name(row: pd.Series, varying: list[str]) -> str:
    """A sampler by its method and steps and by what else differs and concerns it, a line each."""
    method = row["sampler.method"]
    lines = [f"{METHOD_NAMES[method]}, {row['sampler.steps']} steps"]
    for column in varying:
        name = column.removeprefix(SAMPLER)
        if name not in ("method", "steps") and USED_BY.get(name, method) == method:
            lines.append(setting_text(column, row[column]))
    return "\n".join(lines)


def _bar_name(noise: str, strength: float) -> str:
    return f"{noise_name(noise)} ($s={strength:g}$)".replace("-", "\u2212")
