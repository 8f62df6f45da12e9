"""How a measured interval decides a claim."""

from dataclasses import dataclass

from shapednoise.analysis.curve import Interval

REPRODUCED, NOT_REPRODUCED = "reproduced", "not reproduced"
INCONCLUSIVE, NOT_RUN = "inconclusive", "not run"
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


def within(interval: Interval | None, low: float, high: float) -> str:
    """Reproduced where the whole interval lies in [low, high], not reproduced where none of it does."""
    if interval is None:
        return INCONCLUSIVE
    if low <= interval.low and interval.high <= high:
        return REPRODUCED
    return NOT_REPRODUCED if interval.high < low or interval.low > high else INCONCLUSIVE


def sure(share: float) -> str:
    """By the share of resamples that have a property: nearly all, nearly none, or between."""
    if share >= SURE:
        return REPRODUCED
    return NOT_REPRODUCED if share <= 1 - SURE else INCONCLUSIVE


def all_of(*verdicts: str) -> str:
    """Of several conditions: reproduced if each is, not reproduced if one is not."""
    if NOT_REPRODUCED in verdicts:
        return NOT_REPRODUCED
    return INCONCLUSIVE if INCONCLUSIVE in verdicts else REPRODUCED
