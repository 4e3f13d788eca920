"""Which cells the matrix has: every requirement that holds today, by unit and band."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from django.conf import settings

from mpc.monitoring.compliance.evaluator import Bounds
from mpc.monitoring.limits import Limits
from mpc.monitoring.models import Requirement, Series
from mpc.msi.bands import BANDS

# The cirrus band is no part of surface products.
NOT_IN_L2A = frozenset({"B10"})


@dataclass(frozen=True)
class Cell:
    """One cell: what is asked of which part of the mission, and the series that measure it."""

    requirement: Requirement
    unit: str
    band: str
    bounds: Bounds
    series: tuple[Series, ...] = field(default=(), compare=False)

    @property
    def key(self) -> tuple[int, str, str]:
        return (self.requirement.pk, self.unit, self.band)


def cells_of(requirements: Iterable[Requirement], day: date, limits: Limits | None = None) -> list[Cell]:
    """The cells of these requirements (with their ``metric``) that hold on ``day``; two queries.

    A metric that is measured by band has a cell for each band of which a limit speaks: what is not measured yet is seen
    to be missing. Units are those of ``MPC_UNITS`` and all that measure the metric.
    """
    holding = [r for r in requirements if _holds(r, day)]
    codes = sorted({r.metric_id for r in holding})
    limits = limits or Limits.load(codes)
    measured: dict[str, list[Series]] = defaultdict(list)
    for one in Series.objects.filter(metric__in=codes).exclude(unit=""):
        measured[one.metric_id].append(one)
    return [cell for r in holding for cell in _cells(r, measured[r.metric_id], limits)]


def _holds(requirement: Requirement, day: date) -> bool:
    start, stop = requirement.valid_from, requirement.valid_to
    return (start is None or start <= day) and (stop is None or day <= stop)


def _cells(requirement: Requirement, measured: Sequence[Series], limits: Limits) -> Iterable[Cell]:
    of_level = [s for s in measured if requirement.level in ("", s.level)]
    units = sorted({*settings.MPC_UNITS, *(s.unit for s in of_level if s.count)})
    for unit in units:
        for band in _bands(requirement, of_level):
            asked = Series(metric_id=requirement.metric_id, unit=unit, band=band, level=requirement.level)
            limit = next((one for one in limits.of(asked) if one.requirement == requirement.pk), None)
            if limit is None:
                continue
            own = tuple(s for s in of_level if s.unit == unit and s.band == band)
            bounds = Bounds(limit.low, limit.high, limit.goal_low, limit.goal_high, limit.absolute)
            yield Cell(requirement, unit, band, bounds, own)


def _bands(requirement: Requirement, measured: Sequence[Series]) -> list[str]:
    if not requirement.metric.per_band:
        return sorted({"", *(s.band for s in measured if s.count)}) if any(s.band for s in measured) else [""]
    known = [band.name for band in BANDS if not (requirement.level == "L2A" and band.name in NOT_IN_L2A)]
    return [*known, *sorted({s.band for s in measured if s.count} - {*known, ""})]
