"""How a benchmark is measured: interleaved pairs of ours and the floor, medians, spread."""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

PAIRS = 5


@dataclass(frozen=True)
class Figure:
    """One result. ``ratio`` is value / floor; ``met`` is None where no goal is set or the spread is too wide."""

    name: str
    value: float
    unit: str
    floor: float
    ratio: float
    goal: float | None
    met: bool | None
    detail: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Timed:
    wall: float
    cpu: float


def timed(work: Callable[[], Any]) -> Timed:
    """Wall and processor seconds of one call, children of this process included."""
    before, start = _cpu(), time.perf_counter()
    work()
    return Timed(time.perf_counter() - start, _cpu() - before)


def _cpu() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def compare(
    name: str,
    ours: Callable[[], Any],
    floor: Callable[[], Any],
    *,
    goal: float | None = None,
    by: str = "cpu",
    pairs: int = PAIRS,
    detail: dict[str, Any] | None = None,
) -> Figure:
    """Median of ``pairs`` interleaved runs of ours and of the floor; ``by`` is "cpu" or "wall" seconds.

    A goal is not judged when the spread of the ratios (half the distance of their quartiles) exceeds the margin.
    """
    ours(), floor()  # caches, compilation
    ratios, values, floors = [], [], []
    for _ in range(max(pairs, 3)):
        one, other = getattr(timed(ours), by), getattr(timed(floor), by)
        values.append(one)
        floors.append(other)
        ratios.append(one / other if other else float("inf"))
    ratio = statistics.median(ratios)
    quartiles = statistics.quantiles(ratios, n=4)
    spread = (quartiles[2] - quartiles[0]) / 2
    judged = goal is not None and spread <= abs(goal - ratio)
    return Figure(
        name=name,
        value=statistics.median(values),
        unit=f"s ({by})",
        floor=statistics.median(floors),
        ratio=ratio,
        goal=goal,
        met=(ratio <= goal) if judged and goal is not None else None,
        detail={"pairs": len(ratios), "spread of the ratio": spread, **(detail or {})},
    )
