"""The curves, bars and samplers of a table of scores, under the names that figures give them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from shapednoise.analysis.curve import SAMPLER, split_curves
from shapednoise.config.sampling import SamplerSettings
from shapednoise.figures.style import METHOD_NAMES, VARIANCE_NAMES, curve_color, noise_name, number
from shapednoise.metrics.registry import METRICS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

IN_THEORY = list(SamplerSettings(variance="optimal").in_theory())  # all settings that it may have
TOLD = [f"{SAMPLER}{name}" for name in ("method", "steps", "variance", "reading")]  # of all samplers alike


def setting_text(name: str, value: Any) -> str:
    """A sampler's setting as it is written in figures: `50 steps`, `after 3 epochs`, `reading exact`."""
    if name == "method":
        return METHOD_NAMES[value]
    if name == "variance":
        return VARIANCE_NAMES[value]
    if name == "epoch":
        count = "" if value == "end" else number(float(value))
        return f"after {count} epoch{'' if count == '1' else 's'}" if count else "at the end"
    text = value if isinstance(value, str) else number(value)
    return f"{text} steps" if name == "steps" else f"{name} {text}".replace("_", " ")


def sampler_name(row: Mapping[str, Any], told: Collection[str]) -> str:
    """A sampler in words: those of its settings (columns `sampler.*`) that are told and that it uses."""
    method = row.get(f"{SAMPLER}method", "ancestral")
    optimal = str(row.get(f"{SAMPLER}variance")).startswith("optimal")
    used = {
        "variance": method == "ancestral" or optimal,
        "variance_from": optimal,
        "clipped_steps": optimal,
        "eta": method == "ddim",
    }
    names = [name for name in SamplerSettings.model_fields if f"{SAMPLER}{name}" in told]
    return ", ".join(setting_text(name, row[f"{SAMPLER}{name}"]) for name in names if used.get(name, True))


def common_sampler(table: pd.DataFrame) -> str:
    """What all samplers of a table have in common, in words, for a title; empty where nothing is known."""
    texts = [
        {sampler_name(row, [column]) for _, row in table.iterrows()} for column in TOLD if column in table
    ]
    return ", ".join(text.pop() for text in texts if len(text) == 1 and "" not in text)


def curves(scores: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield (name, rows) for every curve of a tidy table of scores, named by noise and what differs."""
    for noise, settings, rows in split_curves(scores):
        details = sampler_name(rows.iloc[0], settings) if settings else ""
        yield ", ".join(filter(None, [noise_name(noise), details])), rows


def counts(scores: pd.DataFrame) -> str:
    """How many images and seeds a table of scores is about."""
    generated, real = int(scores.generated_images.iloc[0]), int(scores.real_images.iloc[0])
    seeds = scores.seed.nunique()
    return f"{generated:,} generated, {real:,} real, {seeds} seed{'s' if seeds > 1 else ''}"


def bars_size(groups: Sequence[str], bars: Sequence[str]) -> tuple[float, float]:
    """Width and height in inches for horizontal bars: names beside them, as many as there are."""
    return 5.5 + 0.07 * max(map(len, groups)), 1.5 + len(groups) * (0.12 + 0.2 * len(bars))


def draw_bars(
    ax: Axes,
    scores: pd.DataFrame,
    metric: str,
    groups: Sequence[str],
    bars: Sequence[str],
    horizontal: bool = False,
) -> None:
    """One group of bars a value of the column `group`, one bar in it a value of the column `bar`.

    groups, bars: the values in the order they are drawn; a pair without a score leaves a gap. Bars are
    means over seeds; seeds are dots, of a single one there is the interval over images, if it is known.
    The mean is written beyond them.
    """
    width = 0.8 / len(bars)
    turn = slice(None, None, -1 if horizontal else 1)
    known, several = f"{metric}_low" in scores, False
    for position, bar in enumerate(bars):
        label = bar  # the legend's entry belongs to the first group that has the bar
        for index, group in enumerate(groups):
            rows = scores[(scores.group == group) & (scores.bar == bar)].dropna(subset=[metric])
            if rows.empty:
                continue
            values, mean = rows[metric], rows[metric].mean()
            x, top = index + (position - (len(bars) - 1) / 2) * width, values.max()
            draw = ax.barh if horizontal else ax.bar
            draw(x, mean, 0.94 * width, color=curve_color(position), label=label)
            if len(values) > 1:
                several = True
                ax.plot(*([x] * len(values), values)[turn], "o", color="black", ms=2.5, alpha=0.6)
            elif known and rows[f"{metric}_low"].notna().all():
                low, top = rows[f"{metric}_low"].item(), rows[f"{metric}_high"].item()
                ax.plot(*([x, x], [low, top])[turn], "-", color="black", lw=1)
            place = {"ha": "left", "va": "center"} if horizontal else {"ha": "center", "va": "bottom"}
            ax.annotate(
                f"{mean:.3g}", (x, top)[turn], (0, 4)[turn], textcoords="offset points",
                fontsize="x-small", **place,
            )  # fmt: skip
            label = None
    if several:
        ax.plot([], [], "o", color="black", ms=2.5, label="seeds")
    name = f"{METRICS[metric].label}  ({METRICS[metric].direction})"
    if horizontal:
        ax.set_yticks(range(len(groups)), groups)
        ax.invert_yaxis()
        ax.set_xlabel(name)
    else:
        ax.set_xticks(range(len(groups)), groups)
        ax.set_ylabel(name)
    ax.margins(**{"x" if horizontal else "y": 0.12})


def is_separate(rows: pd.DataFrame) -> bool:
    """Whether each strength has a network of its own, which at s = 0 is a DDPM; old tables do not say."""
    return "network" not in rows or (rows.network == "separate").all()
