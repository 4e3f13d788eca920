"""The numeric core of the step scan; :mod:`mpc.monitoring.detectors.step` says what it computes.

At every point m the values up to it are fitted: a robust ridge regression on level, slope and season, with Huber
weights and with priors, in units of the noise, on what a young series cannot tell yet. A season that may be there but
is not known counts as uncertainty of the forecast until the data have settled it, and is removed from then on.

    x(t) = (1, t, cos wt, sin wt, cos 2wt, sin 2wt, 1[t >= change 1], 1[t >= change 2], ...)
    (X'WX / f + P) b = X'Wy / f,   cov b = sigma^2 (X'WX / f + P)^-1,   f = (1 + rho) / (1 - rho)

All that may change stands in one file: numba's cache notices a change of a kernel's file, not of those that it calls.
``data`` is (regressors, values, weights, coefficients, covariances, noise, whether fitted), each with a row a point.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from mpc.monitoring.detectors.formulas import invert, mean_inflation, student_to_normal

MAD_TO_SIGMA = 1.482602218505602
"""Of a normal distribution the median absolute deviation is sigma / 1.4826."""

REJECT = 3.5
"""Residuals beyond this many sigmas are outliers and tell nothing of the noise."""

_KEPT = 0.9969
"""Standard deviation of a unit normal cut at ``REJECT``."""

MOST_CORRELATION = 0.9
"""More cannot be told from a drift in the windows that are used."""

INTERVAL = 0.95
"""Probability of the interval in which a step is said to lie."""

BEFORE = 24
"""Points before the forecast that help to place a step."""

HUBER = 2.5
"""Residuals beyond this many sigmas are weighed down (95 % efficient at 1.345, and 99.5 % here)."""

OWN_NOISE = 6
OWN_SHARE = 0.7
"""From 6 points on, after a change of the noise, these points' own scatter counts, lowered since it is told of few."""

WARY = 1.0
"""So much more score is asked for while a step that was taken back is still in the windows."""

BASE = 6
"""Columns of level, slope and two harmonics; each change adds one."""

MOST_CHANGES = 8
"""Older changes than these end the memory."""

RECENT = 60
"""The noise is that of all points or of so many newest, whichever is larger, so that a rise of it makes no steps."""

_OMEGA = 2 * math.pi / 365.25


@numba.njit(cache=True, nogil=True)
def fill_row(row: np.ndarray, time: float, origin: float, index: int, changes: np.ndarray, count: int) -> int:
    """Write the regressors of a point into ``row``; returns how many. Times count from ``origin`` in years."""
    row[0] = 1.0
    row[1] = (time - origin) / 365.25
    angle = _OMEGA * time
    row[2], row[3] = math.cos(angle), math.sin(angle)
    row[4], row[5] = math.cos(2 * angle), math.sin(2 * angle)
    for j in range(count):
        row[BASE + j] = 1.0 if index >= changes[j] else 0.0
    return BASE + count


@numba.njit(cache=True, nogil=True)
def fit_upto(m: int, size: int, data: tuple, start: int, prior: np.ndarray, floor: float) -> bool:
    """Fit points ``start`` to ``m``; the coefficients in ``data`` are the guess. Noise receives sigma, rho, freedom.

    ``prior``: precision of each coefficient in 1 / sigma^2. Returns False where no fit is possible.
    """
    rows, values, weights, fits, covariances, noises, _ = data
    beta, covariance, noise = fits[m], covariances[m], noises[m]
    count = m + 1 - start
    normal = np.empty((size, size))
    right = np.empty(size)
    sigma, rho = noise[0], noise[1]
    for turn in range(3):
        residuals = residuals_of(start, m, m, size, data)
        rho = neighbour_correlation(residuals, 3 if count > 60 else 1)
        factor = (1 + rho) / (1 - rho)
        raw = scale_about_zero(residuals)
        spent = min(size, 2 + count / 60) * factor
        recent = scale_about_zero(residuals[max(count - RECENT, 0) :]) if turn else raw
        sigma = max(max(raw, recent) * math.sqrt(count / max(count - spent, 0.3 * count)), floor)
        if turn == 2:
            break
        normal[:] = 0.0
        right[:] = 0.0
        for i in range(count):
            size_of = abs(residuals[i]) / sigma
            weight = weights[start + i] / factor
            if size_of > HUBER:
                weight *= HUBER / size_of
            for a in range(size):
                x = rows[start + i, a]
                if x == 0.0:
                    continue
                right[a] += weight * x * values[start + i]
                for b in range(a + 1):
                    normal[a, b] += weight * x * rows[start + i, b]
        for a in range(size):
            normal[a, a] += prior[a]
        if not invert(normal, size, covariance):
            return False
        for a in range(size):
            total = 0.0
            for b in range(size):
                total += covariance[a, b] * right[b]
            beta[a] = total
    noise[0], noise[1] = sigma, rho
    noise[2] = max(count / ((1 + rho) / (1 - rho)) - min(size, 3), 3.0)
    for a in range(size):
        for b in range(size):
            covariance[a, b] *= sigma * sigma
    return True


