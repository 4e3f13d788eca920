"""Many rows at once, as fast as the database takes them: COPY on PostgreSQL, one statement done many times on SQLite.

For tables of ours that have no history and no signals. Rows are written in the transaction of the caller.
"""

from __future__ import annotations

import io
import json
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any

from django.db import connection

Row = Sequence[Any]
_ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def insert_rows(table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Insert rows of plain values; times have a zone, texts no NUL."""
    names = ", ".join(f'"{name}"' for name in columns)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            text = "".join(["\t".join(map(_copied, row)) + "\n" for row in rows])
            cursor.copy_expert(f'COPY "{table}" ({names}) FROM STDIN', io.StringIO(text))
        else:
            places = ", ".join(["%s"] * len(columns))
            into = f'INSERT INTO "{table}" ({names}) VALUES ({places})'  # noqa: S608 - names of our own
            cursor.executemany(into, [[_plain(value) for value in row] for row in rows])


def update_rows(table: str, columns: Sequence[tuple[str, str]], rows: Collection[Row]) -> None:
    """Set columns (name and PostgreSQL's type) of rows by their ``id``, which is the first value of each."""
    if not rows:
        return
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            sets = ", ".join(f'"{name}" = v."{name}"' for name, _ in columns)
            names = ", ".join(f'"{name}"' for name in ("id", *(name for name, _ in columns)))
            arrays = ", ".join(f"%s::{kind}[]" for kind in ("bigint", *(kind for _, kind in columns)))
            cursor.execute(
                f'UPDATE "{table}" t SET {sets} FROM unnest({arrays}) v({names}) WHERE t.id = v.id',  # noqa: S608 - our names
                [list(column) for column in zip(*rows, strict=True)],
            )
        else:
            sets = ", ".join(f'"{name}" = %s' for name, _ in columns)
            statement = f'UPDATE "{table}" SET {sets} WHERE id = %s'  # noqa: S608 - names of our own
            cursor.executemany(statement, [[*map(_plain, row[1:]), row[0]] for row in rows])


def _copied(value: Any) -> str:
    kind = type(value)
    if kind is float:
        return repr(value)
    if kind is int:
        return str(value)
    if kind is str:
        return value.translate(_ESCAPED) if value else value
    if value is None:
        return r"\N"
    if kind is bool:
        return "t" if value else "f"
    if isinstance(value, str):
        return str(value).translate(_ESCAPED)
    if hasattr(value, "adapted"):  # what psycopg2 wraps JSON in
        return json.dumps(value.adapted).translate(_ESCAPED)
    return str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return str(value.astimezone(UTC).replace(tzinfo=None))
    return value.isoformat() if isinstance(value, date) else value
