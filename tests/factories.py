"""Rows for tests: plain functions, one a kind. ``n`` tells one row from the next; any field may be given.

client(Role.OPERATOR)                 a browser of somebody with that role
product(3, cloud_cover=99.0)          the third product, cloudy
report(product(3), "FAILED")          its quality report, stored as a finished run stores it
"""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.test import Client

from mpc.accounts import audit, services
from mpc.accounts.models import ApiToken, AuditEntry, Organisation, RoleGrant, User
from mpc.accounts.roles import Role
from mpc.jobs import MeasuredValue, Outcome
from mpc.monitoring.digests import making as making_digests
from mpc.monitoring.models import (
    Alert,
    AlertNote,
    AlertPart,
    ChangePoint,
    Compliance,
    ComplianceChange,
    DetectorSetting,
    Digest,
    DrillRecord,
    EventKind,
    Measurement,
    Metric,
    MissionEvent,
    Requirement,
    RequirementLimit,
    Series,
    Subscription,
    Waiver,
    Watch,
)
from mpc.monitoring.services import store_measurements
from mpc.msi.bands import BANDS
from mpc.products.models import Intake, Product
from mpc.runs.models import Run, RunArtifact, RunAttempt, RunLogLine, State, Worker
from mpc.ui.models import BulkRequest, SavedFilter
from qc.models import QualityReport
from tests.qc import making

START = datetime(2026, 9, 1, 10, 10, 11, tzinfo=UTC)
PASSWORD = "a long enough pass phrase"
UNITS = ("S2A", "S2B", "S2C")
STATES = (State.SUCCEEDED, State.FAILED, State.RUNNING, State.QUEUED, State.CANCELLED)
_names = itertools.count(1)


# --- People ----------------------------------------------------------------------------------------------------------
def person(*roles: Role, name: str = "", **values: Any) -> User:
    """An account with these roles."""
    name = name or f"person{next(_names)}"
    password = values.pop("password", None)
    user = User.objects.create_user(name, values.pop("email", f"{name}@example.org"), password, **values)
    RoleGrant.objects.bulk_create(RoleGrant(user=user, role=role) for role in roles)
    return user


def client(*roles: Role, name: str = "", password: str | None = None, **values: Any) -> Client:
    """The browser of somebody with these roles; ``client.user`` is the account."""
    browser = Client(**values)
    browser.user = person(*roles, name=name, password=password)
    browser.force_login(browser.user)
    return browser


def organisation(n: int = 0, **values: Any) -> Organisation:
    own = {"name": f"Laboratory {n:03d}", "short_name": f"LAB{n:03d}", "kind": "esl", "country": "FR"}
    return Organisation.objects.create(**{**own, **values})


def member(n: int = 0, **values: Any) -> User:
    """The n-th person of the centre: each of an organisation of their own, with a role or two."""
    roles = (list(Role)[n % len(Role)], Role.VIEWER) if n % 3 else (Role.ADMINISTRATOR,)
    own = {"name": f"member{n:03d}", "display_name": f"Member Number {n}", "organisation": organisation(n)}
    return person(*dict.fromkeys(roles), **{**own, **values})


def token(user: User, name: str = "nightly") -> tuple[ApiToken, str]:
    return services.make_token(user, name, 30)


def audit_entry(n: int = 0, **values: Any) -> AuditEntry:
    actor = User.objects.order_by("pk").first()
    changes = {"before": {"roles": [], "note": None}, "after": {"roles": ["viewer"], "note": f"number {n}"}}
    return audit.record(actor, f"test.step{n % 3}", **{"label": f"thing {n:03d}", **changes, **values})


def saved_filter(user: User, n: int = 0, **values: Any) -> SavedFilter:
    own = {"list_name": "mpc.products.ProductList", "name": f"filter {n:03d}", "query": "unit=S2A"}
    return SavedFilter.objects.create(user=user, **{**own, **values})


# --- Products --------------------------------------------------------------------------------------------------------
def product(n: int = 0, **values: Any) -> Product:
    """The n-th product: units take turns, each day another; facts as metadata say them."""
    return making.make_product(day=n, unit=values.pop("unit", UNITS[n % 3]), **values)


def bare_product(n: int = 0, **values: Any) -> Product:
    """A product of which nothing is known but its name."""
    name = f"S2A_OPER_MSI_L1C_DS_NOTHING_{n:05d}"
    own = {"name": name, "kind": "datastrip", "level": "L1C", "unit": "S2A", "observation": name, "size": 0}
    return Product.objects.create(**{**own, "path": name, "container": "folder", "checksum": "", **values})