@numba.njit(cache=True, nogil=True)
def residuals_of(first: int, last: int, m: int, size: int, data: tuple) -> np.ndarray:
    """Points ``first`` to ``last`` less what the fit at ``m`` expects of them."""
    rows, values, _, fits, _, _, _ = data
    residuals = values[first : last + 1].copy()
    for i in range(len(residuals)):
        for a in range(size):
            residuals[i] -= rows[first + i, a] * fits[m, a]
    return residuals


@numba.njit(cache=True, nogil=True)
def judge_after(first: int, last: int, m: int, size: int, data: tuple) -> tuple[float, float]:
    """Weighted mean of points ``first`` to ``last`` less the forecast of the fit at ``m``, and its uncertainty.

    Points further than 2.5 sigma from the median of these residuals are drawn to that distance, so that an outlier is
    no step and a large step no heap of outliers.
    """
    rows, _, weights, _, covariances, noises, _ = data
    covariance, sigma, rho = covariances[m], noises[m, 0], noises[m, 1]
    residuals = residuals_of(first, last, m, size, data)
    count = len(residuals)
    middle = np.median(residuals)
    if count >= OWN_NOISE:
        sigma = max(sigma, OWN_SHARE * MAD_TO_SIGMA * np.median(np.abs(residuals - middle)))
    mean = np.zeros(size)
    total, value = 0.0, 0.0
    for i in range(count):
        weight = weights[first + i]
        total += weight
        value += weight * min(max(residuals[i], middle - HUBER * sigma), middle + HUBER * sigma)
        for a in range(size):
            mean[a] += weight * rows[first + i, a]
    variance = sigma * sigma / total * mean_inflation(count, rho)
    for a in range(size):
        for b in range(size):
            variance += mean[a] * mean[b] * covariance[a, b] / (total * total)
    return value / total, math.sqrt(variance)


# --- Noise ---
@numba.njit(cache=True, nogil=True)
def scale_about_zero(residuals: np.ndarray) -> float:
    limit = REJECT * MAD_TO_SIGMA * np.median(np.abs(residuals))
    total, count = 0.0, 0
    for value in residuals:
        if abs(value) <= limit:
            total += value * value
            count += 1
    return math.sqrt(total / count) / _KEPT if count else 0.0


@numba.njit(cache=True, nogil=True)
def neighbour_correlation(residuals: np.ndarray, fitted: int) -> float:
    count = len(residuals)
    if count < 4:
        return 0.0
    limit = REJECT * MAD_TO_SIGMA * np.median(np.abs(residuals))
    product, square, pairs = 0.0, 0.0, 0
    for i in range(count - 1):
        one, other = residuals[i], residuals[i + 1]
        if abs(one) <= limit and abs(other) <= limit:
            product += one * other
            square += 0.5 * (one * one + other * other)
            pairs += 1
    if pairs < 3 or square <= 0:
        return 0.0
    raw = product / square
    raised = raw + (fitted * (1 + raw) + 2 * raw) / pairs
    return min(max(raised, 0.0), MOST_CORRELATION)


