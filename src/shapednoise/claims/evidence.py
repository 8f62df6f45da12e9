"""What a run has measured, as the claims ask for it: an experiment's curves, the theory, the pictures.

Whatever is not there, or was measured under hyperparameters that the paper's claim is not about, is
`NotRun`, with what is missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from shapednoise.analysis.curve import SAMPLER
from shapednoise.claims import published_hyperparameters as published
from shapednoise.claims.tiers import PAPER, STUDY, Tier
from shapednoise.noise.operators import BASELINE

PUBLISHED_SAMPLER = {"eta": 0.0} | {row.key.removeprefix("sampling."): row.value for row in published.SAMPLER}


class NotRun(Exception):
    """Something that a claim needs was not run; the message says what."""


@dataclass(frozen=True)
class Evidence:
    """The tables of a run by kind and name: `evidence[kind][name]`, empty for a kind that was not run.

    Kinds are scores, hyperparameters and sharpness, by experiment; theory, public_fids, predicted_fid,
    score_limit and pca, by data set; drift, by figure. Columns are those of the files below `tables/`;
    pca is the content of a JSON file. defaults: the hyperparameters of what needs no training
    (`defaults_table`). used: the names of the experiments that were asked for. tier: the scale of the claim
    that asks; it says which experiment is meant by the paper's.
    """

    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    defaults: pd.DataFrame | None = None
    used: set[str] = field(default_factory=set)
    tier: Tier = PAPER

    def __getitem__(self, kind: str) -> Mapping[str, Any]:
        return self.tables.get(kind, {})

    def has(self, tier: Tier) -> bool:
        """Whether claims of a tier are shown: those of the study if a part of it was run."""
        scopes = (published.EXPERIMENTS.get(name) for name in self["scores"])
        return tier is not STUDY or any(scope and scope.study for scope in scopes)

    def experiment(self, name: str, noise: str | None = None) -> pd.DataFrame:
        """The scores of an experiment under hyperparameters that test the claim. Raises NotRun."""
        name = self.tier.experiment(name, noise)
        if name not in self["scores"]:
            raise NotRun(f"experiment {name}")
        _require_published(self["hyperparameters"][name], f"experiment {name}", self.tier)
        self.used.add(name)
        return self["scores"][name]

    def require_published_theory(self) -> None:
        """Raise NotRun where the theory's schedule or its noise `sdm` are not the published ones."""
        if self.defaults is not None:
            _require_published(self.defaults, "the theory", PAPER)

    def full_dataset_tables(self, kind: str) -> dict[str, Any]:
        """The tables of a kind (`theory`, `score_limit`, `pca`) of the papers' data sets, by data set.

        Only of those whose every image was looked at, at the size of the tier, as the number of pixels of the
        PCA says. Raises NotRun for none.
        """
        self.require_published_theory()
        tables = {name: table for name, table in self[kind].items() if self._is_full(name)}
        if not tables:
            what = "the PCA" if kind == "pca" else f"a figure of the kind {kind}"
            raise NotRun(f"{what} of a whole data set of the papers")
        return tables

    def _is_full(self, dataset: str) -> bool:
        images, size = self.tier.datasets.get(dataset, (0, 0))
        return bool(images) and self["pca"].get(dataset, {}).get("pixels") == images * size**2

    def curve(
        self, name: str, noise: str | None = "sdm", metric: str = "fid", **sampler: Any
    ) -> pd.DataFrame:
        """The rows of one noise, its baseline included, drawn by the published sampler with changes.

        noise: None for the experiment's only one, with whatever sampler it has. Raises NotRun.
        """
        rows, name = self.experiment(name, noise), self.tier.experiment(name, noise)
        if noise:
            rows = published_sampler(rows, **sampler)
            rows = rows[rows.noise.isin([noise, BASELINE])]
        if rows.empty or (rows.noise == BASELINE).all():
            changes = "".join(f" and {key} {value}" for key, value in sampler.items())
            raise NotRun(f"experiment {name} with {noise or 'shaped noise'}{changes}")
        if metric not in rows or rows[metric].isna().any():
            reasons = rows.get(f"{metric}_missing", pd.Series(dtype=object)).dropna()
            raise NotRun(f"{metric} of experiment {name}" + "".join(f": {why}" for why in reasons[:1]))
        require_grid(rows, name)
        return rows


def published_sampler(rows: pd.DataFrame, **changes: Any) -> pd.DataFrame:
    """The rows that were drawn by the published sampler, but for these changes."""
    for setting, value in {**PUBLISHED_SAMPLER, **changes}.items():
        rows = rows[rows[f"{SAMPLER}{setting}"] == value]
    return rows


def require_grid(rows: pd.DataFrame, name: str) -> None:
    """Raise NotRun unless every seed has every strength of a curve once."""
    counts = rows.groupby(["seed", "strength"]).size()
    if (counts > 1).any():
        raise NotRun(f"experiment {name} with one sampler of this kind and one sampling seed")
    if len(counts) < rows.seed.nunique() * rows.strength.nunique():
        raise NotRun(f"experiment {name} with every strength at every seed")


def _require_published(table: pd.DataFrame, what: str, tier: Tier) -> None:
    """Raise NotRun where one of these hyperparameters decides and differs."""
    wrong = table[table.differs & table.decides]
    if len(wrong):
        first = wrong.iloc[0]
        more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        word = "wanted" if first.source == published.OURS else "published"
        raise NotRun(
            f"{what} with the {tier.grid} hyperparameters "
            f"(here {first.key} is {first.run}, {word} {first.published}{more})"
        )
