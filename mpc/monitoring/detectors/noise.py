"""How much a series scatters, and how far neighbours depend on each other.

All that states a t, a confidence or an uncertainty in this package takes both from here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mpc.monitoring.detectors import formulas, kernels
from mpc.monitoring.detectors.kernels import MAD_TO_SIGMA, MOST_CORRELATION


@dataclass(frozen=True)
class Noise:
    """``sigma``: standard deviation of one value; ``correlation``: of neighbours, 0 to 0.9; ``count``: values used."""

    sigma: float
    correlation: float
    count: int

    @property
    def effective(self) -> float:
        """How many independent values say as much about the mean."""
        return effective_size(self.count, self.correlation)


def mad_scale(values: np.ndarray) -> float:
    """Standard deviation of normal ``values`` (n,) from their median absolute deviation; NaN when empty."""
    numbers = np.asarray(values, np.float64)
    return MAD_TO_SIGMA * float(np.median(np.abs(numbers - np.median(numbers)))) if len(numbers) else math.nan


def robust_scale(residuals: np.ndarray) -> float:
    """Standard deviation (about 0) of the residuals within 3.5 MAD scales; NaN when empty.

    As robust as the MAD against a tenth of outliers, and 2.5 times as efficient (its own relative uncertainty is
    1 / sqrt(2 n) against 1.17 / sqrt(n)).
    """
    return float(kernels.scale_about_zero(np.asarray(residuals, np.float64))) if len(residuals) else math.nan


def difference_scale(values: np.ndarray, correlation: float = 0.0) -> float:
    """Standard deviation of one value from the first differences of ``values`` (n,); NaN for fewer than two.

    sigma = 1.4826 median |x[i+1] - x[i]| / sqrt(2 (1 - rho)): what changes slowly and single steps leave it alone.
    """
    if len(values) < 2:
        return math.nan
    spread = MAD_TO_SIGMA * float(np.median(np.abs(np.diff(values))))
    return spread / math.sqrt(2 * (1 - correlation))


def lag_one(residuals: np.ndarray, fitted: int = 1) -> float:
    """Correlation of neighbouring residuals, between 0 and 0.9; 0 for fewer than four.

    Pairs with an outlier are left out. ``fitted`` parameters have made the residuals less alike than the noise is; the
    estimate is raised by (p (1 + r) + 2 r) / n (for p = 1 Marriott and Pope 1954). Negative correlations are
    set to 0, so that no t gains by them.
    """
    return float(kernels.neighbour_correlation(np.asarray(residuals, np.float64), fitted))


def difference_noise(values: np.ndarray) -> Noise:
    """Noise of ``values`` (n,) from their differences alone, whatever slow changes and single steps they hold.

    An AR(1) series has differences of variance 2 sigma^2 (1 - rho) between neighbours and 2 sigma^2 (1 - rho^2) between
    next neighbours, so their ratio is 1 + rho. NaN for fewer than three values.
    """
    if len(values) < 3:
        return Noise(math.nan, 0.0, len(values))
    near, far = robust_scale(np.diff(values)), robust_scale(values[2:] - values[:-2])
    rho = min(max((far / near) ** 2 - 1, 0.0), MOST_CORRELATION) if near else 0.0
    return Noise(near / math.sqrt(2 * (1 - rho)), rho, len(values))


def effective_size(count: int, correlation: float) -> float:
    """Independent values that leave the mean of an AR(1) series of ``count`` values as uncertain.

    n / (1 + 2 sum_{j<n} (1 - j/n) rho^j); Bayley and Hammersley 1946.
    """
    return count / float(formulas.mean_inflation(count, correlation)) if count > 0 else 0.0


def noise_of(residuals: np.ndarray, fitted: int = 1) -> Noise:
    """Noise of residuals (n,) of a fit with ``fitted`` parameters; sigma is raised for the freedom that they took."""
    count = len(residuals)
    if count == 0:
        return Noise(math.nan, 0.0, 0)
    rho = lag_one(residuals, fitted)
    free = max(count - fitted * (1 + rho) / (1 - rho), 1.0)
    return Noise(robust_scale(residuals) * math.sqrt(count / free), rho, count)


def normal_score(t: float, freedom: float) -> float:
    """The normal deviate that is as improbable as ``t`` of Student's distribution with ``freedom`` degrees.

    Wallace 1959: sqrt(v ln(1 + t^2 / v)) (8 v + 1) / (8 v + 3); within 0.03 for v >= 5 and t <= 7.
    """
    return float(formulas.student_to_normal(t, freedom))