# --- Steps ---
@numba.njit(cache=True, nogil=True)
def scan(
    times: np.ndarray,
    values: np.ndarray,
    weights: np.ndarray,
    limits: np.ndarray,
    counts: np.ndarray,
    prior: np.ndarray,
    found: np.ndarray,
    told: np.ndarray,
    course: np.ndarray,
) -> int:
    """Go through the series once; returns how many steps it found. Each receives a row in ``found`` (point, score,
    base, first interval), ``told`` and ``course`` (its score at each point from the one that revealed it)."""
    threshold, keep, least_sigmas, least_magnitude, memory, floor = limits
    after_least, after_most, before_least, settle = counts
    number = len(times)
    width = BASE + MOST_CHANGES
    rows = np.zeros((number, width))
    fits = np.zeros((number, width))
    covariances = np.zeros((number, width, width))
    noises = np.zeros((number, 3))
    fitted = np.zeros(number, np.bool_)
    changes = np.zeros(MOST_CHANGES, np.int64)
    data = (rows, values, weights, fits, covariances, noises, fitted)
    open_changes, steps, start, since = 0, 0, 0, 0
    least = most = values[0]
    resolution = floor
    for n in range(number):
        fill_row(rows[n], times[n], times[0], n, changes, open_changes)
        least, most = min(least, values[n]), max(most, values[n])
        floor = max(resolution, 1e-6 * (most - least))
        settling = steps > 0 and n <= told[steps - 1, 0] + settle and told[steps - 1, 10] == 0
        while not settling and times[start] < times[n] - memory:
            start += 1
        if n - start + 1 < before_least:
            continue
        if not settling and open_changes and changes[0] <= start:
            _forget(fits, max(n - after_most - 2, since), n, changes, open_changes)
            open_changes -= 1
            _rewrite(rows, times, start, n, changes, open_changes)
            _fit_all(max(n - after_most - 1, since), n - 1, BASE + open_changes, data, start, prior, floor)
        if settling:
            # The newest step is seen better with each point: place it again, and fit again what followed it.
            newest = told[steps - 1]
            revealed, base, before = int(found[steps - 1, 0]), int(found[steps - 1, 2]), int(newest[9])
            _place(base, n, revealed, before, after_least, BASE + open_changes - 1, data, newest)
            course[steps - 1, n - revealed] = newest[5]
            if newest[5] < keep:
                # Taken back: it was chance, and what follows must not be measured against a level that never was.
                newest[10], since, settling = n, before, False
                open_changes -= 1
                _rewrite(rows, times, base, n, changes, open_changes)
                _fit_all(base + 1, n - 1, BASE + open_changes, data, start, prior, floor)
            elif int(newest[0]) != since:
                since = int(newest[0])
                changes[open_changes - 1] = since
                _rewrite(rows, times, base, n, changes, open_changes)
                fits[since - 1, BASE + open_changes - 1] = newest[3]
                _fit_all(since, n - 1, BASE + open_changes, data, start, prior, floor)
        _fit_all(n, n, BASE + open_changes, data, start, prior, floor)
        score, at = _look_back(
            n, max(since, start) + after_least - 1, after_least, after_most, least_sigmas, least_magnitude,
            BASE + open_changes, data,
        )  # fmt: skip
        # Soon after a step that was taken back, the same points must not speak again as loudly as before.
        wary = steps > 0 and 0 < n - told[steps - 1, 10] <= settle and told[steps - 1, 10] > 0
        if score < threshold + (WARY if wary else 0.0):
            continue
        if open_changes == MOST_CHANGES:
            start = changes[0]
            _forget(fits, start, n, changes, open_changes)
            open_changes -= 1
            _rewrite(rows, times, start, n, changes, open_changes)
            _fit_all(since, n, BASE + open_changes, data, start, prior, floor)
        base = min(max(min(at, n - after_most) - after_least, since + after_least - 1, start), at)
        while not fitted[base]:
            base += 1
        found[steps, 0], found[steps, 1], found[steps, 2] = n, score, base
        newest = told[steps]
        _place(base, n, n, since, after_least, BASE + open_changes, data, newest)
        newest[9], course[steps, 0] = since, score
        found[steps, 3], found[steps, 4] = newest[1], newest[2]
        steps += 1
        since = int(newest[0])
        changes[open_changes] = since
        open_changes += 1
        _rewrite(rows, times, base, n, changes, open_changes)
        fits[since - 1, BASE + open_changes - 1] = newest[3]
        _fit_all(since, n, BASE + open_changes, data, start, prior, floor)
    return steps


