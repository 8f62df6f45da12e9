"""The registry of claims: what was published, what decides it, and the rules by which a measurement does."""

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from string import digits
from typing import Any

import numpy as np

from shapednoise import claims
from shapednoise.analysis.curve import SIDE, Interval, student_quantile
from shapednoise.claims.evidence import Evidence, NotRun
from shapednoise.claims.tiers import PAPER, Tier

REPRODUCED, NOT_REPRODUCED = "reproduced", "not reproduced"
INCONCLUSIVE, NOT_RUN = "inconclusive", "not run"
SDM, SAGD, OURS = "SDM", "SAGD", "this project"  # sources of claims
OWN_WORDS = {REPRODUCED: "holds", NOT_REPRODUCED: "does not hold"}  # of what nobody has published
POWER = 0.8
MOST_SEEDS = 100


@dataclass(frozen=True)
class Decision:
    """Two one-sided tests of a criterion, each at 2.5 %: that it holds, and that it does not.

    Attributes:
        p_for: The p-value of the null that the criterion does not hold; or an array, one a simulation.
        p_against: The p-value of the null that it does.
        seeds: How many seeds would decide with a probability of 80 %, if value and deviation are as seen
            (decide_by_interval); None where this is not known, or where no seeds are involved.
    """

    p_for: Any
    p_against: Any
    seeds: int | None = None

    @property
    def verdict(self) -> str:
        """In words."""
        if self.p_for <= SIDE:
            return REPRODUCED
        return NOT_REPRODUCED if self.p_against <= SIDE else INCONCLUSIVE

    @property
    def p_value(self) -> float | None:
        """Two-sided, of the verdict, for the adjustment to many claims; None of what is exact."""
        exact = {self.p_for, self.p_against} <= {0.0, 1.0} and self.verdict != INCONCLUSIVE
        return None if exact else float(min(1.0, 2 * min(self.p_for, self.p_against)))


def decide_exactly(holds: bool) -> Decision:
    """The decision about something without chance."""
    return Decision(1.0 - holds, float(holds))


def decide_by_interval(interval: Interval, low: float, high: float) -> Decision:
    """Reproduced where the whole 95 % interval lies in [low, high], not reproduced where none of it does."""
    p_for = np.maximum(interval.p_at_most(low), interval.p_at_least(high))
    p_against = np.minimum(interval.p_at_least(low), interval.p_at_most(high))
    return Decision(p_for, p_against, _seeds_needed(interval, low, high))


def _seeds_needed(interval: Interval, low: float, high: float) -> int | None:
    """The least K with (t_(K-1, 0.975) + t_(K-1, 0.8)) sd / sqrt K at most the distance to a bound."""
    if np.ndim(interval.value) or not np.isfinite(interval.freedom) or not interval.error > 0:
        return None
    deviation = interval.error * np.sqrt(interval.freedom + 1)
    distance = min(abs(interval.value - bound) for bound in (low, high))
    counts = np.arange(2, MOST_SEEDS + 1)
    wanted = student_quantile(1 - SIDE, counts - 1) + student_quantile(POWER, counts - 1)
    enough = counts[wanted * deviation / np.sqrt(counts) <= distance]
    return int(enough[0]) if len(enough) else MOST_SEEDS + 1


def combine(*decisions: Decision) -> Decision:
    """Of several conditions: reproduced if each is (intersection-union test), not reproduced if one is not.

    The latter is the chance of many tests, so its p-values are multiplied by their number (Bonferroni).
    """
    seeds = [each.seeds for each in decisions if each.seeds is not None]
    return Decision(
        np.maximum.reduce([each.p_for for each in decisions]),
        np.minimum(1.0, len(decisions) * np.minimum.reduce([each.p_against for each in decisions])),
        max(seeds, default=None),
    )


@dataclass(frozen=True)
class Finding:
    """What was found about a claim: the decision, the measurement in words and as an interval.

    decision: None where the claim was not run.
    """

    decision: Decision | None
    measured: str = ""
    interval: Interval | None = None
    images: int | None = None
    seeds: int | None = None
    note: str = ""


Decide = Callable[[Evidence], Finding]


@dataclass(frozen=True)
class Claim:
    """A claim, the published value and where it stands, when it counts as reproduced, and what decides it.

    tier: the scale that it is about; claims are counted apart by it.
    """

    id: str
    source: str
    statement: str
    published: str
    where: str
    criterion: str
    decide: Decide
    tier: Tier = PAPER

    def finding(self, evidence: Evidence) -> Finding:
        """What the evidence says; no decision, with what is missing, where it does not suffice."""
        try:
            return self.decide(replace(evidence, tier=self.tier))
        except NotRun as missing:
            return Finding(None, note=f"missing: {missing}")

    @property
    def key(self) -> str:
        """Its name in the registry: `C1`, `C1 study`."""
        return self.id if self.tier is PAPER else f"{self.id} {self.tier.name}"

    def verdict(self, finding: Finding) -> str:
        """The finding's verdict in the words for this source."""
        verdict = finding.decision.verdict if finding.decision else NOT_RUN
        return OWN_WORDS.get(verdict, verdict) if self.source == OURS else verdict


CLAIMS: dict[str, Claim] = {}


def claim(
    id: str,
    *,
    source: str,
    statement: str,
    published: str,
    criterion: str,
    where: str = "",
    tiers: Sequence[Tier] = (PAPER,),
) -> Callable[[Decide], Decide]:
    """Register the decorated function as what decides this claim at these scales; it may raise NotRun.

    statement and criterion may have fields of the scale, `{tier.step}`.
    """

    def register(decide: Decide) -> Decide:
        for tier in tiers:
            again = f"in the {tier.name}: " if id in CLAIMS else ""
            texts = again + statement.format(tier=tier), published, where, criterion.format(tier=tier)
            new = Claim(id, source, *texts, decide, tier)
            if new.key in CLAIMS:
                raise ValueError(f"claim {new.key} is registered twice")
            CLAIMS[new.key] = new
        return decide

    return register


def all_claims() -> list[Claim]:
    """The claims of every module of this package, by letter and number of their ids, then by tier."""
    for module in pkgutil.iter_modules(claims.__path__):
        importlib.import_module(f"{claims.__name__}.{module.name}")
    return sorted(CLAIMS.values(), key=lambda found: (found.id.rstrip(digits), len(found.id), found.key))
