"""The yearly course of a series, told apart from its slow trend and its steps, and removed where it is known.

Robust least squares (Huber weights) of level, slope, two harmonics of the year and as many steps as the residuals ask
for: a step that is not in the model would be taken for a piece of season. Steps are added one at a time, the one with
the largest t first, as long as it exceeds ``STEP_T``; the t is lowered for the correlation of neighbours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mpc.monitoring.detectors.noise import Noise, difference_noise, noise_of
from mpc.monitoring.detectors.series import YEAR, Series, weights_of

LEAST_YEARS = 2.0
"""From less a season cannot be told from a drift or a step."""

LEAST_POINTS = 24
HARMONICS = 2
MOST_STEPS = 6
STEP_T = 5.0
STEP_POINTS = 6
"""Points that a step needs on both sides."""

LARGEST_GAP = 0.5
"""Largest part of the year without a single value, over all years, with which a season is still fitted."""

_HUBER = 2.0
_TURNS = 12


@dataclass(frozen=True)
class Season:
    """What is known of the season.

    Attributes:
        removed: whether it was fitted and taken away; ``reason`` says why not.
        coefficients: (2 * harmonics,), of cos and sin of once, twice ... a year, in the metric's unit; None if not
            removed.
        covariance: of the coefficients.
        amplitude, amplitude_uncertainty: of the yearly harmonic.
        steps: indices of the points that begin a new level in the fit.
        noise: of the residuals.
        values: (n,), the values less the season; as they were if it was not removed.
    """

    removed: bool
    reason: str
    values: np.ndarray
    coefficients: np.ndarray | None = None
    covariance: np.ndarray | None = None
    amplitude: float = 0.0
    amplitude_uncertainty: float = 0.0
    steps: tuple[int, ...] = ()
    noise: Noise | None = None

    def at(self, times: np.ndarray) -> np.ndarray:
        """The season at ``times`` (days); 0 where none was removed."""
        if self.coefficients is None:
            return np.zeros(len(times))
        return _harmonics(np.asarray(times, np.float64)) @ self.coefficients


def remove_season(series: Series, least_years: float = LEAST_YEARS) -> Season:
    """Fit and remove the season where there are ``least_years`` of data, at least 24 values, and no half of the year in
    which none ever falls. The season has mean 0 over a year, so the level stays."""
    reason = _why_not(series, least_years)
    if reason:
        return Season(False, reason, series.values)
    weights = weights_of(series.uncertainties, len(series))
    season = _harmonics(series.times)
    design = np.column_stack([np.ones(len(series)), (series.times - series.times.mean()) / YEAR, season])
    steps: list[int] = []
    while True:
        coefficients, residuals, robust = _robust_fit(design, series.values, weights)
        noise = noise_of(residuals, design.shape[1])
        found = _largest_step(design, residuals, robust) if len(steps) < MOST_STEPS else None
        if found is None:
            break
        steps.append(found)
        design = np.column_stack([design, np.arange(len(series)) >= found])
    factor = (1 + noise.correlation) / (1 - noise.correlation)
    covariance = noise.sigma**2 * factor * np.linalg.pinv(design.T @ (robust[:, None] * design))
    part = slice(2, 2 + 2 * HARMONICS)
    own = coefficients[part]
    amplitude = math.hypot(own[0], own[1])
    direction = own[:2] / amplitude if amplitude else np.array([1.0, 0.0])
    return Season(
        removed=True,
        reason="",
        values=series.values - season @ own,
        coefficients=own,
        covariance=covariance[part, part],
        amplitude=amplitude,
        amplitude_uncertainty=math.sqrt(max(float(direction @ covariance[2:4, 2:4] @ direction), 0.0)),
        steps=tuple(sorted(steps)),
        noise=noise,
    )


def _why_not(series: Series, least_years: float) -> str:
    if len(series) < LEAST_POINTS:
        return f"{len(series)} values, {LEAST_POINTS} are needed"
    if series.years < least_years:
        return f"{series.years:.1f} years of data, {least_years:g} are needed"
    phase = np.sort((series.times / YEAR) % 1.0)
    widest = float(np.diff(phase, append=phase[0] + 1).max())
    if widest > LARGEST_GAP:
        return f"no value ever falls into {widest:.0%} of the year"
    return ""


def _harmonics(times: np.ndarray) -> np.ndarray:
    angle = 2 * math.pi * times[:, None] / YEAR * np.arange(1, HARMONICS + 1)
    return np.stack([np.cos(angle), np.sin(angle)], axis=2).reshape(len(times), -1)


def _robust_fit(design: np.ndarray, values: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, ...]:
    """Coefficients, residuals and the final weights of a Huber fit, begun from least absolute deviations."""
    robust = weights
    residuals = values - np.median(values)
    coefficients = np.zeros(design.shape[1])
    for turn in range(_TURNS):
        scale = noise_of(residuals).sigma
        if turn:
            robust = weights * np.minimum(1.0, _HUBER * scale / np.maximum(np.abs(residuals), 1e-300))
        root = np.sqrt(robust)
        coefficients = np.linalg.lstsq(design * root[:, None], values * root, rcond=None)[0]
        residuals = values - design @ coefficients
        if scale == 0:
            break
    return coefficients, residuals, robust


def _largest_step(design: np.ndarray, residuals: np.ndarray, robust: np.ndarray) -> int | None:
    """The place of the step that the weighted residuals speak for most, if its t is large enough.

    The noise is that of differences: a step that is not in the model yet makes residuals large and alike.
    """
    noise = difference_noise(residuals)
    count = len(residuals)
    places = np.arange(STEP_POINTS, count - STEP_POINTS)
    if noise.sigma == 0 or not len(places):
        return None
    root = np.sqrt(robust)
    frame, _ = np.linalg.qr(design * root[:, None])
    # Of the indicator of all points from a place on: sums of the rest of the series.
    tail = np.cumsum((root * (root * residuals))[::-1])[::-1]
    share = np.cumsum((root[:, None] * frame)[::-1], axis=0)[::-1]
    length = np.cumsum(robust[::-1])[::-1] - (share**2).sum(axis=1)
    factor = (1 + noise.correlation) / (1 - noise.correlation)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.abs(tail) / (noise.sigma * np.sqrt(length * factor))
    usable = np.where(length[places] > 1e-6 * count, t[places], 0.0)
    best = int(np.argmax(usable))
    return int(places[best]) if usable[best] > STEP_T else None
