"""Mission events as CSV: what a file would bring, line by line, before anything is written.

The columns are those of the export (``COLUMNS``); ``kind``, ``title`` and ``start`` are needed. What an export has
beside them is read over. Comma or semicolon; UTF-8; times with a zone or UTC.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from django.core.exceptions import ValidationError

from mpc.monitoring.events.services import check
from mpc.monitoring.models import EventKind, MissionEvent

MOST_BYTES = 1_000_000
MOST_ROWS = 2000
COLUMNS = ("kind", "title", "unit", "bands", "detectors", "start", "end", "source", "verified", "text")
NEEDED = ("kind", "title", "start")
READ_OVER = frozenset({"id", "origin", "key", "created_at", "created_by", "withdrawn_at", "withdrawn_why", "state"})
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
_TRUE, _FALSE = {"true", "yes", "1", "x"}, {"false", "no", "0"}
_BY_WORDS = {label.casefold(): value for value, label in EventKind.choices}


class Unreadable(ValueError):
    """The file as a whole cannot be read; the text says why."""


@dataclass(frozen=True)
class Row:
    """One line that fits: the fields of an event; ``known`` when the same event is here already."""

    line: int
    fields: dict[str, Any]
    known: bool

    @property
    def event(self) -> MissionEvent:
        return MissionEvent(**self.fields)


@dataclass(frozen=True)
class Wrong:
    line: int
    text: str


@dataclass(frozen=True)
class Read:
    """What a file would bring. ``rows`` fit (those not ``known`` are new), ``wrong`` do not."""

    rows: tuple[Row, ...]
    wrong: tuple[Wrong, ...]

    @property
    def new(self) -> list[dict[str, Any]]:
        return [row.fields for row in self.rows if not row.known]


def decoded(content: bytes) -> str:
    """The text of a file. Raises Unreadable for one that is too large or not UTF-8."""
    if len(content) > MOST_BYTES:
        raise Unreadable(f"The file has {len(content)} bytes; at most {MOST_BYTES} are read. Send it in parts.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(
            f"The file is not UTF-8 (byte {error.start} is 0x{content[error.start]:02x}). "
            "Save it as “CSV UTF-8” and send it again."
        ) from None


def read_csv(text: str) -> Read:
    """Read a table of events; one query. Raises Unreadable where there is no table in it."""
    if len(text) > MOST_BYTES:
        raise Unreadable(f"The text has more than {MOST_BYTES} characters. Send it in parts.")
    if "\x00" in text:
        raise Unreadable("There are NUL characters in it: this is no text file.")
    text = text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    head = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";" if ";" in head and "," not in head else ",")
    try:
        names = [name.strip().casefold() for name in next(reader, [])]
        _check_head(names)
        rows, wrong = _read_rows(reader, names)
    except csv.Error as error:
        raise Unreadable(f"Line {reader.line_num} is no CSV: {error}.") from None
    if not rows and not wrong:
        raise Unreadable("There is a line of headings and nothing below it.")
    return Read(_with_known(rows), tuple(wrong))


def _check_head(names: list[str]) -> None:
    if not any(names):
        raise Unreadable("The file is empty.")
    missing = [name for name in NEEDED if name not in names]
    if missing:
        raise Unreadable(
            f"The first line names the columns; {', '.join(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} missing. Known are {', '.join(COLUMNS)}."
        )
    unknown = [name for name in names if name not in COLUMNS and name not in READ_OVER]
    if unknown:
        raise Unreadable(f"No such column: {', '.join(unknown)[:200]}. Known are {', '.join(COLUMNS)}.")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Unreadable(f"The column {', '.join(twice)} stands twice.")


def _read_rows(reader: Any, names: list[str]) -> tuple[list[tuple[int, dict[str, Any]]], list[Wrong]]:
    rows: list[tuple[int, dict[str, Any]]] = []
    wrong: list[Wrong] = []
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        if len(rows) + len(wrong) >= MOST_ROWS:
            raise Unreadable(f"There are more than {MOST_ROWS} events in it. Send it in parts.")
        line = reader.line_num
        if len(cells) != len(names):
            wrong.append(Wrong(line, f"{len(cells)} cells, but {len(names)} columns"))
            continue
        try:
            rows.append((line, _fields(dict(zip(names, map(_plain, cells), strict=True)))))
        except ValidationError as error:
            wrong.append(Wrong(line, _words(error)))
    return rows, wrong


def _plain(cell: str) -> str:
    """What was written before an export made a formula harmless with an apostrophe."""
    if cell.startswith("'") and cell[1:].startswith(_FORMULA_STARTS):
        cell = cell[1:]
    return cell.strip()


def _fields(cells: Mapping[str, str]) -> dict[str, Any]:
    """Raises ValidationError."""
    kind = cells["kind"].casefold()
    fields: dict[str, Any] = {
        "kind": _BY_WORDS.get(kind, kind),
        "title": cells["title"],
        "unit": cells.get("unit", "").upper(),
        "bands": _names("bands", cells.get("bands", "")),
        "detectors": _names("detectors", cells.get("detectors", "")),
        "start": _moment("start", cells["start"]),
        "end": _moment("end", cells["end"]) if cells.get("end") else None,
        "source": cells.get("source", ""),
        "verified": _truth(cells.get("verified", "")),
        "text": cells.get("text", ""),
    }
    check(MissionEvent(**fields))
    return fields


def _names(column: str, cell: str) -> list[str]:
    """A JSON list, as exports write it, or names with blanks or commas between."""
    if not cell:
        return []
    if cell.startswith("["):
        try:
            found = json.loads(cell)
        except ValueError:
            found = None
        if not isinstance(found, list):
            raise ValidationError({column: "this is no list"})
        return [str(name) for name in found]
    names = cell.replace(",", " ").split()
    return [name.zfill(2) if column == "detectors" and name.isdecimal() else name.upper() for name in names]


def _moment(column: str, cell: str) -> datetime:
    try:
        found = datetime.fromisoformat(cell)
    except ValueError:
        try:
            found = datetime.combine(date.fromisoformat(cell), time.min)
        except ValueError:
            text = f"“{cell[:40]}” is no time; write 2026-09-01 or 2026-09-01T10:00:00Z"
            raise ValidationError({column: text}) from None
    try:
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except OverflowError:
        raise ValidationError({column: f"“{cell[:40]}” lies outside of all times"}) from None


def _truth(cell: str) -> bool:
    word = cell.casefold()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    if not word:
        return False
    raise ValidationError({"verified": f"“{cell[:40]}” is neither true nor false"})


def _words(error: ValidationError) -> str:
    found = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
    return "; ".join(f"{name}: {' '.join(texts)}".lstrip(": ") for name, texts in found.items())


def _with_known(rows: Iterable[tuple[int, dict[str, Any]]]) -> tuple[Row, ...]:
    rows = list(rows)
    there = MissionEvent.objects.filter(withdrawn_at__isnull=True, start__in={fields["start"] for _, fields in rows})
    known = {_identity(vars(event)) for event in there}
    found = []
    for line, fields in rows:
        mine = _identity(fields)
        found.append(Row(line, fields, mine in known))
        known.add(mine)
    return tuple(found)


def _identity(fields: Mapping[str, Any]) -> tuple[Any, ...]:
    """What makes two lines one event."""
    parts = (tuple(sorted(fields["bands"])), tuple(sorted(fields["detectors"])))
    return (fields["kind"], fields["title"], fields["unit"], *parts, fields["start"])
