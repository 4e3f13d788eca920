"""How a benchmark is measured: interleaved pairs of ours and the floor, medians, spread."""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

PAIRS = 5
FEWEST_PAIRS = 3
"""From fewer no spread is told."""


@dataclass(frozen=True)
class Options:
    """What all benchmarks are told.

    Attributes:
        cache: where material that takes minutes to make is kept for the next time.
        pairs: interleaved pairs; None leaves the number to the benchmark.
        tiny: the smallest material that the benchmark can work on. It proves that the benchmark works; its figures mean
            nothing.
        schemas: the folder of schema sets, for work that validates against them.
    """

    cache: Path
    pairs: int | None = None
    tiny: bool = False
    schemas: Path | None = None


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

    def bounded(self, what: str, value: float, limit: float) -> Figure:
        """With another limit that must hold as well: the goal is not met when ``value`` is above it."""
        detail = {**self.detail, what: value, f"{what} limit": limit}
        return replace(self, met=False if value > limit else self.met, detail=detail)


@dataclass(frozen=True)
class Timed:
    wall: float
    cpu: float


def timed(work: Callable[[], Any]) -> Timed:
    """Wall and processor seconds of one call, children of this process that have ended included."""
    before, start = _cpu(), time.perf_counter()
    work()
    return Timed(time.perf_counter() - start, _cpu() - before)


def _cpu() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def spread_of(ratios: Sequence[float]) -> float:
    """Half the distance of the quartiles."""
    first, _, third = statistics.quantiles(ratios, n=4)
    return (third - first) / 2


def judged(ratio: float, goal: float | None, spread: float) -> bool | None:
    """Whether the goal is met; None where there is none or the spread exceeds the distance to it."""
    return ratio <= goal if goal is not None and spread <= abs(goal - ratio) else None


def compare(
    name: str,
    ours: Callable[[], Any],
    floor: Callable[[], Any],
    *,
    goal: float | None = None,
    by: str = "cpu",
    pairs: int | None = None,
    warm_up: bool = True,
    detail: dict[str, Any] | None = None,
) -> Figure:
    """Median of ``pairs`` interleaved runs of ours and of the floor; ``by`` is "cpu" or "wall" seconds.

    The ratio is the median of the ratios of the pairs, since what disturbs the machine disturbs both parts of a pair;
    every second pair begins with the floor. ``detail`` says both times of both. ``warm_up`` runs each once before, for
    caches and compilation.
    """
    if warm_up:
        ours(), floor()
    own: list[Timed] = []
    least: list[Timed] = []
    for number in range(max(pairs or PAIRS, FEWEST_PAIRS)):
        if number % 2:
            least.append(timed(floor))
            own.append(timed(ours))
        else:
            own.append(timed(ours))
            least.append(timed(floor))
    ratios = {
        kind: [_ratio(getattr(a, kind), getattr(b, kind)) for a, b in zip(own, least, strict=True)]
        for kind in ("wall", "cpu")
    }
    ratio, spread = statistics.median(ratios[by]), spread_of(ratios[by])
    return Figure(
        name=name,
        value=statistics.median(getattr(one, by) for one in own),
        unit=f"s ({by})",
        floor=statistics.median(getattr(one, by) for one in least),
        ratio=ratio,
        goal=goal,
        met=judged(ratio, goal, spread),
        detail={
            "pairs": len(own),
            "ratios": [round(one, 3) for one in ratios[by]],
            "spread of the ratio": spread,
            **{f"{kind} s": statistics.median(getattr(one, kind) for one in own) for kind in ("wall", "cpu")},
            **{f"floor {kind} s": statistics.median(getattr(one, kind) for one in least) for kind in ("wall", "cpu")},
            **{f"{kind} ratio": statistics.median(ratios[kind]) for kind in ("wall", "cpu")},
            **(detail or {}),
        },
    )


def _ratio(one: float, other: float) -> float:
    return one / other if other else float("inf")
