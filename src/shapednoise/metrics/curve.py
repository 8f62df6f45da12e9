"""The quadratic fit of a score against the strength: the U-curve and its optimum."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Parabola:
    """value = a s^2 + b s + c, fitted by least squares."""

    a: float
    b: float
    c: float
    low: float
    high: float

    def __call__(self, strength: np.ndarray) -> np.ndarray:
        """The fitted value at each strength."""
        return np.polyval([self.a, self.b, self.c], strength)

    def optimum(self, lower_is_better: bool) -> float | None:
        """The best strength, where the curve bends that way and it lies inside the measured range."""
        if self.a == 0 or (self.a > 0) != lower_is_better:
            return None
        vertex = -self.b / (2 * self.a)
        return float(vertex) if self.low <= vertex <= self.high else None


def fit_parabola(strengths: np.ndarray, values: np.ndarray) -> Parabola | None:
    """Least-squares parabola; None for fewer than three different strengths."""
    if len(np.unique(strengths)) < 3:
        return None
    a, b, c = (float(x) for x in np.polyfit(strengths, values, 2))
    return Parabola(a, b, c, float(np.min(strengths)), float(np.max(strengths)))
