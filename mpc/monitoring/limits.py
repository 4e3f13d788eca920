"""Which requirement limits hold for a series, and which values lie outside of them.

Read once for many series (one query)::

    limits = Limits.load()
    for line in limits.of(series): ...
    outside = limits.outside(series, times, values)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from mpc.monitoring.models import RequirementLimit, Series, Statistic

OF_VALUES = frozenset(
    {
        Statistic.EACH,
        Statistic.P90,
        Statistic.P95,
        Statistic.P9545,
        Statistic.P9973,
        Statistic.CE90,
        Statistic.CE95,
        Statistic.MAXIMUM,
    }
)
"""Statistics that speak of single values, so that a value outside is worth counting."""


@dataclass(frozen=True)
class Limit:
    """One requirement as it holds for one series. ``low`` and ``high`` must be kept, the goals are aimed at; both are
    in the metric's unit and None where there is none on that side. The days are UTC, both included."""

    requirement: int
    code: str
    title: str
    statistic: str
    absolute: bool
    low: float | None
    high: float | None
    goal_low: float | None
    goal_high: float | None
    valid_from: date | None
    valid_to: date | None
    verified: bool
    document: str

    @property
    def of_values(self) -> bool:
        return self.statistic in OF_VALUES

    def holds_on(self, day: date) -> bool:
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day <= self.valid_to)


class Limits:
    """The limits of all requirements, ready to be asked for series after series."""

    def __init__(self, rows: Iterable[RequirementLimit]) -> None:
        self._by_metric: dict[str, list[RequirementLimit]] = defaultdict(list)
        for row in rows:
            self._by_metric[row.requirement.metric_id].append(row)

    @classmethod
    def load(cls, metrics: Sequence[str] | None = None) -> Limits:
        """One query; ``metrics`` narrows it to these codes."""
        rows = RequirementLimit.objects.select_related("requirement").order_by("requirement__code", "id")
        return cls(rows if metrics is None else rows.filter(requirement__metric__in=metrics))

    def of(self, series: Series) -> tuple[Limit, ...]:
        """One limit a requirement: the row that names the most of this series (its unit above its band)."""
        best: dict[int, RequirementLimit] = {}
        for row in self._by_metric.get(series.metric_id, ()):
            if not _concerns(row, series):
                continue
            other = best.get(row.requirement_id)
            if other is None or _closeness(row) > _closeness(other):
                best[row.requirement_id] = row
        return tuple(_limit(row) for row in best.values())

    def outside(self, series: Series, times: NDArray[np.datetime64], values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """For each value (UTC times, same length): whether it lies outside the limits of its time of any requirement
        that speaks of single values. Goals are not limits; NaN is not outside."""
        found = np.zeros(len(values), dtype=bool)
        days = times.astype("datetime64[D]")
        for limit in self.of(series):
            if not limit.of_values:
                continue
            judged = np.abs(values) if limit.absolute else values
            now = np.ones(len(values), dtype=bool)
            if limit.valid_from is not None:
                now &= days >= np.datetime64(limit.valid_from)
            if limit.valid_to is not None:
                now &= days <= np.datetime64(limit.valid_to)
            if limit.low is not None:
                found |= now & (judged < limit.low)
            if limit.high is not None:
                found |= now & (judged > limit.high)
        return found


def _concerns(row: RequirementLimit, series: Series) -> bool:
    return (
        row.unit in ("", series.unit) and row.band in ("", series.band) and row.requirement.level in ("", series.level)
    )


def _closeness(row: RequirementLimit) -> tuple[bool, bool]:
    return (bool(row.unit), bool(row.band))


def _limit(row: RequirementLimit) -> Limit:
    requirement = row.requirement
    return Limit(
        requirement=requirement.pk,
        code=requirement.code,
        title=requirement.title,
        statistic=requirement.statistic,
        absolute=requirement.absolute,
        low=row.low,
        high=row.high,
        goal_low=row.goal_low,
        goal_high=row.goal_high,
        valid_from=requirement.valid_from,
        valid_to=requirement.valid_to,
        verified=requirement.verified,
        document=requirement.document,
    )
