"""What a metric declares. Each module of this package has a list METRICS of its own; the registry finds it.

The config is parsed with these modules: torch, scipy and torch-fidelity are imported within functions.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from shapednoise.metrics.context import Context


@dataclass(frozen=True)
class Measurement:
    """What a metric found for one sample set.

    Attributes:
        value: The score; None where it cannot be computed.
        interval: Standard error, lower and upper end of the 95 % interval; None where there is none.
        columns: The metric's `published` columns but those of the interval, by name.
    """

    value: float | None
    interval: tuple[float, float, float] | None = None
    columns: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Metric:
    """A score of a sample set: how it is called, read and computed.

    Attributes:
        name: Its column in tables and its name in the config.
        label: Its name in figures.
        measure: Computes it from what the metrics share.
        lower_is_better: Whether a smaller value is a better one.
        order: Its rank among the metrics, small first; metrics of equal rank are sorted by name.
        published: More columns that directly follow the value. The interval, NAME_se, NAME_low and
            NAME_high, is written for every metric, after all values unless it is named here.
        bounds: The least and the greatest possible value, at which the interval is cut.
    """

    name: str
    label: str
    measure: Callable[[Context], Measurement]
    lower_is_better: bool = False
    order: int = 100
    published: tuple[str, ...] = ()
    bounds: tuple[float, float] = (-np.inf, np.inf)

    @property
    def direction(self) -> str:
        """`lower is better` or `higher is better`."""
        return "lower is better" if self.lower_is_better else "higher is better"

    @property
    def is_bounded(self) -> bool:
        """Whether its values have a least or a greatest one."""
        return bool(np.isfinite(self.bounds).any())

    def interval_columns(self, measurement: Measurement) -> dict[str, float | None]:
        """NAME_se, NAME_low and NAME_high within the bounds; None without an interval."""
        names = (f"{self.name}_{end}" for end in ("se", "low", "high"))
        if measurement.interval is None:
            return dict.fromkeys(names)
        error, low, high = measurement.interval
        least, greatest = self.bounds
        return dict(zip(names, (error, max(low, least), min(high, greatest)), strict=True))
