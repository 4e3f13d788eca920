"""The inverse of a small positive definite matrix, for kernels (numba's own needs a library that is not there)."""

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
