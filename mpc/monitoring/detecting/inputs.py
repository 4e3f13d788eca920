"""What a run of ``monitoring.detect`` is given: a bounded batch of series with their values, settings and limits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np
from django.conf import settings
from django.db.models import F, Min
from django.utils import timezone

from mpc.jobs import HopelessError
from mpc.monitoring.detecting import marking
from mpc.monitoring.detecting.plain import EachLimit, Looked, OpenPart
from mpc.monitoring.detecting.settings import Settings
from mpc.monitoring.detecting.work import DetectParams
from mpc.monitoring.detectors.series import days_of
from mpc.monitoring.limits import Limits
from mpc.monitoring.models import Alert, AlertPart, Series, Statistic, WatchMark
from mpc.monitoring.rollups.reading import VALUE, read_series

SERIES_MAX = 300
VALUES_MAX = 400_000
BY_DAY_FROM = 4_000
"""Series with more values in the time that is looked at are seen by medians of days."""

OF_LEVELS = ("step", "drift", "outlier")
"""Kinds of change whose before and after are levels of the series, so that values can come back to the first."""

_DAY = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def inputs_for(params: DetectParams) -> dict[str, Any]:
    """The next batch: marked series first come first, at most ``SERIES_MAX`` and some ``VALUES_MAX`` values.

    ``marks`` is the newest mark that was there before the values were read; a later one stays for the next batch.
    """
    now = timezone.now()
    start = _start(params, now)
    newest_mark = WatchMark.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    series = batch(params)
    chosen = Settings.load()
    limits = Limits.load(sorted({s.metric_id for s in series}))
    followed = _open_parts(series)
    looked: list[Looked] = []
    resting: dict[int, list[str]] = {}
    total = 0
    for part in _portions(series, 50):
        values = _values(part, start, now)
        for one in part:
            if one.pk not in values:
                continue
            own = chosen.of(one)
            resting[one.pk] = sorted(own.resting)
            times, numbers, spreads, by_day = values[one.pk]
            total += len(times)
            looked.append(
                Looked(
                    series=one.pk,
                    times=times,
                    values=numbers,
                    uncertainties=spreads,
                    by_day=by_day,
                    trials=own.trials,
                    rule=own.rule,
                    limits=_limits(limits, one),
                    parts=tuple(followed[one.pk]),
                )
            )
        if total > VALUES_MAX:
            break
    return {
        "series": looked,
        "now": days(now),
        "start": days(start),
        "marks": newest_mark,
        "resting": resting,
    }


def batch(params: DetectParams) -> list[Series]:
    """The series of the next batch. With ``everything`` they are those that were not looked at for the longest."""
    rows = marking.narrowed(marking.watched(), params.unit, params.group, params.metric).select_related("metric")
    if params.everything:
        return list(rows.filter(count__gt=0).order_by(F("watch__looked_at").asc(nulls_first=True), "pk")[:SERIES_MAX])
    marked = WatchMark.objects.filter(series__in=rows.values("pk")).order_by().values("series")
    oldest = list(marked.annotate(first=Min("pk")).order_by("first").values_list("series", flat=True)[:SERIES_MAX])
    found = {s.pk: s for s in rows.filter(pk__in=oldest)}
    return [found[pk] for pk in oldest if pk in found]


def days(moment: datetime) -> float:
    """Days since 1970-01-01 UTC."""
    return (moment - _EPOCH) / _DAY


def moment(of_days: float) -> datetime:
    return _EPOCH + timedelta(days=of_days)


def _start(params: DetectParams, now: datetime) -> datetime:
    if not params.since:
        return now - timedelta(days=round(365.25 * settings.MPC_DETECT_YEARS))
    try:
        return datetime.combine(date.fromisoformat(params.since), time.min, tzinfo=UTC)
    except ValueError:
        raise HopelessError(f"since: “{params.since}” is no day; write YYYY-MM-DD") from None


def _portions(series: Sequence[Series], size: int) -> Iterable[Sequence[Series]]:
    return (series[i : i + size] for i in range(0, len(series), size))


Values = tuple[np.ndarray, np.ndarray, np.ndarray, bool]


def _values(series: Sequence[Series], start: datetime, now: datetime) -> dict[int, Values]:
    """Values (or medians of days) of some series from ``start`` on, oldest first; current, marked days included."""
    many = [s for s in series if _expected(s, start) > BY_DAY_FROM]
    single = [s for s in series if s not in many]
    found: dict[int, Values] = {}
    for part, resolution, per_series in ((single, VALUE, 2 * BY_DAY_FROM), (many, "day", BY_DAY_FROM)):
        if not part:
            continue
        read = read_series(part, start, now, max_points=per_series * len(part), resolution=resolution)
        if read.resolution == "month":
            continue  # the roll-ups are behind: these series keep their marks and are looked at when they are not
        for pk, arrays in read.by_series.items():
            found[pk] = (days_of(arrays.times), arrays.value, arrays.uncertainty, read.resolution != VALUE)
    return found


def _expected(series: Series, start: datetime) -> float:
    """How many values a series has from ``start`` on, if they come evenly."""
    if not series.count or series.first_time is None or series.last_time is None:
        return 0.0
    whole = max((series.last_time - series.first_time) / _DAY, 1.0)
    return series.count * min(1.0, max((series.last_time - start) / _DAY, 0.0) / whole)


def _limits(limits: Limits, series: Series) -> tuple[EachLimit, ...]:
    return tuple(
        EachLimit(
            requirement=limit.requirement,
            low=limit.low,
            high=limit.high,
            absolute=limit.absolute,
            first=_day(limit.valid_from),
            last=_day(limit.valid_to),
        )
        for limit in limits.of(series)
        if limit.statistic == Statistic.EACH and (limit.low is not None or limit.high is not None)
    )


def _day(day: date | None) -> float | None:
    return None if day is None else float((day - date(1970, 1, 1)).days)


def _open_parts(series: Sequence[Series]) -> dict[int, list[OpenPart]]:
    """Changes that open alerts speak of: whether the series goes back is seen while it is looked at."""
    rows = AlertPart.objects.filter(
        series__in=[s.pk for s in series], state=AlertPart.State.HOLDS, change__isnull=False, kind__in=OF_LEVELS
    ).exclude(alert__state=Alert.State.CLOSED)
    found: dict[int, list[OpenPart]] = defaultdict(list)
    for pk, part, when, before, after in rows.values_list(
        "series", "pk", "change__time", "change__before", "change__after"
    ):
        found[pk].append(OpenPart(part, days(when), before, after))
    return found
