"""Reads the committed tables into plain values; what is wrong in one is said with the row."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
Limits = tuple[tuple[str, str, float | None, float | None, float | None, float | None], ...]

METRIC_FIELDS = frozenset(
    {
        *("code", "name", "unit", "description", "method", "document", "group", "direction", "target"),
        *("per_band", "per_detector", "per_site"),
    }
)
REQUIREMENT_FIELDS = frozenset(
    {
        *("code", "title", "text", "metric", "statistic", "absolute", "level", "window_days", "valid_from"),
        *("valid_to", "document", "section", "verified", "note"),
    }
)
EVENT_FIELDS = frozenset(
    {"key", "kind", "unit", "title", "text", "bands", "detectors", "start", "end", "source", "verified"}
)
LIMIT_FIELDS = ("low", "high", "goal_low", "goal_high")


class BadTable(ValueError):
    """A table cannot be used; the message says which row and why."""


@dataclass(frozen=True)
class RequirementRow:
    """One requirement: the fields of ``Requirement`` (``metric`` is a code), and its limits as (unit, band, low, high,
    goal low, goal high), sorted."""

    fields: dict[str, Any]
    limits: Limits


def metrics(path: Path = FOLDER / "metrics.toml") -> list[dict[str, Any]]:
    """The fields of each standard metric. Raises BadTable."""
    return list(_rows(path, "metric", METRIC_FIELDS, ("code", "name"), "code"))


def requirements(path: Path = FOLDER / "requirements.toml") -> list[RequirementRow]:
    """Each requirement with its limits. Raises BadTable."""
    allowed, needed = REQUIREMENT_FIELDS | {"limits"}, ("code", "title", "metric", "document", "limits")
    found = []
    for row in _rows(path, "requirement", allowed, needed, "code"):
        limits = row.pop("limits")
        found.append(RequirementRow(row, tuple(sorted(_limits(row["code"], limits), key=lambda limit: limit[:2]))))
    return found


def events(path: Path = FOLDER / "events.toml") -> list[dict[str, Any]]:
    """The fields of each known event, with ``start`` and ``end`` as UTC times. Raises BadTable."""
    found = []
    for row in _rows(path, "event", EVENT_FIELDS, ("key", "kind", "title", "start", "source"), "key"):
        times = {name: _moment(row["key"], row[name]) for name in ("start", "end") if name in row}
        found.append({**row, **times})
    return found


def _rows(
    path: Path, name: str, allowed: frozenset[str], needed: tuple[str, ...], key: str
) -> Iterator[dict[str, Any]]:
    seen: set[str] = set()
    with path.open("rb") as file:
        table = tomllib.load(file)
    for number, row in enumerate(table.get(name, ()), start=1):
        what = f"{path.name}, {name} {number} ({row.get(key, 'without ' + key)})"
        if unknown := row.keys() - allowed:
            raise BadTable(f"{what}: no such field: {', '.join(sorted(unknown))}")
        if missing := [field for field in needed if field not in row]:
            raise BadTable(f"{what}: lacks {', '.join(missing)}")
        if row[key] in seen:
            raise BadTable(f"{what}: stands twice")
        seen.add(row[key])
        yield dict(row)


def _limits(code: str, rows: list[dict[str, Any]]) -> Iterator[tuple[Any, ...]]:
    seen = set()
    for row in rows:
        if unknown := row.keys() - {"unit", "band", "bands", *LIMIT_FIELDS}:
            raise BadTable(f"{code}: a limit has no field {', '.join(sorted(unknown))}")
        values = tuple(float(row[field]) if field in row else None for field in LIMIT_FIELDS)
        if all(value is None for value in values):
            raise BadTable(f"{code}: a limit says nothing")
        for band in row.get("bands", [row.get("band", "")]):
            place = (row.get("unit", ""), band)
            if place in seen:
                raise BadTable(f"{code}: two limits of {' '.join(place).strip() or 'all'}")
            seen.add(place)
            yield (*place, *values)


def _moment(key: str, value: Any) -> datetime:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise BadTable(f"{key}: {value} has no zone; write it with Z")
        return value.astimezone(UTC)
    if isinstance(value, date):
        return datetime.combine(value, time.min, tzinfo=UTC)
    raise BadTable(f"{key}: {value!r} is no day and no time")
