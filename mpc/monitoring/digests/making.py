"""Making digests: one a UTC day, once, soon after the day is over; days that were missed are made up for a week."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.utils import timezone

from mpc.accounts import audit, policy
from mpc.monitoring.digests.content import Day, as_json
from mpc.monitoring.digests.registry import gather_all
from mpc.monitoring.models import Digest
from mpc.products.models import Product
from mpc.runs.models import Run

SETTLE = timedelta(minutes=10)
"""After midnight what ended just before it is still being written, and the detectors look."""

CATCH_UP_DAYS = 7


class NotOver(ValueError):
    """The day is not over: its digest would not be one."""


def today(now: datetime | None = None) -> date:
    """The UTC day of now."""
    return (now or timezone.now()).astimezone(UTC).date()


def draft(day: date, now: datetime | None = None) -> Digest:
    """The digest of a day as it would be made now, not kept; of a day that is not over: so far."""
    now = now or timezone.now()
    sections = gather_all(Day(day, now))
    heads = {section.key: [section.sign, section.summary] for section in sections}
    return Digest(day=day, content=as_json(sections), heads=heads, made_at=now)


def make(day: date, *, now: datetime | None = None) -> tuple[Digest, bool]:
    """The digest of a day, and whether it was made just now. Raises NotOver.

    Several processes may do this at once: one of them keeps its own, the others are handed that one.
    """
    now = now or timezone.now()
    kept = Digest.objects.filter(day=day).first()
    if kept is not None:
        return kept, False
    if not Day(day, now).over:
        raise NotOver(f"{day:%Y-%m-%d} is not over in UTC; its digest is made after midnight.")
    made = draft(day, now)
    return Digest.objects.get_or_create(
        day=day, defaults={"content": made.content, "heads": made.heads, "made_at": made.made_at}
    )


def make_for(actor: Any, day: date) -> tuple[Digest, bool]:
    """As ``make``, because somebody asks. Raises PermissionDenied and NotOver."""
    policy.require(actor, "monitoring.digest")
    digest, created = make(day)
    if created:
        audit.record(actor, "monitoring.digest_make", digest, after={"day": day.isoformat()})
    return digest, created


def missing_days(now: datetime | None = None) -> list[date]:
    """The days of the last week without a digest, oldest first; none from before the centre began."""
    now = now or timezone.now()
    last = today(now - SETTLE) - timedelta(days=1)
    days = [last - timedelta(days=n) for n in reversed(range(CATCH_UP_DAYS))]
    kept = set(Digest.objects.filter(day__gte=days[0]).values_list("day", flat=True))
    missing = [day for day in days if day not in kept]
    if not missing:
        return []
    began = first_day()
    return [] if began is None else [day for day in missing if day >= began]


def first_day() -> date | None:
    """The day of the first run or product; None for a centre that has had neither."""
    began = first_moment()
    return began.astimezone(UTC).date() if began else None


def first_moment() -> datetime | None:
    """When the first run was asked for or the first product came."""
    times = (
        Run.objects.order_by("requested_at").values_list("requested_at", flat=True).first(),
        Product.objects.order_by("taken_in").values_list("taken_in", flat=True).first(),
    )
    return min((time for time in times if time is not None), default=None)
