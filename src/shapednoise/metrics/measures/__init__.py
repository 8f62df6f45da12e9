"""What a metric declares. Each module of this package has a list METRICS of its own; the registry finds it.

The config is parsed with these modules: torch, scipy and torch-fidelity are imported within functions.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from shapednoise.metrics.context import Context
from shapednoise.metrics.resampling import Z

SHARE = (0.0, 1.0)  # bounds of a share


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
        target: Of a score that is best at some value, the column of `published` that has it; then neither
            end is better.
        order: Its rank among the metrics, small first; metrics of equal rank are sorted by name.
        published: More columns that directly follow the value. The interval, NAME_se, NAME_low and
            NAME_high, is written for every metric, after all values unless it is named here.
        bounds: The least and the greatest possible value; they choose the interval (`interval_columns`).
    """

    name: str
    label: str
    measure: Callable[[Context], Measurement]
    lower_is_better: bool = False
    target: str | None = None
    order: int = 100
    published: tuple[str, ...] = ()
    bounds: tuple[float, float] = (-np.inf, np.inf)

    @property
    def direction(self) -> str:
        """`lower is better`, `higher is better`, or that the data's value is best."""
        if self.target:
            return "best as the data's"
        return "lower is better" if self.lower_is_better else "higher is better"

    @property
    def is_bounded(self) -> bool:
        """Whether its values have a least or a greatest one."""
        return bool(np.isfinite(self.bounds).any())

    def interval_columns(self, measurement: Measurement, images: int) -> dict[str, float | None]:
        """NAME_se, NAME_low and NAME_high; None without an interval.

        The interval is the measurement's own for scores without bounds; of a score from 0 up it is normal
        on a logarithmic scale, where it is more than its standard error. Of a share it is
        Wilson's (1927, Journal of the American Statistical Association 22:209) for as many independent
        images as would have its standard error, or for all `images` where the share is 0 or 1, which has no
        standard error: nearly the rule of three.
        """
        names = (f"{self.name}_{end}" for end in ("se", "low", "high"))
        if measurement.interval is None:
            return dict.fromkeys(names)
        value, (error, low, high) = measurement.value, measurement.interval
        if self.bounds == SHARE:
            low, high = _wilson(value, error, images)
        elif self.bounds[0] == 0 and error < value:
            factor = float(np.exp(Z * error / value))
            low, high = value / factor, value * factor
        return dict(zip(names, (error, max(low, self.bounds[0]), high), strict=True))


def _wilson(share: float, error: float, images: int) -> tuple[float, float]:
    spread = share * (1 - share)
    count = spread / error**2 if error > 0 and spread > 0 else images
    centre, shrink = share + Z**2 / (2 * count), 1 + Z**2 / count
    half = Z * float(np.sqrt(spread / count + Z**2 / (4 * count**2)))
    low = 0.0 if share == 0 else (centre - half) / shrink
    return low, 1.0 if share == 1 else (centre + half) / shrink
