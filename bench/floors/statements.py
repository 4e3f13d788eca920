"""The least that answering a page costs: its own statements, put to the bare cursor of the database, all rows fetched.

The time of the page beyond this is the server's own. Nothing of Django stands between: the statements are in the
database module's own manner, the parameters as it takes them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Statement = tuple[str, Any]
"""SQL with the placeholders of the database module, and its parameters (None for none)."""


def replay(connection: Any, statements: Iterable[Statement]) -> int:
    """Execute the statements on an open DB-API connection; the number of rows that came back."""
    rows = 0
    for sql, parameters in statements:
        cursor = connection.cursor()
        try:
            cursor.execute(sql) if parameters is None else cursor.execute(sql, parameters)
            if cursor.description is not None:
                rows += len(cursor.fetchall())
        finally:
            cursor.close()
    return rows
