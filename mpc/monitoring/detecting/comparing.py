"""The verdicts of a detector live and in shadow on the same series: what both found, what only one of them did."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from mpc.monitoring.detectors.registry import get_detector
from mpc.monitoring.models import ChangePoint, DetectorMode, DetectorSetting, Series

LIMIT = 2000
"""Changes that are compared at once, the newest ones."""


@dataclass(frozen=True)
class Pair:
    """A change as it is seen live and in shadow; None where one of them does not see it."""

    series: Series
    live: ChangePoint | None
    shadow: ChangePoint | None

    @property
    def time(self) -> datetime:
        return (self.live or self.shadow).time  # type: ignore[union-attr]

    @property
    def who(self) -> str:
        if self.live is not None and self.shadow is not None:
            return "both"
        return "live" if self.live is not None else "shadow"

    @property
    def kind(self) -> str:
        return (self.live or self.shadow).kind  # type: ignore[union-attr]

    @property
    def explained(self) -> str:
        return (self.live or self.shadow).explained  # type: ignore[union-attr]


@dataclass(frozen=True)
class Comparison:
    """``cut``: there are more changes than were compared. ``series`` counts those that the shadow looks at."""

    pairs: tuple[Pair, ...]
    both: int
    only_live: int
    only_shadow: int
    cut: bool


def compare(detector: str, metric: str = "", unit: str = "", since: datetime | None = None) -> Comparison:
    """Compare what stands of one detector in the series at which its shadow looks; two queries. Changes are the same
    when kind and interval agree."""
    rows = ChangePoint.objects.filter(_in_shadow(detector), detector=detector, gone_at=None)
    rows = rows.select_related("series__metric")
    if metric:
        rows = rows.filter(series__metric=metric)
    if unit:
        rows = rows.filter(series__unit=unit)
    if since is not None:
        rows = rows.filter(time__gte=since)
    found = list(rows.order_by("-time", "-pk")[: LIMIT + 1])
    cut = len(found) > LIMIT
    by_series: dict[int, list[ChangePoint]] = defaultdict(list)
    for row in found[:LIMIT]:
        by_series[row.series_id].append(row)
    pairs = sorted((p for own in by_series.values() for p in pair(own)), key=lambda p: p.time, reverse=True)
    counts = {who: sum(p.who == who for p in pairs) for who in ("both", "live", "shadow")}
    return Comparison(tuple(pairs), counts["both"], counts["live"], counts["shadow"], cut)


def _in_shadow(detector: str) -> Q:
    """The series at which the detector looks in shadow."""
    settings = list(DetectorSetting.objects.filter(detector=detector))
    shadows = [s for s in settings if s.mode == DetectorMode.SHADOW]
    if any(s.metric_id is None and s.series_id is None for s in shadows) or not settings or _rests(detector, settings):
        return Q()
    metrics = [s.metric_id for s in shadows if s.metric_id is not None and s.series_id is None]
    return Q(series__metric__in=metrics) | Q(series__in=[s.series_id for s in shadows if s.series_id is not None])


def _rests(detector: str, settings: Sequence[DetectorSetting]) -> bool:
    """Whether a live setting waits for the version of the software, which runs in shadow meanwhile."""
    version = get_detector(detector).version
    return any(s.mode == DetectorMode.LIVE and s.version not in ("", version) for s in settings)


def pair(changes: Sequence[ChangePoint]) -> list[Pair]:
    """Pair the changes of one series."""
    live = [c for c in changes if c.mode == DetectorMode.LIVE]
    shadow = [c for c in changes if c.mode == DetectorMode.SHADOW]
    pairs = []
    for one in sorted(live, key=lambda c: c.time):
        same = [
            other
            for other in shadow
            if other.kind == one.kind
            and other.interval_start <= one.interval_end
            and one.interval_start <= other.interval_end
        ]
        other = min(same, key=lambda c: abs(c.time - one.time), default=None)
        if other is not None:
            shadow.remove(other)
        pairs.append(Pair(one.series, one, other))
    return pairs + [Pair(other.series, None, other) for other in shadow]
