"""Mission events of the system: what first came in the products of a unit.

A product that arrives is compared with ``FirstSeen`` (one query). Only where it brings something new, or something
known with an earlier time, is anything written and the unit's events are derived anew (``derived``). An event that a
person changed or withdrew stays as they left it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Min
from django.dispatch import receiver
from django.utils import timezone

from mpc.accounts import audit, policy
from mpc.jobs import every
from mpc.monitoring.events.derived import (
    KEY,
    Derived,
    Seen,
    baseline_events,
    gipp_events,
    irradiance_events,
)
from mpc.monitoring.models import FirstSeen, MissionEvent
from mpc.products.models import GippSet, Product
from mpc.products.signals import product_arrived

DAY_S = 86_400.0
SEEN = "found in the products"
NOT_NEW = "an older product has it too"
What = FirstSeen.What


@receiver(product_arrived, dispatch_uid="monitoring.first_seen")
def look_at_arrival(sender: Any, product: Any, **_: Any) -> None:
    """Runs in the transaction of the intake."""
    if product.unit and product.sensing_start is not None:
        note(product.unit, [Found(product, *what) for what in _contents(product)])


class Found:
    """Something in a product: what it is, its value, and its content where that is kept nowhere else."""

    def __init__(self, product: Any, what: str, value: str, detail: Any) -> None:
        self.what, self.value, self.detail = what, value, detail
        self.time, self.product = product.sensing_start, product.name


def note(unit: str, found: Iterable[Found]) -> int:
    """Keep what is new or earlier than known and derive the events of the unit; returns how many rows it wrote."""
    wanted = {(one.what, one.value): one for one in found}
    known = {(row.what, row.value): row for row in _rows(unit).filter(value__in=[value for _, value in wanted])}
    news = [one for key, one in sorted(wanted.items()) if key not in known or one.time < known[key].time]
    if not news:
        return 0
    with transaction.atomic():
        _one_at_a_time(unit)
        for one in news:
            fields = {"time": one.time, "product": one.product, "detail": one.detail}
            row, made = FirstSeen.objects.get_or_create(unit=unit, what=one.what, value=one.value, defaults=fields)
            if not made and one.time < row.time:
                FirstSeen.objects.filter(pk=row.pk).update(time=one.time, product=one.product)
        bring(unit, derive(unit))
    return len(news)


def _rows(unit: str) -> Any:
    return FirstSeen.objects.filter(unit=unit)


def _contents(product: Any) -> Iterable[tuple[str, str, Any]]:
    if product.baseline:
        yield What.BASELINE, product.baseline, {}
    if product.gipp_set_id is not None:
        yield What.GIPP, product.gipp_set.digest, {}
    facts = getattr(product, "facts", None)
    if facts is not None and facts.solar_irradiance:
        yield What.IRRADIANCE, *_irradiance(facts.solar_irradiance)


def _irradiance(table: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    digest = hashlib.sha256(json.dumps(table, sort_keys=True).encode()).hexdigest()
    return digest, table


def _one_at_a_time(unit: str) -> None:
    """Until the transaction ends nobody else derives the events of this unit: each would miss what the other adds."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"monitoring.seen:{unit}"])


# --- The events ------------------------------------------------------------------------------------------------------
def derive(unit: str) -> list[Derived]:
    """All events of a unit; two queries."""
    rows = list(_rows(unit))
    digests = [row.value for row in rows if row.what == What.GIPP]
    entries = dict(GippSet.objects.filter(digest__in=digests).values_list("digest", "entries"))
    by_what: dict[str, list[Seen]] = {what: [] for what in What.values}
    for row in rows:
        content = entries.get(row.value, []) if row.what == What.GIPP else row.detail
        by_what[row.what].append(Seen(row.value, row.time, row.product, content))
    return [
        *baseline_events(unit, by_what[What.BASELINE]),
        *gipp_events(unit, by_what[What.GIPP]),
        *irradiance_events(unit, by_what[What.IRRADIANCE]),
    ]


def bring(unit: str, wanted: list[Derived]) -> None:
    """Make the system's events of the unit these."""
    kept = {e.key: e for e in MissionEvent.objects.filter(unit=unit, origin=MissionEvent.Origin.SYSTEM)}
    mine = MissionEvent.history.exclude(history_change_reason=SEEN).filter(id__in=[e.pk for e in kept.values()])
    touched = set(mine.values_list("id", flat=True))
    for one in wanted:
        event = kept.pop(one.key, None)
        if event is None:
            _add(unit, one)
        elif event.pk not in touched:
            _change(event, **_fields(one), withdrawn_at=None, withdrawn_why="")
    for event in kept.values():
        if event.pk not in touched and event.key.startswith(KEY) and event.withdrawn_at is None:
            _change(event, withdrawn_at=timezone.now(), withdrawn_why=NOT_NEW)


def _fields(one: Derived) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "title": one.title,
        "text": one.text,
        "start": one.start,
        "bands": list(one.bands),
        "source": "metadata of the products",
    }


def _add(unit: str, one: Derived) -> None:
    event = MissionEvent(unit=unit, key=one.key, origin=MissionEvent.Origin.SYSTEM, **_fields(one))
    event._change_reason = SEEN
    try:
        with transaction.atomic():
            event.save(force_insert=True)
    except IntegrityError:
        # Somebody else found the same at the same moment, or an event of another origin has the key.
        return


def _change(event: MissionEvent, **fields: Any) -> None:
    if all(getattr(event, name) == value for name, value in fields.items()):
        return
    for name, value in fields.items():
        setattr(event, name, value)
    event._change_reason = SEEN
    event.save()


# --- Products that are here already ----------------------------------------------------------------------------------
def backfill(actor: Any) -> int:
    """Look at all products that are here; returns how many rows it wrote. Raises PermissionDenied."""
    policy.require(actor, "monitoring.events")
    written = look_at_all()
    if written:
        audit.record(actor, "monitoring.events_backfill", after={"found": written}, label="events of the products")
    return written


@every(DAY_S, "monitoring.first_seen")
def look_at_all() -> int:
    """Once a day, and when the sweeper starts: what arrivals did not tell, such as products of before this was kept."""
    return sum(note(unit, found) for unit, found in sorted(_everything().items()))


def _everything() -> dict[str, list[Found]]:
    """The earliest product of every baseline, GIPP set and irradiance table by unit. Irradiances are compared once a
    unit, baseline and level: they change with a table that the baseline brings, or with a GIPP set."""
    found: dict[str, list[Found]] = {}
    products = Product.objects.in_use().exclude(unit="").exclude(sensing_start=None)
    for parts in (("baseline",), ("gipp_set",), ("baseline", "gipp_set", "level")):
        groups = products.order_by().values("unit", *parts).annotate(first=Min("sensing_start"))
        for group in list(groups):
            of_group = {name: group[name] for name in ("unit", *parts)}
            earliest = products.filter(sensing_start=group["first"], **of_group)
            product = earliest.select_related("gipp_set", "facts").defer("footprint", "facts__detail").first()
            if product is not None:
                found.setdefault(product.unit, []).extend(Found(product, *what) for what in _contents(product))
    return {unit: _earliest(of_unit) for unit, of_unit in found.items()}


def _earliest(found: list[Found]) -> list[Found]:
    """The first of each by time; ``note`` keeps the last that it is given."""
    return sorted(found, key=lambda one: one.time, reverse=True)