def intake(n: int = 0, **values: Any) -> Intake:
    result = list(Intake.Result)[n % 3]
    own: dict[str, Any] = {"trigger": "ingest", "source": f"/archive/arrival-{n:03d}.zip", "result": result}
    if result != Intake.Result.REFUSED and "product" not in values:
        own["product"] = product(n)
    if result == Intake.Result.REFUSED:
        own["message"] = f"no product is in it (number {n})"
    return Intake.objects.create(actor=User.objects.order_by("pk").first(), **{**own, **values})


# --- Runs ------------------------------------------------------------------------------------------------------------
def worker(n: int = 0, **values: Any) -> Worker:
    own = {"name": f"host:{n}", "host": "host", "pid": n + 1, "process_started": 0.0, "queues": ["default", "qc"]}
    return Worker.objects.create(last_seen_at=values.pop("last_seen_at", datetime.now(UTC)), **{**own, **values})


def run(n: int = 0, **values: Any) -> Run:
    """The n-th run, of a product of its own; states take turns."""
    own: dict[str, Any] = {
        "kind": "qc.product", "title": f"Quality control number {n:03d}", "state": STATES[n % len(STATES)],
        "trigger": "user", "queue": "qc", "requested_by": User.objects.order_by("pk").first(),
    }  # fmt: skip
    if "product" not in values:
        own["product"] = product(n)
    state = values.get("state", own["state"])
    if state not in (State.QUEUED,):
        own |= {"started_at": START, "attempt": 1}
    if state == State.FAILED:
        own |= {"error": f"band B{n % 13:02d} cannot be read", "error_kind": "hopeless"}
    return Run.objects.create(**{**own, **values})


def attempt(of: Run, number: int = 1, **values: Any) -> RunAttempt:
    own = {"state": State.FAILED, "worker_name": "host:1", "started_at": START, "finished_at": START}
    return RunAttempt.objects.create(run=of, attempt=number, **{**own, **values})


def log_line(of: Run, n: int = 0, **values: Any) -> RunLogLine:
    own = {"attempt": 1, "at": START + timedelta(seconds=n), "level": "info", "text": f"line {n}"}
    return RunLogLine.objects.create(run=of, **{**own, **values})


def artifact(of: Run, name: str = "note", content: bytes = b"hello", **values: Any) -> RunArtifact:
    """A file of a run, in the folder of the settings."""
    folder = Path(settings.MPC_RUNS_DIR) / str(of.pk) / "1"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.txt").write_bytes(content)
    own = {"attempt": 1, "name": name, "path": f"{name}.txt", "media_type": "text/plain", "title": name.title()}
    return RunArtifact.objects.create(run=of, size=len(content), sha256="0" * 64, **{**own, **values})


# --- Results ---------------------------------------------------------------------------------------------------------
def report(of: Product | None = None, verdict: str = "PASSED", n: int = 0, **values: Any) -> QualityReport:
    """The quality report of a product: checks and, unless told otherwise, statistics of two bands."""
    own = {
        "checks": making.SOME_WRONG if verdict == "FAILED" else making.ALL_WELL,
        "statistics": (making.band("B02", 10), making.band("B8A", 20, mean=3000.0)),
    }
    return making.make_report(of or product(n), verdict, **{**own, **values})


def measurement(n: int = 0, metric: str = "image.mean_reflectance", **values: Any) -> Measurement:
    """The n-th value of a metric, of the n-th product; every second one without an uncertainty."""
    of = values.pop("product", None) or product(n)
    Metric.objects.get_or_create(code=metric, defaults={"name": metric})
    uncertain = {"no_uncertainty": "an exact count, no estimate"} if n % 2 else {"uncertainty": 0.002}
    own = {"time": of.sensing_start, "unit": of.unit, "band": "B02", "level": "L1C", "baseline": "05.11"}
    value = MeasuredValue(metric=metric, value=0.1 + 0.001 * n, samples=100, **{**own, **uncertain, **values})
    of_run = run(n, product=of, state=State.SUCCEEDED)
    store_measurements(of_run, Outcome(summary="measured", measurements=(value,)))
    return Measurement.objects.get(run=of_run)


