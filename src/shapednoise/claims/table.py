"""The table of claims: what each paper says, what this run has measured, and the verdict.

A claim is decided by code from the run's tables alone; nothing is typed in. Where the measured
interval straddles the criterion the verdict is `inconclusive`; where what it needs was not run, or
not under the published hyperparameters, it is `not run`, with what is missing.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from shapednoise.analysis.curve import Interval
from shapednoise.claims.evidence import Evidence
from shapednoise.claims.registry import MOST_SEEDS, Claim, Finding, all_claims
from shapednoise.claims.tiers import PAPER
from shapednoise.errors import UserError

COLUMNS = [
    *("id", "tier", "source", "statement", "published", "where", "measured", "value", "low", "high"),
    *("images", "seeds", "planned_seeds", "planned_epochs", "seeds_needed", "p", "p_holm"),
    *("verdict", "criterion", "note"),
]
GROUP = ["tier", "source"]
Plan = Mapping[str, Mapping[str, float]]


def claims_table(
    evidence: Evidence, plan: Plan | None = None, claims: Sequence[Claim] | None = None
) -> pd.DataFrame:
    """A row a claim and tier, with the columns COLUMNS.

    Without claims: all that are registered; those of the study if some of it was run. value, low, high: the
    measurement and its 95 % interval. planned_seeds, planned_epochs: what was fixed beforehand; plan has
    `seeds` and `epochs` of each claim, or of `every` claim that it does not name. seeds_needed: with which a
    decision is likely (Decision). p: two-sided, of the verdict; p_holm: the same after Holm's adjustment to
    all claims of a tier and source that chance decides. note: also what is missing of a claim that was not
    run.
    """
    plan, known = plan or {}, all_claims()
    claims = [claim for claim in known if evidence.has(claim.tier)] if claims is None else claims
    if unknown := set(plan) - {"every"} - {claim.id for claim in known}:
        raise UserError(f"claims: {min(unknown)} is no claim; name one of docs/claims.md, or `every`")
    rows = []
    for claim in claims:
        used = replace(evidence, used=set())
        finding = claim.finding(used)
        planned = plan.get(claim.id, plan.get("every", {}))
        decision, interval = finding.decision, vars(finding.interval) if finding.interval else {}
        named = {"tier": claim.tier.name, "verdict": claim.verdict(finding)}
        row = {**vars(claim), **vars(finding), **interval, **named}
        if decision:
            row |= {"p": decision.p_value, "seeds_needed": decision.seeds}
        if finding.seeds:
            row |= {f"planned_{what}": number for what, number in planned.items()}
            row["note"] = "; ".join(filter(None, [finding.note, _beyond(finding, planned, used)]))
        rows.append(row)
    table = pd.DataFrame(rows, columns=COLUMNS)
    table["p_holm"] = table.groupby(GROUP, sort=False).p.transform(holm)
    return table


def _beyond(finding: Finding, planned: Mapping[str, float], evidence: Evidence) -> str:
    """Where a run has more seeds or epochs than were planned: they may have been added until it suited."""
    tables = (evidence["hyperparameters"][name] for name in sorted(evidence.used))
    epochs = [json.loads(run) for table in tables for run in table.run[table.key == "training.epochs"]]
    had = {"seeds": finding.seeds, "epochs": max(epochs, default=None)}
    more = [
        f"{had[what]:g} {what}, {number:g} planned"
        for what, number in planned.items()
        if had[what] is not None and had[what] > number
    ]
    return f"more than was planned: {', '.join(more)}" if more else ""


def holm(p_values: pd.Series) -> pd.Series:
    """p-values adjusted to their number (Holm 1979, Scandinavian Journal of Statistics 6:65); NaN stays."""
    known = p_values.astype(float).dropna().sort_values()
    steps = known * np.arange(len(known), 0, -1)
    return steps.cummax().clip(upper=1).reindex(p_values.index)


def claims_markdown(claims: pd.DataFrame, hyperparameters: pd.DataFrame) -> str:
    """The tables of claims and of hyperparameters as Markdown, differences marked."""
    counts = [
        f"- {_of(*group)}: "
        + ", ".join(f"{n} {verdict}" for verdict, n in rows.verdict.value_counts().items())
        for group, rows in claims.groupby(GROUP, sort=False)
    ]
    parts = [
        "# Claims",
        "\n".join(counts),
        _markdown(_shown_claims(claims)),
        "p is two-sided and adjusted by Holm's method to all claims of one source; seeds: of the run / "
        "planned / those with which a decision is likely at the deviation seen.",
        "## How each is decided",
        "\n".join(
            f"- **{_of(row.tier, row.id)}** ({row.where}) {row.criterion}.{_sentence(row.note)}"
            for row in claims.itertuples()
        ),
        "## Hyperparameters of the run beside the published ones",
        "No experiment was run." if hyperparameters.empty else _markdown(_shown_differences(hyperparameters)),
    ]
    return "\n\n".join(parts) + "\n"


def _of(tier: str, name: str) -> str:
    return name if tier == PAPER.name else f"{name}, {tier}"


def _sentence(note: str) -> str:
    return f" {note[0].upper()}{note[1:]}." if note else ""


def _shown_claims(claims: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": claims.id,
            **({"scale": claims.tier} if claims.tier.nunique() > 1 else {}),
            "verdict": "**" + claims.verdict + "**",
            "claim": claims.statement,
            "published": claims.published,
            "measured": claims.measured,
            "95 % interval": [_interval(row) for row in claims.itertuples()],
            "p": ["" if pd.isna(p) else f"{p:.2g}" for p in claims.p_holm],
            "n": claims.images.map(_count),
            "seeds": [_seeds(row) for row in claims.itertuples()],
        }
    )


def _interval(row: Any) -> str:
    known = pd.notna(row.low) and row.low != row.high
    return f"{row.value:.3g} {Interval(row.value, row.low, row.high).ends}" if known else ""


def _seeds(row: Any) -> str:
    if pd.isna(row.seeds):
        return ""
    needed = f"over {MOST_SEEDS}" if row.seeds_needed > MOST_SEEDS else _count(row.seeds_needed)
    return " / ".join(text or "?" for text in (_count(row.seeds), _count(row.planned_seeds), needed))


def _count(number: float | None) -> str:
    return f"{int(number):,}" if pd.notna(number) else ""


def _shown_differences(hyperparameters: pd.DataFrame) -> pd.DataFrame:
    """What differs in each experiment; what agrees is counted."""
    rows = []
    for name, table in hyperparameters.groupby("experiment", sort=False):
        for row in table[table.differs].itertuples():
            weight = "" if row.decides else " (does not decide)"
            rows.append((name, row.key, row.published, row.source, f"**{row.run}**{weight}"))
        if same := int((~table.differs).sum()):
            rows.append((name, f"the other {same}", "", "", "as published"))
    return pd.DataFrame(rows, columns=["experiment", "hyperparameter", "published", "source", "this run"])


def _markdown(table: pd.DataFrame) -> str:
    """A table of texts; numbers among them are left as they are written."""
    escaped = table.map(lambda text: text.replace("|", "\\|"))
    return escaped.to_markdown(index=False, disable_numparse=True)
