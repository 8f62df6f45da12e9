"""The registry of claims: what was published, what decides it, and the rules by which a measurement does."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from string import digits

from shapednoise import claims
from shapednoise.analysis.curve import Interval
from shapednoise.claims.evidence import Evidence, NotRun

REPRODUCED, NOT_REPRODUCED = "reproduced", "not reproduced"
INCONCLUSIVE, NOT_RUN = "inconclusive", "not run"
SDM, SAGD, OURS = "SDM", "SAGD", "this project"  # sources of claims
SURE = 0.975


@dataclass(frozen=True)
class Finding:
    """What was found about a claim: the verdict, the measurement in words and as an interval."""

    verdict: str
    measured: str = ""
    interval: Interval | None = None
    images: int | None = None
    seeds: int | None = None
    note: str = ""


Decide = Callable[[Evidence], Finding]


@dataclass(frozen=True)
class Claim:
    """A claim, the published value, when it counts as reproduced, and the function that decides it."""

    id: str
    source: str
    statement: str
    published: str
    criterion: str
    decide: Decide

    def finding(self, evidence: Evidence) -> Finding:
        """What the evidence says; `not run`, with what is missing, where it does not suffice."""
        try:
            return self.decide(evidence)
        except NotRun as missing:
            return Finding(NOT_RUN, note=f"missing: {missing}")


CLAIMS: dict[str, Claim] = {}


def claim(
    id: str, *, source: str, statement: str, published: str, criterion: str
) -> Callable[[Decide], Decide]:
    """Register the decorated function as what decides this claim; it may raise NotRun."""

    def register(decide: Decide) -> Decide:
        if id in CLAIMS:
            raise ValueError(f"claim {id} is registered twice")
        CLAIMS[id] = Claim(id, source, statement, published, criterion, decide)
        return decide

    return register


def all_claims() -> list[Claim]:
    """The claims of every module of this package, by the letter and the number of their ids."""
    for module in pkgutil.iter_modules(claims.__path__):
        importlib.import_module(f"{claims.__name__}.{module.name}")
    return sorted(CLAIMS.values(), key=lambda found: (found.id.rstrip(digits), len(found.id), found.id))


def decide_by_interval(interval: Interval, low: float, high: float) -> str:
    """Reproduced where the whole interval lies in [low, high], not reproduced where none of it does."""
    if low <= interval.low and interval.high <= high:
        return REPRODUCED
    return NOT_REPRODUCED if interval.high < low or interval.low > high else INCONCLUSIVE


def decide_by_probability(probability: float) -> str:
    """By the share of resamples that have a property: nearly all, nearly none, or between."""
    if probability >= SURE:
        return REPRODUCED
    return NOT_REPRODUCED if probability <= 1 - SURE else INCONCLUSIVE


def combine(*verdicts: str) -> str:
    """Of several conditions: reproduced if each is, not reproduced if one is not."""
    if NOT_REPRODUCED in verdicts:
        return NOT_REPRODUCED
    return INCONCLUSIVE if INCONCLUSIVE in verdicts else REPRODUCED