def digest(n: int = 0, **values: Any) -> Digest:
    """The digest of the n-th day, as it is found today."""
    day = START.date() + timedelta(days=n)
    made = making_digests.draft(day, now=START + timedelta(days=n + 1))
    own = {"day": day, "content": made.content, "heads": made.heads, "made_at": made.made_at}
    return Digest.objects.create(**{**own, **values})


def bare_series(n: int = 0) -> Series:
    """The n-th series: without values, of a site of its own."""
    code = "image.mean_reflectance"
    metric, _ = Metric.objects.get_or_create(code=code, defaults={"name": "Mean reflectance"})
    part = {"unit": UNITS[n % 3], "band": "B02", "site": f"site{n:03d}", "level": "L1C"}
    return Series.objects.get_or_create(metric=metric, **part)[0]


# --- Alerts ----------------------------------------------------------------------------------------------------------
def change(n: int = 0, **values: Any) -> ChangePoint:
    """The n-th change: of a series of its own; explained or not take turns, every fourth is gone."""
    series = values.pop("series", None) or bare_series(n)
    when = START + timedelta(days=n)
    words = list(ChangePoint.Explained)
    own: dict[str, Any] = {
        "detector": "step", "version": "1.0", "mode": "live", "kind": ("step", "drift", "noise")[n % 3], "time": when,
        "interval_start": when - timedelta(days=1), "interval_end": when + timedelta(days=1), "magnitude": 0.1 + n,
        "magnitude_uncertainty": 0.01, "score": 6.0 + n, "before": 1.0, "after": 1.1 + n, "text": f"change number {n}",
        "explained": words[n % 3], "found_at": when + timedelta(days=2),
    }  # fmt: skip
    if n % 4 == 3:
        own["gone_at"] = when + timedelta(days=3)
    return ChangePoint.objects.create(series=series, **{**own, **values})


def alert(n: int = 0, **values: Any) -> Alert:
    """The n-th alert, with one part: units, states and severities take turns."""
    unit = UNITS[n % 3]
    states = ["open", "acknowledged", "open", "closed"]
    when = START + timedelta(days=n)
    own: dict[str, Any] = {
        "title": f"{unit}: step number {n:03d}", "unit": unit, "severity": (10, 20, 30, 40)[n % 4], "time": when,
        "opened_at": when + timedelta(hours=1), "last_seen_at": when + timedelta(hours=2), "state": states[n % 4],
        "announced_at": when,
    }  # fmt: skip
    if own["state"] == "closed":
        own |= {"closed_at": when + timedelta(days=1), "closed_why": "a test"}
    found = Alert.objects.create(**{**own, **values})
    alert_part(found, n)
    AlertNote.objects.create(alert=found, at=when, what="opened", text=f"number {n}")
    return found


def alert_part(of: Alert, n: int = 0, **values: Any) -> AlertPart:
    found = values.pop("change", None) or change(n)
    own: dict[str, Any] = {
        "series": found.series, "kind": "step", "change": found, "time": found.time, "value": 0.1, "uncertainty": 0.01,
        "text": f"part number {n}",
    }  # fmt: skip
    return AlertPart.objects.create(alert=of, **{**own, **values})


def detector_setting(n: int = 0, detector: str = "step", **values: Any) -> DetectorSetting:
    """A setting in shadow of a metric of its own."""
    metric, _ = Metric.objects.get_or_create(code=f"test.metric{n:03d}", defaults={"name": f"Metric {n}"})
    own = {"metric": metric, "mode": "shadow", "params": {"threshold": 5.0 + n}, "version": "1.0", "note": f"note {n}"}
    return DetectorSetting.objects.create(detector=detector, **{**own, **values})


def subscription(user: User, n: int = 0, **values: Any) -> Subscription:
    own = {"channel": "mail", "unit": UNITS[n % 3], "severity": 20}
    return Subscription.objects.create(user=user, **{**own, **values})


def bulk_request(user: User, kind: str, action: str, **values: Any) -> BulkRequest:
    return BulkRequest.objects.create(user=user, kind=kind, action=action, **{"query": "state=open", **values})


# --- Compliance and events -------------------------------------------------------------------------------------------
def mission_event(n: int = 0, **values: Any) -> MissionEvent:
    """The n-th mission event: kinds take turns, each day another."""
    kind = EventKind.values[n % len(EventKind.values)]
    own = {"kind": kind, "title": f"Event number {n:03d}", "unit": UNITS[n % 3], "start": START + timedelta(days=n)}
    return MissionEvent.objects.create(**{**own, "source": "a report", "origin": "hand", **values})


