"""The morning page: how the units stand, what changed, what waits for whom, what did not come."""

from __future__ import annotations

import json
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from mpc.accounts.roles import Role
from mpc.monitoring.models import (
    Alert,
    ChangePoint,
    Compliance,
    ComplianceChange,
    Metric,
    MissionEvent,
    Requirement,
    Series,
)
from mpc.monitoring.today import missing, news, waiting
from mpc.monitoring.today.units import state_of_units
from mpc.products.models import Product
from mpc.runs.models import State
from tests import factories
from tests.generic.counts import statements

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def series(**values: Any) -> Series:
    metric, _ = Metric.objects.get_or_create(code="image.mean_reflectance", defaults={"name": "Mean reflectance"})
    return Series.objects.get_or_create(metric=metric, **{"unit": "S2B", "band": "B02", **values})[0]


def change(kind: str = "step", **values: Any) -> ChangePoint:
    now = timezone.now()
    own = {"detector": kind, "version": "1", "mode": "live", "time": now - 2 * DAY, "found_at": now - HOUR}
    span = {"interval_start": now - 3 * DAY, "interval_end": now - DAY}
    of = values.pop("series", None) or series()
    return ChangePoint.objects.create(series=of, kind=kind, **{**own, **span, **values})


def alert(title: str = "S2B: step", **values: Any) -> Alert:
    now = timezone.now()
    own = {"unit": "S2B", "severity": 20, "time": now - DAY, "opened_at": now - 3 * DAY, "last_seen_at": now}
    return Alert.objects.create(title=title, **{**own, **values})


def cell(state: str, unit: str = "S2B", band: str = "", **values: Any) -> Compliance:
    of, _ = Requirement.objects.get_or_create(
        code="R-1", defaults={"title": "Stripes", "metric": series().metric, "document": "a document"}
    )
    own = {"computed_at": timezone.now() - 3 * DAY}
    return Compliance.objects.create(requirement=of, unit=unit, band=band, state=state, **{**own, **values})


def request_of(*roles: Role) -> Any:
    request = RequestFactory().get("/")
    request.user = factories.person(*roles)
    return request


def page(browser: Client | None = None) -> str:
    return unescape((browser or factories.client(Role.OPERATOR)).get(reverse("home")).content.decode())


# --- Units -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("alerts", "cells", "sign"),
    [
        ([], ["met", "too_few"], ("passed", "within requirements")),
        ([], ["not_measured"], ("not_checked", "no requirement judged")),
        ([], ["met", "at_risk"], ("warning", "1 at risk")),
        ([20], ["at_risk"], ("warning", "1 alert")),
        ([20], ["breached", "at_risk"], ("failed", "1 requirement not met")),
        ([20, 30, 30], ["breached"], ("failed", "2 major alerts")),
        ([40, 30], ["met"], ("failed", "1 critical alert")),
        ([10], [], ("warning", "1 alert")),
    ],
)
def test_the_gravest_stands_in_the_head_of_a_unit(alerts: list[int], cells: list[str], sign: tuple[str, str]) -> None:
    for severity in alerts:
        alert(severity=severity)
    for n, state in enumerate(cells):
        cell(state, band=f"B{n:02d}")
    (part,) = state_of_units(request_of(Role.VIEWER)).values()
    assert (part.sign.word, part.sign.label) == sign


def test_what_is_snoozed_or_closed_waits_for_nobody() -> None:
    for state in ("snoozed", "closed"):
        alert(state=state)
    assert state_of_units(request_of(Role.VIEWER)) == {}


def test_a_unit_tells_its_alerts_and_requirements() -> None:
    alert(severity=30)
    alert(severity=20, state="acknowledged")
    for n, state in enumerate(("met", "met", "breached", "too_few", "not_measured", "waived")):
        cell(state, band=f"B{n:02d}")
    lines = {line.title: [t.text for t in line.parts] for line in state_of_units(request_of())["S2B"].lines}
    assert lines == {
        "Alerts": ["1 major", "1 minor"],
        "Requirements": ["1 not met", "1 waived", "2 met", "2 not judged"],
    }


def test_units_stand_side_by_side_with_arrivals_and_state() -> None:
    factories.product(0, unit="S2A")
    cell("breached", unit="S2B")
    alert("Several units: drift", unit="")
    html = page()
    assert html.index(">S2A<") < html.index(">S2B<") < html.index("All units")
    assert "1 requirement not met" in html


# --- What changed ----------------------------------------------------------------------------------------------------
def test_changes_of_the_last_day_the_unexplained_first() -> None:
    event = MissionEvent.objects.create(kind="gipp", title="R2EQOG 0171", start=timezone.now() - 9 * DAY)
    change(explained="explained", event=event, time=timezone.now() - HOUR)
    change("drift", explained="partly")
    change("noise")
    change("step", found_at=timezone.now() - 2 * DAY)
    change("step", mode="shadow")
    change("step", gone_at=timezone.now())
    found = news.newest_changes(timezone.now() - DAY, 9)
    assert [(c.point.kind, c.sign) for c in found] == [("noise", "failed"), ("drift", "warning"), ("step", "explained")]
    assert "unit=S2B" in found[0].url
    assert "R2EQOG 0171" in page()


