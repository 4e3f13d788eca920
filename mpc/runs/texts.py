"""Texts and values from work, made fit for any database: PostgreSQL takes neither NUL nor NaN in JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

LINE_LENGTH = 4000


def clean(text: object, length: int | None = None) -> str:
    """The text without NUL and half characters, cut to ``length``."""
    cleaned = str(text).replace("\x00", "␀").encode("utf-8", "replace").decode("utf-8")
    if length is not None and len(cleaned) > length:
        return cleaned[: length - 1] + "…"
    return cleaned


def clean_json(value: Any) -> Any:
    """The value as JSON can hold it: numbers that are none become null, what has no form becomes its text."""
    if isinstance(value, Mapping):
        return {clean(key): clean_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [clean_json(item) for item in value]
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:  # a number of numpy
        return clean_json(value.item())
    return clean(value)
