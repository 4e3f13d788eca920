"""Small words that the sections share."""

from __future__ import annotations

from collections.abc import Iterable


def count(n: int, one: str, many: str = "") -> str:
    """ "1 run", "3 runs", "no run"."""
    if n == 0:
        return f"no {one}"
    return f"{n} {one if n == 1 else many or one + 's'}"


def listed(parts: Iterable[str]) -> str:
    """The parts that say something, in one sentence: "a, b and c"."""
    said = [part for part in parts if part]
    if len(said) < 2:
        return "".join(said)
    return f"{', '.join(said[:-1])} and {said[-1]}"
