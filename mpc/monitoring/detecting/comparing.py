"""The verdicts of a detector live and in shadow on the same series: what both found, what only one of them did."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mpc.monitoring.models import ChangePoint, DetectorMode, Series

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
    """Compare what stands of one detector; one query. Changes are the same when kind and interval agree."""
    rows = ChangePoint.objects.filter(detector=detector, gone_at=None).select_related("series__metric")
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
