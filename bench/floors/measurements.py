"""The least that writing measurements costs: COPY into the same table, one statement and one transaction a run."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import Any

COLUMNS = (
    *("series_id", "time", "value", "uncertainty", "no_uncertainty", "samples", "run_id", "product_id", "job_kind"),
    *("current", "withdrawn"),
)


def copy_rows(connection: Any, table: str, runs: Iterable[Sequence[Sequence[Any]]]) -> int:
    """Rows (as of ``COLUMNS``) by run; a psycopg2 connection. Hands back how many rows were written."""
    written = 0
    for rows in runs:
        text = "".join("\t".join(map(_text, row)) + "\n" for row in rows)
        with connection, connection.cursor() as cursor:
            cursor.copy_expert(f"COPY {table} ({', '.join(COLUMNS)}) FROM STDIN", io.StringIO(text))
        written += len(rows)
    return written


def _text(value: Any) -> str:
    return r"\N" if value is None else str(value)
