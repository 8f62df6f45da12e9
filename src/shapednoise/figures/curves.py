"""The curves of an experiment under the names that figures give them."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from shapednoise.analysis.curve import SAMPLER, split_curves
from shapednoise.figures.style import noise_name


def setting_text(column: str, value: Any) -> str:
    """A sampler's setting as it is written in figures: `50 steps`, `reading exact`."""
    name = column.removeprefix(SAMPLER)
    return f"{value} steps" if name == "steps" else f"{name} {value}".replace("_", " ")


def curves(scores: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield (name, rows) for every curve of a tidy table of scores, named by noise and what differs."""
    for noise, settings, rows in split_curves(scores):
        details = (setting_text(column, value) for column, value in settings.items())
        yield ", ".join([noise_name(noise), *details]), rows
