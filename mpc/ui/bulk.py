"""What can be done to many rows of a list at once: to those that are ticked, or to all that match its filter.

An app says so in its ``registrations``::

    register_bulk(
        BulkList(
            kind="monitoring.alerts_bulk",           # of the job that does it, too (mpc.runs.bulk.declare)
            list_name="monitoring.TriageList",
            title="alerts",
            url_name="monitoring:alerts",
            queryset=lambda user: Alert.objects.all(),
            filterset_class=AlertFilter,
            actions=(BulkAction("acknowledge", "Acknowledge", "monitoring.triage", states.acknowledge, key="a"), ...),
        )
    )

The list page says ``bulk_kind = "monitoring.alerts_bulk"`` and gets the boxes and the buttons. What is asked for is
stored (``BulkRequest``), counted and confirmed. Ticked rows are done at once; all that match are done by a run, in
short portions, with permission and history of each object: an action is called with one object as if a person had
opened its page, and what it refuses is told with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import django_filters
from django import forms
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Max, QuerySet

from mpc.ui.models import BulkRequest

PORTION = 50
"""Objects that are changed in one transaction."""

TICKED_MAX = 200
"""As many rows as a page shows; more are meant by a filter."""

REASONS_MAX = 50
"""Refusals that are told one by one."""


class NotDone(ValueError):
    """An object is in no state for the action; the text says why. The others are done."""


class NoValues(forms.Form):
    """An action that needs nothing more than its rows."""


@dataclass(frozen=True)
class BulkAction:
    """``apply(obj, actor, **values)`` does it to one object; it asks the policy itself and raises PermissionDenied or
    NotDone. ``values`` are the cleaned and JSON-able ones of ``form``; ``policy`` is what the button asks.
    """

    name: str
    title: str
    policy: str
    apply: Callable[..., Any]
    form: type[forms.Form] = NoValues
    key: str = ""
    question: str = ""
    danger: bool = False

    @property
    def needs_values(self) -> bool:
        return bool(self.form.base_fields)


@dataclass(frozen=True)
class BulkList:
    """One list whose rows can be acted on together. ``filter_kwargs(user)`` is what its filter set takes besides."""

    kind: str
    list_name: str
    title: str
    url_name: str
    queryset: Callable[[Any], QuerySet]
    filterset_class: type[django_filters.FilterSet]
    actions: Sequence[BulkAction]
    filter_kwargs: Callable[[Any], dict[str, Any]] = lambda user: {}

    def action(self, name: str) -> BulkAction | None:
        return next((action for action in self.actions if action.name == name), None)


_lists: dict[str, BulkList] = {}


def register_bulk(bulk: BulkList) -> BulkList:
    """Make a list's actions known; the same kind again replaces it."""
    _lists[bulk.kind] = bulk
    return bulk


def bulk_list(kind: str) -> BulkList | None:
    return _lists.get(kind)


# --- Which rows are meant --------------------------------------------------------------------------------------------
class UnfitFilter(ValueError):
    """The stored filter says something that the list does not understand; nothing is done then."""


def meant(request: BulkRequest, bulk: BulkList) -> QuerySet:
    """The rows that a request means now, by key. Raises UnfitFilter.

    A filter that cannot be read matches nothing, never everything.
    """
    rows = bulk.queryset(request.user)
    if request.keys:
        return rows.filter(pk__in=request.keys).order_by("pk")
    asked = bulk.filterset_class(
        request.params(), queryset=rows, **{"request": _Asker(request.user), **bulk.filter_kwargs(request.user)}
    )
    if not asked.is_valid():
        raise UnfitFilter("A filter of the list could not be read; set it again.")
    found = asked.qs.order_by("pk")
    return found.filter(pk__lte=request.newest) if request.newest else found


@dataclass(frozen=True)
class _Asker:
    """What a filter set may ask of a request: who it is."""

    user: Any


def newest_key(bulk: BulkList, user: Any) -> int:
    return bulk.queryset(user).order_by().aggregate(newest=Max("pk"))["newest"] or 0


# --- Doing it --------------------------------------------------------------------------------------------------------
@dataclass
class Tally:
    """How many objects were done, and which were not and why."""

    done: int = 0
    refused: int = 0
    reasons: list[str] = field(default_factory=list)

    def refuse(self, obj: Any, why: str) -> None:
        self.refused += 1
        if len(self.reasons) < REASONS_MAX:
            self.reasons.append(f"{obj}: {why}")

    @property
    def words(self) -> str:
        text = f"{self.done} done"
        return f"{text}, {self.refused} not: see why" if self.refused else text

    def facts(self) -> dict[str, Any]:
        return {"done": self.done, "refused": self.refused, "reasons": self.reasons}


def portions_of(rows: QuerySet, after: int = 0, size: int = PORTION) -> Iterator[list[Any]]:
    """The rows in order of their keys, a few at a time: what was done leaves the filter without moving the rest."""
    while True:
        found = list(rows.filter(pk__gt=after)[:size])
        if not found:
            return
        yield found
        after = found[-1].pk


def apply_to(objects: Sequence[Any], action: BulkAction, actor: Any, values: dict[str, Any], tally: Tally) -> None:
    """Do the action to each object, in savepoints of their own: what one refuses leaves the others alone."""
    for obj in objects:
        try:
            with transaction.atomic():
                action.apply(obj, actor, **values)
        except (PermissionDenied, NotDone) as why:
            tally.refuse(obj, str(why))
        else:
            tally.done += 1


def do_now(request: BulkRequest, bulk: BulkList, action: BulkAction) -> Tally:
    """Do it to the ticked rows, a portion a transaction."""
    tally = Tally()
    for objects in portions_of(meant(request, bulk)):
        with transaction.atomic():
            apply_to(objects, action, request.user, request.values, tally)
    return tally
