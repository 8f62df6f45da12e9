"""What a run has measured, as the claims ask for it: an experiment's curves, the theory, the pictures.

Whatever is not there, or was measured under hyperparameters that the paper's claim is not about, is
`NotRun`, with what is missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import scipy.stats

from shapednoise.metrics.curve import BASELINE, SAMPLER, Interval

# The sampler of Figure 2: a claim about another one says in what it differs.
PUBLISHED_SAMPLER = {
    "method": "ancestral",
    "steps": 50,
    "spacing": "leading",
    "variance": "fixed_small",
    "reading": "published",
    "clamp": "whitened",
}


class NotRun(Exception):
    """Something that a claim needs was not run; the message says what."""


@dataclass(frozen=True)
class Evidence:
    """The tables of a run.

    scores, hyperparameters, sharpness: by experiment; theory, pca, score_limit: by data set; drift:
    one table. Columns are those of the files of the same names below `tables/`.
    """

    scores: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    hyperparameters: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    sharpness: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    theory: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    pca: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    score_limit: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    drift: pd.DataFrame | None = None

    def experiment(self, name: str) -> pd.DataFrame:
        """The scores of an experiment under hyperparameters that test the paper. Raises NotRun."""
        if name not in self.scores:
            raise NotRun(f"experiment {name}")
        table = self.hyperparameters[name]
        wrong = table[table.differs & table.decides]
        if len(wrong):
            first = wrong.iloc[0]
            more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
            raise NotRun(
                f"experiment {name} with the published hyperparameters "
                f"(here {first.key} is {first.run}, published {first.published}{more})"
            )
        return self.scores[name]

    def curve(
        self, name: str, noise: str | None = "sdm", metric: str = "fid", **sampler: Any
    ) -> pd.DataFrame:
        """The rows of one noise, its baseline included, drawn by the published sampler with changes.

        noise: None for the experiment's only one, with whatever sampler it has. Raises NotRun.
        """
        rows = self.experiment(name)
        wanted = {**PUBLISHED_SAMPLER, **sampler} if noise else {}
        for setting, value in wanted.items():
            rows = rows[rows[f"{SAMPLER}{setting}"] == value]
        if noise:
            rows = rows[rows.noise.isin([noise, BASELINE])]
        if rows.empty or (rows.noise == BASELINE).all():
            changes = "".join(f" and {key} {value}" for key, value in sampler.items())
            raise NotRun(f"experiment {name} with {noise or 'shaped noise'}{changes}")
        if metric not in rows or rows[metric].isna().any():
            missing = rows.get(f"{metric}_missing", pd.Series(dtype=object)).dropna()
            raise NotRun(f"{metric} of experiment {name}" + (f": {missing.iloc[0]}" if len(missing) else ""))
        return rows

    def of_data_sets(self, kind: str) -> Mapping[str, Any]:
        """The tables of a kind (`theory`, `score_limit`, `pca`) by data set. Raises NotRun for none."""
        found = getattr(self, kind)
        if not found:
            raise NotRun("the PCA of a data set" if kind == "pca" else f"a figure of the kind {kind}")
        return found


def of_seeds(values: np.ndarray, errors: np.ndarray | float = 0.0) -> Interval | None:
    """The mean of one value a seed (K,) with its 95 % interval.

    Student's interval over seeds, and at least what the standard errors of the images (K,) say. None
    where there is a single seed and no error of its images.
    """
    values = np.asarray(values, float)
    count = len(values)
    mean = float(values.mean())
    half = 1.96 * float(np.sqrt((np.broadcast_to(errors, values.shape) ** 2).sum())) / count
    if count > 1:
        seeds = scipy.stats.t.ppf(0.975, count - 1) * values.std(ddof=1) / np.sqrt(count)
        half = max(half, float(seeds))
    return Interval(mean, mean - half, mean + half) if count > 1 or half else None


def by_seed(rows: pd.DataFrame, strength: float, metric: str = "fid") -> tuple[np.ndarray, np.ndarray]:
    """The values of each seed (K,), rising seeds, at a strength, and the errors of their images (or 0)."""
    chosen = rows[np.isclose(rows.strength, strength)].sort_values("seed")
    if chosen.empty:
        raise NotRun(f"strength {strength:g}")
    column = f"{metric}_se"
    known = column in chosen and chosen[column].notna().all()
    errors = chosen[column].to_numpy(float) if known else np.zeros(len(chosen))
    return chosen[metric].to_numpy(float), errors
