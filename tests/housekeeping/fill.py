"""Fills a centre with something of everything: ``python -m tests.housekeeping.fill FOLDER`` (for new products)."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path


def main(folder: Path) -> None:
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    people()
    products(folder)
    small_things()
    compliance()
    series(folder)
    watching()
    telling()


def people() -> None:
    from mpc.accounts import services
    from mpc.accounts.actors import local_actor
    from mpc.accounts.models import Organisation
    from mpc.accounts.roles import Role

    organisation = Organisation(name="Expert Support Laboratory", short_name="ESL", kind="esl", country="FR")
    services.save_organisation(organisation, actor=local_actor())
    for name, roles in (("ann", [Role.ADMINISTRATOR]), ("bob", [Role.VIEWER, Role.QC_ENGINEER])):
        person = services.create_person(
            name, actor=local_actor(), roles=roles, email=f"{name}@example.org", organisation=organisation,
            display_name=f"{name.title()} “Ölçü” 卫星", password="correct horse battery",
        )  # fmt: skip
    services.set_roles(person, [Role.OPERATOR], actor=local_actor())
    services.make_token(person, "script", 30)


def products(folder: Path) -> None:
    """Two products, one of them uploaded and checked twice; a run that fails, one that was removed, one that waits."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    from mpc.accounts.actors import local_actor
    from mpc.accounts.models import User
    from mpc.products import resumable, uploads
    from mpc.products import services as inventory
    from mpc.products.models import Product
    from mpc.runs import services
    from mpc.runs.children import Nursery
    from mpc.runs.models import Run, RunLogLine, State
    from processors.simulator.products import ProductSpec, write_product

    here = write_product(ProductSpec(size_10m=120, level="L1C"), folder).path
    sent = write_product(ProductSpec(size_10m=120, unit="S2A", seed=2), folder, zipped=True).path
    inventory.take_in(str(here), actor=local_actor())
    inventory.take_in(str(folder / "nothing.zip"), actor=local_actor())
    uploads.receive(SimpleUploadedFile(sent.name, sent.read_bytes()), actor=User.objects.get(username="ann"))
    resumable.create(actor=User.objects.get(username="ann"), name="half.zip", size=1000, sha256="a" * 64)
    nursery = Nursery(threads=1)
    try:
        while run := Run.objects.filter(state=State.QUEUED).first():
            services.work_in_place(run, nursery=nursery)
        for actor in ("ann", "bob"):
            run, _ = services.request_run(
                "qc.product", actor=User.objects.get(username=actor), product=Product.objects.get(unit="S2A")
            )
            services.work_in_place(run, nursery=nursery)
        run, _ = services.request_run(
            "products.ingest", actor=local_actor(), params={"path": str(folder / "gone.zip")}, trigger="command"
        )
        services.work_in_place(run, nursery=nursery)
    finally:
        nursery.close()
    RunLogLine.objects.create(run=run, attempt=1, at=run.requested_at, text='{"no": "JSON"} "quoted"\n\ttab, ünïcode 🛰')
    services.request_run("qc.product", actor=local_actor(), product=Product.objects.get(unit="S2B"))
    removed, _ = services.request_run("products.ingest", actor=local_actor(), params={"path": "/1"}, trigger="command")
    Run.objects.filter(pk=removed.pk).delete()  # its identifier must never come again


def small_things() -> None:
    from django.contrib.auth.models import Group, Permission
    from django.contrib.sessions.backends.db import SessionStore
    from django.utils import timezone
    from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule

    from mpc.accounts.models import User
    from mpc.housekeeping.models import Heartbeat
    from mpc.ui.models import SavedFilter

    ann = User.objects.get(username="ann")
    group = Group.objects.create(name="readers")
    group.permissions.add(*Permission.objects.all()[:3])
    ann.groups.add(group)
    SavedFilter.objects.create(user=ann, list_name="products", name="mine", query="unit=S2A&page=2", shared=True)
    session = SessionStore()
    session["who"] = "ann"
    session.save()
    PeriodicTask.objects.create(
        name="nightly", task="runs.request", crontab=CrontabSchedule.objects.create(hour="3", minute="0"),
        kwargs='{"kind": "products.ingest"}',
    )  # fmt: skip
    PeriodicTask.objects.create(
        name="often", task="runs.request", interval=IntervalSchedule.objects.create(every=90, period="minutes"),
        enabled=False, last_run_at=timezone.now() - timedelta(days=1),
    )  # fmt: skip
    SolarSchedule.objects.create(event="sunrise", latitude="41.5", longitude="-8.25")
    Heartbeat.objects.create(name="sweeper", host="elsewhere", at=timezone.now())


