"""A score of every sampler at a few strengths: is a better sampler worth as much as a shape?"""

import pandas as pd
from matplotlib.figure import Figure

from shapednoise.figures.bars import score_bars
from shapednoise.figures.curves import varying_settings
from shapednoise.figures.style import LOWER_IS_BETTER, METRIC_NAMES, new_figure, noise_name


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
    arrow = "lower is better" if metric in LOWER_IS_BETTER else "higher is better"
    axes.set_ylabel(f"{METRIC_NAMES[metric]}  ({arrow})")
    axes.set_title(f"{dataset}: {int(scores.generated_images.iloc[0]):,} generated", fontsize="medium")
    axes.legend(frameon=False, fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def sampler_name(row: pd.Series, varying: list[str]) -> str:
    """A sampler by its method and steps and by what else differs, a line each."""
    names = {"sampler.method": "", "sampler.steps": "", "sampler.eta": "eta "}
    lines = [f"{row['sampler.method']}, {row['sampler.steps']} steps"]
    lines += [
        f"{names.get(column, '')}{row[column]}".replace("_", " ")
        for column in varying
        if column not in ("sampler.method", "sampler.steps") and pd.notna(row[column])
    ]
    return "\n".join(line.replace("_", " ") for line in lines)


def _bar_name(noise: str, strength: float) -> str:
    return f"{noise_name(noise)} ($s={strength:g}$)".replace("-", "\u2212")
