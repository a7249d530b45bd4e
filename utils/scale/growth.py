"""How a measurement grows with size: a straight line through logarithms, and what it says beyond the last point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy.stats import t as student

from utils.errors import CourseError
from utils.evaluation import Interval


@dataclass(frozen=True)
class PowerLaw:
    """value = middle value × (size / middle size) ** exponent, fitted to sizes up to `largest`.

    The middle is that of the fitted points, on logarithmic axes; every line of the exponent's interval goes through it.
    """

    exponent: Interval
    middle: tuple[float, float]
    largest: float

    def at(self, size: float) -> Interval:
        """The value at a size, also at one far outside what was measured."""
        by_exponent = [self.middle[1] * (size / self.middle[0]) ** exponent for exponent in self._exponents]
        return Interval(by_exponent[0], min(by_exponent), max(by_exponent))

    def reaches(self, value: float) -> Interval:
        """The size at which the value is reached.  Raises CourseError when the values do not surely grow."""
        if self.exponent.low <= 0:
            raise CourseError("These values do not surely grow with size, so no size can be named: measure more sizes.")
        try:
            sizes = [self.middle[0] * (value / self.middle[1]) ** (1 / exponent) for exponent in self._exponents]
        except OverflowError:  # an exponent just above zero
            raise CourseError(
                "These values hardly grow with size, so no size can be named: measure more sizes."
            ) from None
        return Interval(sizes[0], min(sizes), max(sizes))

    def beyond(self, size: float) -> float:
        """How many times larger a size is than the largest that was measured; at least 1."""
        return max(1.0, size / self.largest)

    @property
    def _exponents(self) -> tuple[float, float, float]:
        return self.exponent.mean, self.exponent.low, self.exponent.high


def fit_power_law(sizes: Sequence[float], values: Sequence[float]) -> PowerLaw:
    """The power law through the points, by least squares on logarithms, with the exponent's 95 % interval.

    The interval covers how far the points are from one line, and not whether the line goes on behind the last.
    Raises CourseError for fewer than three points, one size only, or a number that is not above zero.
    """
    if len(sizes) != len(values) or len(sizes) < 3 or len(set(sizes)) < 2 or min(*sizes, *values) <= 0:
        raise CourseError("A power law needs three points or more, at different sizes, all above zero.")
    x, y = np.log(np.asarray(sizes, dtype=float)), np.log(np.asarray(values, dtype=float))
    slope, start = (float(each) for each in np.polyfit(x, y, 1))
    free = len(x) - 2
    scatter = float(np.square(y - start - slope * x).sum()) / free
    margin = float(student.ppf(0.975, free)) * sqrt(scatter / float(np.square(x - x.mean()).sum()))
    middle = float(np.exp(x.mean())), float(np.exp(y.mean()))
    return PowerLaw(Interval(slope, slope - margin, slope + margin), middle, float(max(sizes)))
