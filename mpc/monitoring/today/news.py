"""What changed since yesterday: changes of series, alerts, requirements that stand otherwise, events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import CharField, F, IntegerField, Q, QuerySet, Value
from django.db.models.functions import Cast
from django.http import HttpRequest
from django.utils import timezone

from mpc.monitoring.digests.content import Link
from mpc.monitoring.digests.sections.found import SIGN_OF_STATE
from mpc.monitoring.models import (
    Alert,
    ChangePoint,
    Compliance,
    ComplianceChange,
    DetectorMode,
    EventKind,
    MissionEvent,
    Severity,
)

SINCE = timedelta(hours=24)
CHANGES = 6
NEWS = 8

_RANK = {"opened": 0, "cell": 1, "closed": 2, "event": 3}
"""What asks for somebody comes before what is only to be known."""

_COLUMNS = ("news_rank", "news_what", "news_at", "news_key", "news_unit", "news_title", "news_detail")


@dataclass(frozen=True)
class News:
    """One line: a sign with its word, when, of which unit, and where to read on."""

    sign: str
    word: str
    at: datetime
    unit: str
    title: str
    url: str


@dataclass(frozen=True)
class Change:
    """A change that a live detector found, as a row of the card."""

    point: ChangePoint
    sign: str
    url: str
    event_url: str = ""


_SIGN_OF_CHANGE = {
    ChangePoint.Explained.YES: "explained",
    ChangePoint.Explained.PARTLY: "warning",
    ChangePoint.Explained.NO: "failed",
}


def changed_card(request: HttpRequest) -> dict[str, Any]:
    """Two queries. A list that is longer than the card says so and leads to the whole."""
    since = timezone.now() - SINCE
    changes = newest_changes(since, CHANGES + 1)
    news = newest_news(since, NEWS + 1)
    return {
        "changes": changes[:CHANGES],
        "more_changes": len(changes) > CHANGES,
        "changes_url": Link("monitoring:changes", {}, {"mode": "live", "found_since": f"{since:%Y-%m-%d}"}).url(),
        "news": news[:NEWS],
        "more_news": len(news) > NEWS,
        "digest_url": Link("monitoring:digest-today").url(),
        "since": since,
    }


def newest_changes(since: datetime, limit: int) -> list[Change]:
    """What live detectors found since then and still find, the unexplained first, then the newest. One query."""
    found = ChangePoint.objects.filter(mode=DetectorMode.LIVE, found_at__gte=since, gone_at__isnull=True)
    rows = found.select_related("series__metric", "event").order_by("-explained", "-time", "-pk")[:limit]
    return [
        Change(point, _SIGN_OF_CHANGE[ChangePoint.Explained(point.explained)], trend_of(point), _event_of(point))
        for point in rows
    ]


def _event_of(point: ChangePoint) -> str:
    return Link("monitoring:event", {"pk": point.event_id}).url() if point.event_id else ""


def trend_of(point: ChangePoint) -> str:
    """The trend of the series around the change."""
    series = point.series
    parts = {name: getattr(series, name) for name in ("unit", "level", "band", "detector", "site")}
    days = {"since": point.time - timedelta(days=90), "until": point.time + timedelta(days=30)}
    query = {name: value for name, value in parts.items() if value}
    return Link(
        "monitoring:trend", {"code": series.metric_id}, {**query, **{k: f"{v:%Y-%m-%d}" for k, v in days.items()}}
    ).url()


# --- News: four kinds of rows in one query ---------------------------------------------------------------------------
def newest_news(since: datetime, limit: int) -> list[News]:
    """Alerts opened, cells that stand otherwise, alerts closed, events that began or became known."""
    alerts = Alert.objects.order_by()
    cells = ComplianceChange.objects.filter(at__gte=since).order_by()
    events = MissionEvent.objects.filter(withdrawn_at__isnull=True).order_by()
    now = timezone.now()
    # What comes with the centre's own table is old when it is loaded.
    known = Q(created_at__gte=since) & ~Q(origin=MissionEvent.Origin.TABLE)
    fresh = events.filter(known | Q(start__gte=since, start__lte=now))
    rows = _rows(alerts.filter(opened_at__gte=since), "opened", "opened_at", "pk", "title", "severity").union(
        _rows(alerts.filter(closed_at__gte=since), "closed", "closed_at", "pk", "title", "severity"),
        _rows(cells, "cell", "at", "requirement__code", "requirement__title", "after"),
        _rows(fresh, "event", "created_at", "pk", "title", "kind"),
        all=True,
    )
    return [_news(row) for row in rows.order_by("news_rank", "-news_at", "news_key")[:limit]]


def _rows(found: QuerySet, what: str, at: str, key: str, title: str, detail: str) -> QuerySet:
    """Rows of one kind with the columns that all kinds have; of one type each, as a union wants them."""
    text = CharField()
    rank = Value(_RANK[what], output_field=IntegerField())
    columns = (
        rank,
        Value(what, output_field=text),
        F(at),
        *(Cast(name, text) for name in (key, "unit", title, detail)),
    )
    return found.annotate(**dict(zip(_COLUMNS, columns, strict=True))).values(*_COLUMNS)


def _news(row: dict[str, Any]) -> News:
    sign, word, link = _SAY[row["news_what"]](row)
    title = row["news_title"].removeprefix(f"{row['news_unit']}: ")
    return News(sign, word, row["news_at"], row["news_unit"], title, link.url())


def _opened(row: dict[str, Any]) -> tuple[str, str, Link]:
    severity = Severity(int(row["news_detail"]))
    sign = "failed" if severity >= Severity.MAJOR else "warning"
    return sign, f"{severity.label} alert", Link("monitoring:alert", {"pk": row["news_key"]})


def _closed(row: dict[str, Any]) -> tuple[str, str, Link]:
    return "closed", "alert closed", Link("monitoring:alert", {"pk": row["news_key"]})


def _cell(row: dict[str, Any]) -> tuple[str, str, Link]:
    state = Compliance.State(row["news_detail"])
    return SIGN_OF_STATE.get(state, "idle"), str(state.label), Link("monitoring:requirement", {"code": row["news_key"]})


def _event(row: dict[str, Any]) -> tuple[str, str, Link]:
    labels = dict(EventKind.choices)
    word = labels.get(row["news_detail"], row["news_detail"])
    return "new", str(word), Link("monitoring:event", {"pk": row["news_key"]})


_SAY = {"opened": _opened, "closed": _closed, "cell": _cell, "event": _event}
