"""Changing an entry of the catalogue, and what was changed when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction

from mpc.accounts import audit, policy
from mpc.monitoring.catalogue import defaults_for, is_declared
from mpc.monitoring.models import Metric

EDITABLE = (
    *("name", "description", "method", "document", "group", "per_band", "per_detector", "per_site", "direction"),
    *("target", "declared", "watched"),
)
"""Not the code, and not the unit: values that stand in a series are in it."""
HISTORY_SHOWN = 50


@transaction.atomic
def edit_metric(code: str, changes: Mapping[str, Any], *, actor: Any) -> Metric:
    """Change fields of a metric; declarations no longer overwrite the row then. What is equal changes nothing.

    Raises PermissionDenied, Metric.DoesNotExist, and ValidationError for a value that does not fit or a field that is
    not ``EDITABLE``.
    """
    policy.require(actor, "monitoring.catalogue")
    if fixed := sorted(set(changes) - set(EDITABLE)):
        raise ValidationError(dict.fromkeys(fixed, "This cannot be changed."))
    metric = Metric.objects.select_for_update().get(pk=code)
    before = {name: getattr(metric, name) for name in changes if getattr(metric, name) != changes[name]}
    if not before:
        return metric
    for name in before:
        setattr(metric, name, changes[name])
    if metric.direction == "target" and metric.target is None:
        raise ValidationError({"target": "Say which value is aimed at."})
    metric.edited = True
    return _keep(metric, before, "monitoring.metric_change", actor)


@transaction.atomic
def follow_declaration(code: str, *, actor: Any) -> Metric:
    """Undo what people changed: the row is what its job declares, now and after each later version of it.

    Raises PermissionDenied, Metric.DoesNotExist, and ValidationError when no job declares the metric.
    """
    policy.require(actor, "monitoring.catalogue")
    metric = Metric.objects.select_for_update().get(pk=code)
    if not is_declared(code):
        raise ValidationError("No job of this software declares this metric.")
    wanted = defaults_for(code)
    before = {"edited": metric.edited}
    before |= {name: getattr(metric, name) for name in wanted if getattr(metric, name) != wanted[name]}
    if not metric.edited:
        return metric
    for name, said in wanted.items():
        setattr(metric, name, said)
    metric.edited = False
    return _keep(metric, before, "monitoring.metric_follow", actor)


def _keep(metric: Metric, before: Mapping[str, Any], action: str, actor: Any) -> Metric:
    metric.full_clean()
    metric._history_user = actor if actor.pk else None
    metric.save()
    after = {name: getattr(metric, name) for name in before}
    audit.record(actor, action, metric, before=before, after=after)
    return metric


# --- What was changed ------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Change:
    """One field of one step of the history, in words."""

    field: str
    before: str
    after: str


@dataclass(frozen=True)
class Step:
    """One time that the entry was made or changed. ``who`` is empty where the software did it."""

    at: datetime
    who: str
    made: bool
    changes: tuple[Change, ...]


def history_of(metric: Metric) -> list[Step]:
    """The newest steps first; one query."""
    rows = list(metric.history.select_related("history_user").order_by("-history_date", "-history_id"))
    steps = []
    for row, earlier in zip(rows, [*rows[1:], None], strict=True):
        made = earlier is None
        changes = () if earlier is None else _changes(earlier, row)
        if made or changes:
            steps.append(Step(row.history_date, str(row.history_user or ""), made, changes))
    return steps[:HISTORY_SHOWN]


def _changes(earlier: Any, later: Any) -> tuple[Change, ...]:
    fields: Sequence[models.Field] = Metric._meta.concrete_fields
    return tuple(
        Change(str(field.verbose_name), _word(earlier, field), _word(later, field))
        for field in fields
        if getattr(earlier, field.attname) != getattr(later, field.attname)
    )


def _word(row: Any, field: models.Field) -> str:
    value = getattr(row, field.attname)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "nothing" if value in (None, "") else str(value)
