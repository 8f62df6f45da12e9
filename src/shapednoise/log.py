"""The logger of the package and its progress bars, on standard error."""

import logging
import sys
from collections.abc import Iterable
from typing import Any

from tqdm import tqdm

log = logging.getLogger("shapednoise")


def progress(iterable: Iterable[Any] | None = None, **options: Any) -> tqdm:
    """A tqdm bar: live on a terminal, renewed every ten seconds elsewhere. Options are tqdm's."""
    terminal = sys.stderr.isatty()
    quiet = {} if terminal else {"mininterval": 10, "maxinterval": 10, "ascii": True, "ncols": 80}
    return tqdm(iterable, dynamic_ncols=terminal, **quiet, **options)
