"""Who changed what of an object when, from its kept history, for pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

NEWEST = 30
_KINDS = {"+": "made", "~": "changed", "-": "removed"}


@dataclass(frozen=True)
class FieldChange:
    """``before`` is empty for what was made."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class HistoryRow:
    """One change. ``who`` is empty for the software itself, whose reason stands in ``reason``."""

    at: datetime
    who: str
    what: str
    reason: str
    changes: tuple[FieldChange, ...] = ()


def history_of(records: QuerySet, fields: Sequence[str], about: str = "") -> list[HistoryRow]:
    """The newest changes of one object, newest first; one query. ``records`` is ``obj.history.all()``; ``about`` names
    the object where several are told together."""
    found = list(records.select_related("history_user").order_by("-history_date", "-history_id")[: NEWEST + 1])
    return rows_of_records(found[:NEWEST], fields, about, older=found[NEWEST:])


def rows_of_records(
    records: Sequence[Any], fields: Sequence[str], about: str = "", *, older: Sequence[Any] = (), told: bool = False
) -> list[HistoryRow]:
    """The changes of one object from its records, newest first. ``older`` holds the one before the last, where there
    is one; ``told``: what was made or removed is told with its values."""
    following = [*records[1:], older[0] if older else None]
    rows = [_row(new, old, fields, about, told) for new, old in zip(records, following, strict=True)]
    return [row for row in rows if row.changes or row.what != f"{about} changed".strip()]


def newest_first(*parts: Iterable[HistoryRow]) -> list[HistoryRow]:
    return sorted((row for part in parts for row in part), key=lambda row: row.at, reverse=True)[:NEWEST]


def _row(new: Any, old: Any, fields: Sequence[str], about: str, told: bool) -> HistoryRow:
    changes = []
    if told and new.history_type != "~":
        values = [
            (name.replace("_", " "), _shown(getattr(new, name))) for name in fields if getattr(new, name) is not None
        ]
        gone = new.history_type == "-"
        changes = [FieldChange(name, text if gone else "nothing", "nothing" if gone else text) for name, text in values]
    if old is not None and new.history_type == "~":
        changes = [
            FieldChange(name.replace("_id", "").replace("_", " "), _shown(before), _shown(after))
            for name in fields
            if (before := getattr(old, name)) != (after := getattr(new, name))
        ]
    return HistoryRow(
        at=new.history_date,
        who=str(new.history_user) if new.history_user else "",
        what=f"{about} {_KINDS.get(new.history_type, '')}".strip(),
        reason=new.history_change_reason or "",
        changes=tuple(changes),
    )


def _shown(value: Any) -> str:
    if value is None or value == "" or value == []:
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S} UTC"
    if isinstance(value, list):
        return " ".join(map(str, value))
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)
