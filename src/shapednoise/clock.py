"""A clock that was set back: what is dated in the future.

Snakemake looks at the content of an input only if it is newer than the outputs: outputs of the future hide
every edit. And it takes a job for failed whose outputs are older than an input of the future.
"""

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

SKEW = 60 * 10**9  # nanoseconds by which the clock of a file server may be ahead
MARGIN = 24 * 3600 * 10**9  # by which an edit that was made since looks newer than all outputs


def date_back(outputs: Iterable[str | Path]) -> float:
    """Date files back together, in their order, if the newest is dated in the future; by what (s).

    Every input that was edited since the clock was set back is newer than they, and its content compared.
    """
    dates = _dates(outputs)
    ahead = max(dates.values(), default=0) - time.time_ns()
    if ahead <= SKEW:
        return 0.0
    for file, date in dates.items():
        _set_date(file, date - ahead - MARGIN)
    return (ahead + MARGIN) / 1e9


def date_now(inputs: Iterable[str | Path]) -> int:
    """Date those of the files that are dated in the future now; how many they are."""
    now = time.time_ns()
    future = [file for file, date in _dates(inputs).items() if date > now]
    for file in future:
        _set_date(file, now)
    return len(future)


def _dates(files: Iterable[str | Path]) -> dict[str | Path, int]:
    dates = {}
    for file in files:
        with suppress(FileNotFoundError):  # of a job that is running
            dates[file] = Path(file).stat().st_mtime_ns
    return dates


def _set_date(file: str | Path, date: int) -> None:
    with suppress(FileNotFoundError):
        os.utime(file, ns=(date, date))
