"""Closed formulas as kernels: an inverse (numba's own needs a library that is not there), correlation, Student's t."""

from __future__ import annotations

import math

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def invert(matrix: np.ndarray, size: int, inverse: np.ndarray) -> bool:
    """Inverse of the leading positive definite block, by Cholesky; False when it is singular."""
    lower = np.zeros((size, size))
    for i in range(size):
        for j in range(i + 1):
            total = matrix[i, j]
            for k in range(j):
                total -= lower[i, k] * lower[j, k]
            if i == j:
                if total <= 1e-12 * matrix[i, i] or total <= 0:
                    return False
                lower[i, i] = math.sqrt(total)
            else:
                lower[i, j] = total / lower[j, j]
    for column in range(size):
        for i in range(size):
            total = 1.0 if i == column else 0.0
            for k in range(i):
                total -= lower[i, k] * inverse[k, column]
            inverse[i, column] = total / lower[i, i]
        for i in range(size - 1, -1, -1):
            total = inverse[i, column]
            for k in range(i + 1, size):
                total -= lower[k, i] * inverse[k, column]
            inverse[i, column] = total / lower[i, i]
    return True


@numba.njit(cache=True, nogil=True)
def mean_inflation(count: int, correlation: float) -> float:
    """By how much correlation raises the variance of a mean of ``count`` neighbours."""
    total, power = 1.0, 1.0
    for lag in range(1, count):
        power *= correlation
        if power < 1e-6:
            break
        total += 2 * (1 - lag / count) * power
    return total


@numba.njit(cache=True, nogil=True)
def student_to_normal(t: float, freedom: float) -> float:
    size = math.sqrt(freedom * math.log1p(t * t / freedom)) * (8 * freedom + 1) / (8 * freedom + 3)
    return size if t >= 0 else -size