def compliance() -> None:
    """The matrix of the centre's own requirements, and a waiver."""
    from datetime import date

    from mpc.accounts.actors import local_actor
    from mpc.monitoring.compliance.recompute import recompute
    from mpc.monitoring.models import Requirement
    from mpc.monitoring.waivers import services

    days = {"valid_from": date(2026, 9, 1), "valid_to": date(2026, 10, 1)}
    fields = {"title": "Known", "reason": "ünder study", "requirement": Requirement.objects.get(code="RAD-ABS")}
    services.grant(local_actor(), {**fields, **days})
    recompute()


def watching() -> None:
    """A series that was looked at, a change, its alert with everything that happens to one, and who hears of it."""
    from django.utils import timezone

    from mpc.accounts.models import User
    from mpc.monitoring.models import (
        Alert,
        AlertNote,
        AlertPart,
        ChangePoint,
        Notification,
        Series,
        Subscription,
        Watch,
    )
    from mpc.ui.models import BulkRequest

    ann, now = User.objects.get(username="ann"), timezone.now()
    series = Series.objects.order_by("pk").first()
    Watch.objects.create(series=series, looked_at=now, count=3, too_little="drift", breaches=[], back={})
    found = {"detector": "step", "version": "1.0", "mode": "live", "kind": "step", "magnitude": 0.25, "text": "ünd"}
    times = {"time": now, "interval_start": now, "interval_end": now, "found_at": now}
    change = ChangePoint.objects.create(series=series, **found, **times)
    alert = Alert.objects.create(
        title="S2A: Stufe „größer“", unit="S2A", severity=30, time=now, opened_at=now, last_seen_at=now, assigned_to=ann
    )
    AlertPart.objects.create(alert=alert, series=series, kind="step", change=change, time=now, value=0.5)
    AlertNote.objects.create(alert=alert, at=now, actor=ann, what="acknowledged", text="ich sehe nach")
    wish = Subscription.objects.create(user=ann, digest=True, unit="S2A")
    Notification.objects.create(alert=alert, subscription=wish, next_at=now)
    BulkRequest.objects.create(user=ann, kind="alerts", action="acknowledge", query="state=open")


def telling() -> None:
    """A digest that was mailed, a drill's record, and a requirement that stood otherwise."""
    from datetime import date

    from django.utils import timezone

    from mpc.accounts.models import User
    from mpc.monitoring.digests import making
    from mpc.monitoring.models import ComplianceChange, DigestMail, DrillRecord, Requirement
    from mpc.runs.models import Run

    now = timezone.now()
    digest, _ = making.make(date(2026, 9, 1), now=now)
    DigestMail.objects.create(digest=digest, user=User.objects.get(username="ann"), begun_at=now, sent_at=now)
    DrillRecord.objects.create(
        run=Run.objects.order_by("pk").first(), detector="step", version="1.0", fault="step", material="simulated",
        series_count=5, found=5, detection_rate=1.0, series_years=10.0, params={"mode": "live"}, made_at=now,
    )  # fmt: skip
    requirement = Requirement.objects.get(code="RAD-ABS")
    ComplianceChange.objects.create(requirement=requirement, unit="S2A", before="met", after="breached", at=now)


def series(folder: Path) -> None:
    """Roll-ups, a mark, a refused number, and an archived month with its file."""
    from datetime import UTC, date, datetime

    from django.utils import timezone

    from mpc.monitoring.archive import files
    from mpc.monitoring.models import ArchivedMonth, DirtyBucket, RefusedMeasurement, Series
    from mpc.monitoring.rollups.roller import Roller
    from mpc.runs.models import Run

    Roller().roll_all()
    one, run = Series.objects.filter(count__gt=0).first(), Run.objects.first()
    DirtyBucket.objects.create(series=one, day=date(2026, 9, 1))
    RefusedMeasurement.objects.create(
        run=run, metric="no.such", part="S2A", time=datetime(2026, 9, 1, tzinfo=UTC), value="nan", reason="ünknown"
    )
    text = folder / "month.csv"
    text.write_text(
        f"{','.join(files.COLUMNS)}\n1000000,{one.pk},1550000000000000,0.1,\\N,ünknown,3,{run.pk},\\N,a.b,t,f\n"
    )
    name, size, digest = files.write_month(text, date(2019, 2, 1), 1, (1, 1000000, 1550000000000000, 3))
    ArchivedMonth.objects.create(
        month=date(2019, 2, 1), file=name, rows=1, size=size, sha256=digest, archived_at=timezone.now()
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
