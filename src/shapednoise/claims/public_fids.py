"""X5: which of the theory's distances ranks public FIDs, which no run of this project has made."""

import numpy as np
import pandas as pd

from shapednoise.analysis.curve import SIDE, Interval
from shapednoise.analysis.distances import DISTANCES
from shapednoise.claims.evidence import Evidence, NotRun
from shapednoise.claims.registry import OURS, Finding, claim, decide_by_interval
from shapednoise.claims.theory import IN_THEORY, LEAST_POINTS, LEAST_RANK_CORRELATION, spearman
from shapednoise.noise.operators import BASELINE

REDRAWS = 2000


@claim(
    "X5",
    source=OURS,
    statement="the closed form, by Kullback-Leibler per mode, ranks fifteen public FIDs of a CIFAR-10 model",
    published="a prediction",
    where="docs/noise.md, closed form",
    criterion="95 % interval of Spearman's correlation above 0.7, samplers redrawn",
)
def _ranks_public_fids(evidence: Evidence) -> Finding:
    """The other distances, and FIDs that a figure has predicted, are reported and do not decide."""
    table = evidence.full_dataset_tables("public_fids").get("cifar10")
    if table is None:
        raise NotRun("a figure of the kind public_fids on cifar10")
    table = table.drop_duplicates(IN_THEORY)
    ranks = {name: _rank_correlations(table, name) for name in DISTANCES}
    found = {DISTANCES[name]: _interval(values) for name, values in ranks.items()}
    predicted = evidence["predicted_fid"].get("cifar10")
    if predicted is not None:
        white = predicted[predicted.noise == BASELINE].drop_duplicates(IN_THEORY)
        both = table.merge(white[[*IN_THEORY, "fid"]], on=IN_THEORY)
        if len(both) >= LEAST_POINTS:
            found[f"predicted FID of {len(both)} of them"] = _interval(_rank_correlations(both, "fid"))
    kl, better = _interval(ranks["kl"]), _interval(ranks["kl"] - ranks["distance"])
    decision = decide_by_interval(kl, LEAST_RANK_CORRELATION, np.inf)
    measured = ", ".join(f"{name} {each.value:.2f} {each.ends}" for name, each in found.items())
    note = (
        f"Kullback-Leibler less W2: {better.value:.2f} {better.ends}; the FIDs are of one model, whose own "
        "errors are in them, and its samplers are no random sample of samplers"
    )
    return Finding(decision, f"Spearman's correlation: {measured}", kl, note=note)


def _rank_correlations(table: pd.DataFrame, column: str) -> np.ndarray:
    """Spearman's correlation of a column with the public FIDs, then those of redrawn samplers, (1 + R,)."""
    count = len(table)
    rows = np.vstack([np.arange(count), np.random.default_rng(0).integers(count, size=(REDRAWS, count))])
    return spearman(table[column].to_numpy()[rows], table.public_fid.to_numpy()[rows])


def _interval(statistics: np.ndarray) -> Interval:
    """The first, with the percentiles and the deviation of the others."""
    low, high = np.quantile(statistics[1:], [SIDE, 1 - SIDE])
    return Interval(statistics[0], low, high, statistics[1:].std())
