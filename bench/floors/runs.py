"""The least that keeping a run in a table costs: its row written once and changed three times, by bare SQL.

Asking, claiming and finishing are a transaction each, as nobody may see one of them half. Imports nothing of ours.
"""

from __future__ import annotations

from typing import Any

TABLE = "CREATE TABLE bare_run (id INTEGER PRIMARY KEY, state TEXT, attempt INTEGER, text TEXT)"
INSERT = "INSERT INTO bare_run (id, state, attempt, text) VALUES ({0}, 'queued', 0, {0})"
CHANGES = (
    "UPDATE bare_run SET state = 'running', attempt = attempt + 1 WHERE id = {0} AND state = 'queued'",
    "UPDATE bare_run SET text = 'half done' WHERE id = {0} AND attempt = 1 AND state = 'running'",
    "UPDATE bare_run SET state = 'succeeded', text = 'done' WHERE id = {0} AND attempt = 1 AND state = 'running'",
)


def rows_by_bare_sql(connection: Any, count: int, placeholder: str) -> None:
    """On an open DB-API connection: ``count`` rows, each in four transactions; the table is made for it."""
    cursor = connection.cursor()
    cursor.execute("DROP TABLE IF EXISTS bare_run")
    cursor.execute(TABLE)
    connection.commit()
    for number in range(count):
        for statement in (INSERT, *CHANGES):
            marks = statement.count("{0}")
            cursor.execute(statement.format(placeholder), (number,) * marks)
            connection.commit()
    cursor.close()
