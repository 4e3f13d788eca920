"""CSV and JSON of a list: the same rows as the page's filter, streamed, as raw values, not rendered cells."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Model, QuerySet
from django.http import StreamingHttpResponse
from django_tables2 import Table
from django_tables2.utils import call_with_appropriate

EXPORT_LIMIT = 50_000
CHUNK = 1000
# A spreadsheet runs such a cell as a formula (OWASP, "CSV Injection"); the apostrophe makes it text again.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


_long_export: list[str] = []


def set_long_export(url_name: str) -> None:
    """Name the address that takes ``address`` by POST and has a run write what is too long to be streamed."""
    _long_export[:] = [url_name]


def long_export() -> str:
    """That address by name; "" when nobody does it."""
    return _long_export[0] if _long_export else ""


@dataclass(frozen=True)
class ExportColumn:
    """``name`` is the key in JSON and the first line of the CSV; it does not change when a title is reworded."""

    name: str
    title: str


def columns_of(table: Table) -> list[ExportColumn]:
    """All columns of a table that carry data, whatever columns this person has chosen to see."""
    return [
        ExportColumn(bound.name, str(bound.header))
        for bound in table.columns.iterall()
        if not bound.column.exclude_from_export
    ]


def rows_of(table: Table, columns: Sequence[ExportColumn]) -> Iterator[list[Any]]:
    """The rows as plain values, in the order of the table, read from the database in chunks."""
    data = table.data.data
    records: Iterable[Any] = data.iterator(chunk_size=CHUNK) if isinstance(data, QuerySet) else data
    for record in records:
        yield [_value(table, record, column.name) for column in columns]


def _value(table: Table, record: Any, name: str) -> Any:
    bound = table.columns[name]
    own = getattr(table, f"value_{name}", None) or getattr(bound.column, "export_value", None)
    try:
        raw = bound.accessor.resolve(record, quiet=False)
    except (AttributeError, KeyError, TypeError, ValueError):
        raw = None
    return plain(call_with_appropriate(own, {"value": raw, "record": record, "table": table}) if own else raw)


def plain(value: Any) -> Any:
    """A cell as CSV and JSON know it: text, number, true or false, or None. Times become ISO text with Z."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return float(value) if value.is_finite() else None
    if isinstance(value, datetime | date):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, list | tuple | set):
        return [plain(inner) for inner in value]
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, Model | UUID):
        return str(value)
    if hasattr(value, "item") and callable(value.item):  # a numpy scalar
        return plain(value.item())
    return str(value)


def csv_cell(value: Any) -> Any:
    """A cell for CSV: text that a spreadsheet would run is neutralised; numbers stay numbers; lists become JSON."""
    if value is None:
        return ""
    if isinstance(value, list | dict):
        value = json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return f"'{value}"
    return value


class _Echo:
    """A file that hands each written line straight back."""

    def write(self, line: str) -> str:
        return line


def csv_lines(columns: Sequence[ExportColumn], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield writer.writerow([csv_cell(column.name) for column in columns])
    for row in rows:
        yield writer.writerow([csv_cell(value) for value in row])


def json_pieces(columns: Sequence[ExportColumn], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    names = [column.name for column in columns]
    lead = "[\n"
    for row in rows:
        yield lead + json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False, allow_nan=False)
        lead = ",\n"
    yield "[]\n" if lead == "[\n" else "\n]\n"


MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}


def pieces_of(table: Table, file_format: str, each: Callable[[int], object] = lambda number: None) -> Iterator[str]:
    """A table as ``csv`` or ``json`` in small pieces; ``each(number)`` is called after each row. Raises ValueError for
    another format."""
    if file_format not in MEDIA_TYPES:
        raise ValueError(f"unknown export format {file_format!r}: csv and json are known")
    columns = columns_of(table)
    rows = _counted(rows_of(table, columns), each)
    return csv_lines(columns, rows) if file_format == "csv" else json_pieces(columns, rows)


def _counted(rows: Iterable[list[Any]], each: Callable[[int], object]) -> Iterator[list[Any]]:
    for number, row in enumerate(rows, 1):
        yield row
        each(number)


def export_response(table: Table, file_format: str, name: str) -> StreamingHttpResponse:
    """Stream a table as ``csv`` or ``json`` under the file name ``name``. Raises ValueError for another format."""
    pieces = pieces_of(table, file_format)
    response = StreamingHttpResponse(_in_blocks(pieces), content_type=MEDIA_TYPES[file_format])
    response["Content-Disposition"] = f'attachment; filename="{name}.{file_format}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _in_blocks(pieces: Iterator[str], size: int = 64 * 1024) -> Iterator[str]:
    """Join small pieces, so that a row does not cost a write to the socket."""
    block: list[str] = []
    length = 0
    for piece in pieces:
        block.append(piece)
        length += len(piece)
        if length >= size:
            yield "".join(block)
            block, length = [], 0
    if block:
        yield "".join(block)