def test_news_of_all_kinds_in_one_query_what_asks_for_somebody_first() -> None:
    now = timezone.now()
    alert("S2B: step in B02", severity=40, opened_at=now - HOUR)
    alert("old", state="closed", closed_at=now - 2 * HOUR)
    stood = cell("met")
    stood.state, stood.computed_at = "breached", now - 3 * HOUR
    stood.save()
    event = MissionEvent.objects.create(kind="manoeuvre", title="Orbit correction", unit="S2A", start=now - 9 * DAY)
    MissionEvent.objects.filter(pk=event.pk).update(created_at=now - 4 * HOUR)
    MissionEvent.objects.create(kind="milestone", title="Launch", start=now - 900 * DAY, origin="table")
    found: list[news.News] = []
    asked = statements(lambda: found.__setitem__(slice(None), news.newest_news(now - DAY, 9)))
    assert [(n.sign, n.word, n.unit, n.title) for n in found] == [
        ("failed", "critical alert", "S2B", "step in B02"),
        ("failed", "not met", "S2B", "Stripes"),
        ("closed", "alert closed", "S2B", "old"),
        ("new", "orbit manoeuvre", "S2A", "Orbit correction"),
    ]
    assert len(asked) == 1
    assert ComplianceChange.objects.count() == 1


# --- What waits ------------------------------------------------------------------------------------------------------
def test_my_alerts_come_first_then_nobodys_that_my_role_may_take() -> None:
    request = request_of(Role.QC_ENGINEER)
    alert("taken", assigned_to=factories.person(Role.QC_ENGINEER))
    alert("nobody's", severity=40)
    alert("acknowledged", state="acknowledged")
    alert("mine", assigned_to=request.user, state="acknowledged")
    assert [t.title for t in waiting.waiting_card(request)["tasks"]] == ["mine", "nobody's"]


def test_who_may_not_triage_is_shown_only_what_is_theirs() -> None:
    request = request_of(Role.VIEWER)
    alert("nobody's")
    factories.run(0, state=State.FAILED, requested_by=request.user)
    factories.run(1, state=State.FAILED, requested_by=None)
    factories.run(2, state=State.SUCCEEDED, requested_by=request.user)
    tasks = waiting.waiting_card(request)["tasks"]
    assert [(t.title, t.why) for t in tasks] == [("Quality control number 000", "band B00 cannot be read")]


# --- What did not come -----------------------------------------------------------------------------------------------
def test_what_is_missing_is_named() -> None:
    product = factories.product(0, unit="S2A")
    Product.objects.filter(pk=product.pk).update(taken_in=timezone.now() - 2 * DAY)
    factories.product(1, unit="S2B")
    change("silence", text="no value for 3 days", found_at=timezone.now() - 5 * DAY)
    three = CrontabSchedule.objects.create(minute="0", hour="3")
    PeriodicTask.objects.create(name="Drill", task="runs.request", crontab=three, kwargs=json.dumps({"kind": "x.y"}))
    said = missing.missing_card(request_of(Role.VIEWER))
    assert [turn.entry for turn in said["late"]] == ["Drill"]
    assert [wait.unit for wait in said["quiet"]] == ["S2A"]
    assert [c.text for c, _ in said["silent"]] == ["no value for 3 days"]
    html = page()
    assert "Drill" in html
    assert "no value for 3 days" in html


# --- The whole page --------------------------------------------------------------------------------------------------
def test_a_new_centre_says_what_would_be_here() -> None:
    html = page()
    for words in (
        "No product arrived within the last seven days.",
        "Nothing changed since yesterday.",
        "Nothing waits for you.",
        "nothing says which unit should have sent one",
        "No product was checked within the last seven days.",
    ):
        assert words in html
    assert "could not be shown" not in html


def fill(first: int, last: int, person: Any) -> None:
    now = timezone.now()
    for n in range(first, last):
        factories.report(factories.product(n), "FAILED", n)
        factories.run(100 + n, state=State.FAILED, requested_by=person)
        of = series(band=f"B{n:02d}")
        change(series=of)
        change("silence", series=of)
        alert(f"alert {n}", opened_at=now - HOUR, assigned_to=person)
        cell("breached", band=f"B{n:02d}", computed_at=now - HOUR)
        MissionEvent.objects.create(kind="gipp", title=f"event {n}", start=now - HOUR)


def test_it_asks_the_database_at_most_twenty_times_however_much_there_is() -> None:
    browser = factories.client(Role.OPERATOR)
    three = CrontabSchedule.objects.create(minute="0", hour="3")
    PeriodicTask.objects.create(name="Drill", task="runs.request", crontab=three, kwargs=json.dumps({"kind": "x.y"}))

    def cost() -> int:
        return len(statements(lambda: page(browser)))

    fill(0, 2, browser.user)
    few = cost()
    fill(2, 14, browser.user)
    assert cost() == few <= 20
    html = page(browser)
    assert "could not be shown" not in html
    assert "Triage 14 alerts" in html


def test_the_page_leads_to_the_newest_digest() -> None:
    browser = factories.client(Role.VIEWER)
    latest = reverse("monitoring:digest-latest")
    assert f'href="{latest}"' in page(browser)
    assert browser.get(latest)["Location"] == reverse("monitoring:digest-today")
    factories.digest(3)
    factories.digest(1)
    assert browser.get(latest)["Location"].endswith("/2026-09-04/")
