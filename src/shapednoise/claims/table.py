"""The table of claims: what each paper says, what this run has measured, and the verdict.

A claim is decided by code from the run's tables alone; nothing is typed in. Where the measured
interval straddles the criterion the verdict is `inconclusive`; where what it needs was not run, or
not under the published hyperparameters, it is `not run`, with what is missing.
"""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from shapednoise.analysis.curve import Interval
from shapednoise.claims.evidence import Evidence
from shapednoise.claims.registry import Claim, all_claims

COLUMNS = [
    *("id", "source", "statement", "published", "measured", "value", "low", "high"),
    *("images", "seeds", "verdict", "criterion", "note"),
]


def claims_table(evidence: Evidence, claims: Sequence[Claim] | None = None) -> pd.DataFrame:
    """A row a claim (all that are registered unless given), with the columns COLUMNS.

    value, low, high: the measurement and its 95 % interval. note: also what is missing of a claim that
    was not run.
    """
    rows = []
    for claim in all_claims() if claims is None else claims:
        finding = claim.finding(evidence)
        interval = vars(finding.interval) if finding.interval else {}
        rows.append({**vars(claim), **vars(finding), **interval})
    return pd.DataFrame(rows, columns=COLUMNS)


def claims_markdown(claims: pd.DataFrame, hyperparameters: pd.DataFrame) -> str:
    """The tables of claims and of hyperparameters as Markdown, differences marked."""
    counts = claims.verdict.value_counts()
    parts = [
        "# Claims",
        ", ".join(f"{count} {verdict}" for verdict, count in counts.items()) + ".",
        _markdown(_shown_claims(claims)),
        "## How each is decided",
        "\n".join(f"- **{row.id}** {row.criterion}.{_sentence(row.note)}" for row in claims.itertuples()),
        "## Hyperparameters of the run beside the published ones",
        "No experiment was run." if hyperparameters.empty else _markdown(_shown_differences(hyperparameters)),
    ]
    return "\n\n".join(parts) + "\n"


def _sentence(note: str) -> str:
    return f" {note[0].upper()}{note[1:]}." if note else ""


def _shown_claims(claims: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": claims.id,
            "claim": claims.statement,
            "published": claims.published,
            "measured": claims.measured,
            "95 % interval": [_interval(row) for row in claims.itertuples()],
            "n": claims.images.map(_count),
            "seeds": claims.seeds.map(_count),
            "verdict": "**" + claims.verdict + "**",
        }
    )


def _interval(row: Any) -> str:
    known = pd.notna(row.low) and row.low != row.high
    return f"{row.value:.3g} {Interval(row.value, row.low, row.high).ends}" if known else ""


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
