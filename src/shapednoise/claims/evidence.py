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

from shapednoise.analysis.curve import BASELINE, SAMPLER, Interval
from shapednoise.claims.published import WHOLE

# The sampler of Figure 2: a claim about another one says in what it differs.
PUBLISHED_SAMPLER = {
    "method": "ancestral",
    "steps": 50,
    "spacing": "leading",
    "variance": "fixed_small",
    "eta": 0.0,
    "reading": "published",
    "clamp": "whitened",
}


class NotRun(Exception):
    """Something that a claim needs was not run; the message says what."""


@dataclass(frozen=True)
class Evidence:
    """The tables of a run.

    scores, hyperparameters, sharpness: by experiment; theory, pca, score_limit: by data set; drift:
    one table. Columns are those of the files of the same names below `tables/`. defaults: the
    hyperparameters of what needs no training.
    """

    scores: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    hyperparameters: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    sharpness: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    theory: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    pca: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    score_limit: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    drift: pd.DataFrame | None = None
    defaults: pd.DataFrame | None = None

    def experiment(self, name: str) -> pd.DataFrame:
        """The scores of an experiment under hyperparameters that test the paper. Raises NotRun."""
        if name not in self.scores:
            raise NotRun(f"experiment {name}")
        _require_published(self.hyperparameters[name], f"experiment {name}")
        return self.scores[name]

    def theory_as_published(self) -> None:
        """Raise NotRun where the theory's schedule or its noise `sdm` are not the published ones."""
        if self.defaults is not None:
            _require_published(self.defaults, "the theory")

    def whole(self, kind: str) -> dict[str, Any]:
        """The tables of a kind (`theory`, `score_limit`, `pca`) of the papers' data sets by data set.

        Only of those whose every image was looked at, as the number of pixels of the PCA says. Raises
        NotRun for none.
        """
        self.theory_as_published()
        found = {name: table for name, table in getattr(self, kind).items() if self._is_whole(name)}
        if not found:
            what = "the PCA" if kind == "pca" else f"a figure of the kind {kind}"
            raise NotRun(f"{what} of a whole data set of the papers")
        return found

    def _is_whole(self, name: str) -> bool:
        images, size = WHOLE.get(name, (0, 0))
        return bool(images) and self.pca.get(name, {}).get("pixels") == images * size**2

    def curve(
        self, name: str, noise: str | None = "sdm", metric: str = "fid", **sampler: Any
    ) -> pd.DataFrame:
        """The rows of one noise, its baseline included, drawn by the published sampler with changes.

        noise: None for the experiment's only one, with whatever sampler it has. Raises NotRun.
        """
        rows = self.experiment(name)
        if noise:
            rows = published_sampler(rows, **sampler)
            rows = rows[rows.noise.isin([noise, BASELINE])]
        if rows.empty or (rows.noise == BASELINE).all():
            changes = "".join(f" and {key} {value}" for key, value in sampler.items())
            raise NotRun(f"experiment {name} with {noise or 'shaped noise'}{changes}")
        if metric not in rows or rows[metric].isna().any():
            missing = rows.get(f"{metric}_missing", pd.Series(dtype=object)).dropna()
            raise NotRun(f"{metric} of experiment {name}" + (f": {missing.iloc[0]}" if len(missing) else ""))
        require_grid(rows, name)
        return rows


def published_sampler(rows: pd.DataFrame, **changes: Any) -> pd.DataFrame:
    """The rows that were drawn by the published sampler, but for these changes."""
    for setting, value in {**PUBLISHED_SAMPLER, **changes}.items():
        rows = rows[rows[f"{SAMPLER}{setting}"] == value]
    return rows


def _require_published(table: pd.DataFrame, what: str) -> None:
    """Raise NotRun where one of these hyperparameters decides and differs."""
    wrong = table[table.differs & table.decides]
    if len(wrong):
        first = wrong.iloc[0]
        more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        raise NotRun(
            f"{what} with the published hyperparameters "
            f"(here {first.key} is {first.run}, published {first.published}{more})"
        )


def require_grid(rows: pd.DataFrame, name: str) -> None:
    """Raise NotRun unless every seed has every strength of a curve once."""
    counts = rows.groupby(["seed", "strength"]).size()
    if (counts > 1).any():
        raise NotRun(f"experiment {name} with one sampler of this kind and one sampling seed")
    if len(counts) < rows.seed.nunique() * rows.strength.nunique():
        raise NotRun(f"experiment {name} with every strength at every seed")


def students(values: np.ndarray, errors: np.ndarray | float = 0.0) -> Interval:
    """The mean of independent values (K,) with Student's 95 % interval; NaN ends for a single one.

    Never narrower than what the standard errors of their images (K,) say.
    """
    values = np.asarray(values, float)
    count = len(values)
    mean = float(values.mean())
    if count < 2:
        return Interval(mean, float("nan"), float("nan"))
    images = 1.96 * float(np.sqrt((np.broadcast_to(errors, values.shape) ** 2).sum())) / count
    spread = float(scipy.stats.t.ppf(0.975, count - 1) * values.std(ddof=1) / np.sqrt(count))
    half = max(images, spread)
    return Interval(mean, mean - half, mean + half)


def by_seed(rows: pd.DataFrame, strength: float, metric: str = "fid") -> tuple[np.ndarray, np.ndarray]:
    """The values of each seed (K,), rising seeds, at a strength, and the errors of their images (or 0)."""
    chosen = rows[np.isclose(rows.strength, strength)].sort_values("seed")
    if chosen.empty:
        raise NotRun(f"strength {strength:g}")
    column = f"{metric}_se"
    known = column in chosen and chosen[column].notna().all()
    errors = chosen[column].to_numpy(float) if known else np.zeros(len(chosen))
    return chosen[metric].to_numpy(float), errors