@numba.njit(cache=True, nogil=True)
def _look_back(
    n: int,
    earliest: int,
    after_least: int,
    after_most: int,
    least_sigmas: float,
    least_magnitude: float,
    size: int,
    data: tuple,
) -> tuple[float, int]:
    """The largest score of the last points against the forecasts made before them, and the point of that forecast."""
    noises, fitted = data[5], data[6]
    best, at = 0.0, -1
    for k in range(after_least, after_most + 1):
        m = n - k
        if m < earliest or not fitted[m]:
            break
        value, uncertainty = judge_after(m + 1, n, m, size, data)
        if abs(value) >= max(least_sigmas * noises[m, 0], least_magnitude):
            score = abs(student_to_normal(value / uncertainty, noises[m, 2]))
            if score > best:
                best, at = score, m
    return best, at


@numba.njit(cache=True, nogil=True)
def _place(
    base: int, n: int, revealed: int, since: int, after_least: int, size: int, data: tuple, told: np.ndarray
) -> None:
    """Tell where the step between ``base`` and the point that revealed it lies, how large it is and how sure that is.

    The likelihood of each place is that of two levels with Huber's loss, its logarithm divided by the inflation that
    correlation brings; the interval holds the likeliest places of together 95 %.
    """
    rows, fits, noises = data[0], data[3], data[5]
    sigma, rho = noises[base, 0], noises[base, 1]
    low = max(since, base - BEFORE)
    residuals = residuals_of(low, n, base, size, data)
    first, last = max(base + 1 - after_least, low + 2), revealed - 1
    chance = np.full(last + 1 - first, -np.inf)
    factor = (1 + rho) / (1 - rho)
    for place in range(first, last + 1):
        left, right = residuals[: place - low], residuals[place - low :]
        chance[place - first] = -(_loss(left, sigma) + _loss(right, sigma)) / factor
    chance = np.exp(chance - chance.max())
    chance /= chance.sum()
    order = np.argsort(-chance)
    held, early, late = 0.0, last, first
    for i in order:
        held += chance[i]
        early, late = min(early, first + i), max(late, first + i)
        if held >= INTERVAL:
            break
    index = first + order[0]
    value, uncertainty = judge_after(index, n, base, size, data)
    expected = 0.0
    for a in range(size):
        if a < 2 or a >= BASE:
            expected += rows[index, a] * fits[base, a]
    told[0], told[1], told[2], told[3], told[4] = index, early, late, value, uncertainty
    told[5] = abs(student_to_normal(value / uncertainty, noises[base, 2]))
    told[6], told[7], told[8] = expected, sigma, rho


@numba.njit(cache=True, nogil=True)
def _loss(residuals: np.ndarray, sigma: float) -> float:
    """Huber's loss of residuals about their own robust mean, in units of the noise."""
    middle = np.median(residuals)
    mean = 0.0
    for value in residuals:
        mean += min(max(value, middle - HUBER * sigma), middle + HUBER * sigma)
    mean /= len(residuals)
    total = 0.0
    for value in residuals:
        size = abs(value - mean) / sigma
        total += 0.5 * size * size if size <= HUBER else HUBER * (size - 0.5 * HUBER)
    return total


@numba.njit(cache=True, nogil=True)
def _fit_all(first: int, last: int, size: int, data: tuple, start: int, prior: np.ndarray, floor: float) -> None:
    """Fit at points ``first`` to ``last``, each beginning with what the one before it found."""
    values, fits, fitted = data[1], data[3], data[6]
    for m in range(first, last + 1):
        if m < start + 3:
            fitted[m] = False
            continue
        if m > 0 and (fitted[m - 1] or fits[m - 1].any()):
            fits[m, :] = fits[m - 1]
        else:
            fits[m, :] = 0.0
            fits[m, 0] = np.median(values[start : m + 1])
        fitted[m] = fit_upto(m, size, data, start, prior, floor)


@numba.njit(cache=True, nogil=True)
def _rewrite(rows: np.ndarray, times: np.ndarray, first: int, n: int, changes: np.ndarray, count: int) -> None:
    for i in range(first, n + 1):
        rows[i, BASE:] = 0.0
        fill_row(rows[i], times[i], times[0], i, changes, count)


@numba.njit(cache=True, nogil=True)
def _forget(fits: np.ndarray, first: int, n: int, changes: np.ndarray, count: int) -> None:
    """Drop the oldest change: what is remembered begins behind it."""
    for m in range(max(first, 0), n + 1):
        fits[m, 0] += fits[m, BASE]
        for j in range(1, count):
            fits[m, BASE + j - 1] = fits[m, BASE + j]
        fits[m, BASE + count - 1] = 0.0
    for j in range(1, count):
        changes[j - 1] = changes[j]
