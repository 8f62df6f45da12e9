"""A score of every sampler at a few strengths: is a better sampler worth as much as a shape?"""

import pandas as pd
from matplotlib.figure import Figure

from shapednoise.analysis.curve import SAMPLER, varying_settings
from shapednoise.figures.bars import score_bars
from shapednoise.figures.curves import setting_text
from shapednoise.figures.style import METHOD_NAMES, METRIC_NAMES, new_figure, noise_name
from shapednoise.metrics.registry import METRICS

USED_BY = {"variance": "ancestral", "eta": "ddim"}  # settings that one method alone uses


def sampler_bars(scores: pd.DataFrame, metric: str, dataset: str) -> Figure:
    """Groups of bars by sampler, named by the settings that differ; one bar a noise and strength.

    scores: the tidy table of one experiment. metric: a column of it. dataset: its name for the title.
    """
    drawn = scores.assign(
        group=[sampler_name(row, varying_settings(scores)) for _, row in scores.iterrows()],
        bar=[_bar_name(noise, s) for noise, s in zip(scores.noise, scores.strength, strict=True)],
    )
    groups = list(dict.fromkeys(drawn.group))
    figure, [[axes]] = new_figure(1.6 + 1.5 * len(groups), 3.8)
    score_bars(axes, drawn, metric, groups, list(dict.fromkeys(drawn.bar)))
    arrow = METRICS[metric].direction
    axes.set_ylabel(f"{METRIC_NAMES[metric]}  ({arrow})")
    axes.set_title(f"{dataset}: {int(scores.generated_images.iloc[0]):,} generated", fontsize="medium")
    axes.legend(frameon=False, fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))
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
