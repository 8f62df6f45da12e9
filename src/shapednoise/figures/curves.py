"""The curves of an experiment: one a noise variant and sampler, each with the baseline as its s = 0."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from shapednoise.figures.style import noise_name

SAMPLER = "sampler."


def varying_settings(scores: pd.DataFrame) -> list[str]:
    """The columns of a tidy table of scores in which its samplers differ."""
    columns = [column for column in scores if column.startswith(SAMPLER)]
    return [column for column in columns if scores[column].nunique() > 1]


def setting_text(column: str, value: Any) -> str:
    """A sampler's setting as it is written in figures: `50 steps`, `reading exact`."""
    name = column.removeprefix(SAMPLER)
    return f"{value} steps" if name == "steps" else f"{name} {value}".replace("_", " ")


def curves(scores: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield (name, rows) for every curve of a tidy table of scores.

    Where the experiment has several samplers, each has curves of its own, named by what differs. The
    baseline is the strength 0 of every noise that has none of its own (a product of noises has).
    """
    varying = varying_settings(scores)
    groups = scores.groupby(varying, sort=False) if varying else [((), scores)]
    for values, rows in groups:
        details = [setting_text(*pair) for pair in zip(varying, values, strict=True)]
        baseline = rows[rows.noise == "ddpm"]
        for noise in rows.noise[rows.noise != "ddpm"].unique():
            own = rows[rows.noise == noise]
            name = ", ".join([noise_name(noise), *details])
            yield name, own if (own.strength == 0).any() else pd.concat([own, baseline])
