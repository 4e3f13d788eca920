"""Brings the database to the centre's tables: what is new comes in, what a person changed stays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections, models, transaction

from mpc.accounts import audit, policy
from mpc.monitoring import catalogue
from mpc.monitoring.models import Metric, MissionEvent, Requirement, RequirementLimit
from mpc.monitoring.requirements.limits import limits_of, replace_limits
from mpc.monitoring.seeds import tables

LOADED = "loaded from the centre's table"
EVENT_KEY = "table:"


@dataclass(frozen=True)
class Change:
    """One row that differs from the table: ``what`` says how ("new", "changed", "kept", "not in the table")."""

    kind: str
    code: str
    what: str
    before: dict[str, Any]
    after: dict[str, Any]

    @property
    def counts(self) -> bool:
        """Whether loading writes it."""
        return self.what in ("new", "changed")


def load(*, actor: Any = None, dry_run: bool = False) -> list[Change]:
    """Bring metrics, requirements and events to the tables; hands back what differed (``dry_run``: and writes nothing).

    A second time there is nothing to do. ``actor`` is None after a migration, when nobody asked.
    Raises PermissionDenied, or BadTable.
    """
    if actor is not None:
        policy.require(actor, "monitoring.requirements")
    found: list[Change] = []
    with transaction.atomic():
        for step in (_metrics, _requirements, _events):
            found += step(dry_run)
        written = [change for change in found if change.counts]
        if written and not dry_run and actor is not None:
            after = {"rows": [f"{c.kind} {c.code}: {c.what}" for c in written]}
            audit.record(actor, "monitoring.load_requirements", after=after, label="the centre's tables")
    return found


def load_after_migration(using: str = DEFAULT_DB_ALIAS, **_: Any) -> None:
    """Connected to ``post_migrate``; nothing happens while the tables are not all there (migrated backwards)."""
    if not settings.MPC_LOAD_TABLES or using != DEFAULT_DB_ALIAS:
        return
    mine = (Metric, Requirement, RequirementLimit, MissionEvent)
    if all(_is_current(using, m) for model in mine for m in (model, model.history.model)):
        load()


def _is_current(using: str, model: type[models.Model]) -> bool:
    """Whether the table has all columns of the model: it has not while migrated backwards."""
    connection = connections[using]
    with connection.cursor() as cursor:
        if model._meta.db_table not in connection.introspection.table_names(cursor):
            return False
        found = connection.introspection.get_table_description(cursor, model._meta.db_table)
    return {field.column for field in model._meta.concrete_fields} <= {column.name for column in found}


# --- Metrics ---------------------------------------------------------------------------------------------------------
def _metrics(dry_run: bool) -> list[Change]:
    there = Metric.objects.in_bulk()
    return [
        change
        for row in tables.metrics()
        if not catalogue.is_declared(row["code"])  # the job that measures it says what it is
        if (change := _bring("metric", row["code"], there.get(row["code"]), Metric, row, dry_run)) is not None
    ]


# --- Requirements ----------------------------------------------------------------------------------------------------
def _requirements(dry_run: bool) -> list[Change]:
    there = {r.code: r for r in Requirement.objects.prefetch_related("limits")}
    wanted = tables.requirements()
    found = []
    for row in wanted:
        fields = {**row.fields, "from_table": True}
        fields["metric_id"] = fields.pop("metric")
        change = _requirement(row, there.get(row.fields["code"]), fields, dry_run)
        if change is not None:
            found.append(change)
    gone = sorted(code for code, r in there.items() if r.from_table and code not in {w.fields["code"] for w in wanted})
    return found + [Change("requirement", code, "not in the table any more: kept", {}, {}) for code in gone]


def _requirement(
    row: tables.RequirementRow, kept: Requirement | None, fields: dict[str, Any], dry_run: bool
) -> Change | None:
    limits = limits_of(kept) if kept is not None else ()

    def write(requirement: models.Model) -> None:
        replace_limits(requirement, row.limits, None, LOADED)  # type: ignore[arg-type]

    change = _bring("requirement", row.fields["code"], kept, Requirement, fields, dry_run, None if kept else write)
    if kept is None or limits == row.limits:
        return change
    if kept.edited:
        return Change("requirement", kept.code, "kept: a person changed it", {}, {})
    if not dry_run:
        replace_limits(kept, row.limits, None, LOADED)
    before, after = (change.before, change.after) if change else ({}, {})
    told = ({**before, "limits": _as_lists(limits)}, {**after, "limits": _as_lists(row.limits)})
    return Change("requirement", kept.code, "changed", *told)


def _as_lists(limits: tables.Limits) -> list[list[Any]]:
    return [list(limit) for limit in limits]


# --- Events ----------------------------------------------------------------------------------------------------------
def _events(dry_run: bool) -> list[Change]:
    there = {event.key: event for event in MissionEvent.objects.filter(key__startswith=EVENT_KEY)}
    touched = set(
        MissionEvent.history.filter(key__startswith=EVENT_KEY)
        .exclude(history_change_reason=LOADED)
        .values_list("id", flat=True)
    )
    found = []
    for row in tables.events():
        key = EVENT_KEY + row["key"]
        fields = {"end": None, "text": "", "unit": "", **row, "key": key, "origin": MissionEvent.Origin.TABLE}
        kept = there.get(key)
        edited = kept is not None and kept.pk in touched
        change = _bring("event", row["key"], kept, MissionEvent, fields, dry_run, edited=edited)
        if change is not None:
            found.append(change)
    return found


# --- One row ---------------------------------------------------------------------------------------------------------
def _bring(
    kind: str,
    code: str,
    kept: models.Model | None,
    model: type[models.Model],
    fields: dict[str, Any],
    dry_run: bool,
    then: Callable[[models.Model], None] | None = None,
    edited: bool | None = None,
) -> Change | None:
    """Make or change one row; None when it is as the table says."""
    if kept is None:
        if not dry_run:
            made = model(**fields)
            made._change_reason = LOADED  # type: ignore[attr-defined]
            made.save(force_insert=True)
            if then is not None:
                then(made)
        return Change(kind, code, "new", {}, _plain(fields))
    differs = {name: value for name, value in fields.items() if getattr(kept, name) != value}
    if not differs:
        return None
    before = {name: getattr(kept, name) for name in differs}
    if kept.edited if edited is None else edited:  # type: ignore[attr-defined]
        return Change(kind, code, "kept: a person changed it", {}, {})
    if not dry_run:
        for name, value in differs.items():
            setattr(kept, name, value)
        kept._change_reason = LOADED  # type: ignore[attr-defined]
        kept.save()
    return Change(kind, code, "changed", _plain(before), _plain(differs))


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    """Values that JSON can hold."""
    return {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in fields.items()}