def requirement(n: int = 0, **values: Any) -> Requirement:
    """The n-th requirement, on a metric of its own; ``limits`` are dictionaries."""
    limits = values.pop("limits", ({"high": 5.0, "goal_high": 3.0},))
    code = f"test.quantity_{n:03d}"
    own: dict[str, Any] = {"code": f"REQ-{n:03d}", "title": f"Requirement number {n:03d}", "document": "SRD"}
    if "metric" not in values:
        fields = {"name": f"Quantity {n:03d}", "unit": "%", "group": ("radiometry", "geometry")[n % 2]}
        own["metric"], _ = Metric.objects.get_or_create(code=code, defaults=fields)
    made = Requirement.objects.create(**{**own, "verified": n % 2 == 0, **values})
    for limit in limits:
        RequirementLimit.objects.create(requirement=made, **limit)
    return made


def compliance(n: int = 0, **values: Any) -> Compliance:
    """The n-th cell, of a requirement of its own; states take turns; each second one drifts."""
    state = Compliance.State.values[n % len(Compliance.State.values)]
    own: dict[str, Any] = {"unit": UNITS[n % 3], "state": state, "why": f"for the reason {n}", "computed_at": START}
    if "requirement" not in values:
        own["requirement"] = requirement(n)
    if state not in ("not_measured", "too_few"):
        own |= {"value": 2.0 + n, "uncertainty": 0.1, "count": 40, "margin": 3.0 - n, "goal_met": False}
    if n % 2:
        own |= {"slope": 0.5, "slope_low": 0.3, "slope_high": 0.7, "breach_on": date(2027, 1, 1), "days_left": n}
    return Compliance.objects.create(**{**own, **values})


def waiver(n: int = 0, **values: Any) -> Waiver:
    """The n-th waiver: every second is over."""
    first = date(2026, 9, 1) if n % 2 else datetime.now(UTC).date()
    own: dict[str, Any] = {"title": f"Waiver number {n:03d}", "reason": "it is known", "unit": UNITS[n % 3]}
    if "requirement" not in values:
        own["requirement"] = requirement(n)
    days = {"valid_from": first, "valid_to": first + timedelta(days=30)}
    return Waiver.objects.create(**{**own, **days, "author": User.objects.order_by("pk").first(), **values})


def drill_record(n: int = 0, **values: Any) -> DrillRecord:
    """The n-th record of a drill, each of a run of its own, a day after the other."""
    of_run = values.pop("run", None) or run(n, kind="monitoring.drill", state=State.SUCCEEDED, product=None)
    own: dict[str, Any] = {
        "detector": "step", "version": "1.0", "fault": "step", "magnitude": "0.3 % (3 sigma)", "material": "simulated",
        "series_count": 100, "found": 97, "detection_rate": 0.97, "rate_low": 0.92, "rate_high": 0.99,
        "latency_points": 4.0, "latency_days": 11.0, "latency_points_p90": 8.0, "false_alarms": 30,
        "series_years": 300.0, "points_per_year": 120.0, "params": {"mode": "live", "within": 12, "ever": 99},
        "made_at": START + timedelta(days=n),
    }  # fmt: skip
    return DrillRecord.objects.create(run=of_run, **{**own, **values})


def compliance_change(n: int = 0, **values: Any) -> ComplianceChange:
    """The n-th time that a cell stood otherwise, of a requirement of its own."""
    before, after = (("met", "breached"), ("breached", "waived"))[n % 2]
    own: dict[str, Any] = {"unit": UNITS[n % 3], "band": BANDS[n % 13].name, "before": before, "after": after}
    if "requirement" not in values:
        own["requirement"] = requirement(n)
    return ComplianceChange.objects.create(**{**own, "why": f"reason {n}", "at": START + timedelta(days=n), **values})


def watch(n: int = 0, **values: Any) -> Watch:
    """What the detectors saw of the n-th series: every second is short, every third broke one."""
    metric, _ = Metric.objects.get_or_create(code="image.mean_reflectance", defaults={"name": "Mean reflectance"})
    of = Series.objects.create(metric=metric, unit=UNITS[n % 3], band="B02", site=f"site {n:03d}")
    own: dict[str, Any] = {
        "looked_at": START + timedelta(days=n), "count": 10 + n, "newest": START,
        "too_little": "drift" if n % 2 else "", "failed": f"step: failure {n}" if n % 3 == 1 else "",
    }  # fmt: skip
    return Watch.objects.create(series=of, **{**own, **values})
