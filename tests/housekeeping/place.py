"""A centre of its own for a test: a folder, a database, and the commands as an operator types them."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg2

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 300.0
# What a database notes about itself, what differs by when its tables were made, and which software worked last.
NOT_OURS = {"django_migrations", "sqlite_sequence", "sqlite_stat1", "runs_deployment"}
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Place:
    """``database_url`` is empty for SQLite in the folder."""

    def __init__(self, folder: Path, database_url: str = "") -> None:
        self.folder = folder
        self.database_url = database_url
        dropped = {"DATABASE_URL", "MPC_BROKER_URL", "MPC_USER", "MPC_INBOX"}
        self.environment = {k: v for k, v in os.environ.items() if k not in dropped and not k.startswith("PYTEST")}
        self.environment |= {"MPC_DATA_DIR": str(folder), "MPC_GIT_COMMIT": "test", "MPC_LOG_LEVEL": "WARNING"}
        if database_url:
            self.environment["DATABASE_URL"] = database_url

    def manage(self, *arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
        return self.python("manage.py", *arguments, **more)

    def python(self, *arguments: str, said: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments], cwd=ROOT, env=self.environment | environment, capture_output=True, text=True,
            input=said, timeout=PATIENCE_S, check=False,
        )  # fmt: skip

    # --- What is there -----------------------------------------------------------------------------------------------
    @contextlib.contextmanager
    def database(self) -> Any:
        """A connection past the site. Closed at the end; what was written is kept."""
        if self.database_url:
            connection = psycopg2.connect(self.database_url)
        else:
            connection = sqlite3.connect(self.folder / "mpc.sqlite3", timeout=20)
        try:
            with connection:
                yield connection
        finally:
            connection.close()

    def execute(self, sql: str) -> list[tuple[Any, ...]]:
        with self.database() as connection:
            cursor = connection.cursor()
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def contents(self) -> dict[str, list[dict[str, Any]]]:
        """Every row of every table, by column, in one form for both databases."""
        with self.database() as connection:
            cursor = connection.cursor()
            if self.database_url:
                # A table that is in parts is read as one.
                cursor.execute(
                    "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace "
                    "AND relkind IN ('r', 'p') AND NOT relispartition"
                )
            else:
                cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            found = {}
            for (table,) in cursor.fetchall():
                if table not in NOT_OURS:
                    booleans = self._booleans(connection.cursor(), table)
                    cursor.execute(f'SELECT * FROM "{table}"')
                    columns = [column[0] for column in cursor.description]
                    rows = [
                        {c: _plain(v, boolean=c in booleans) for c, v in zip(columns, row, strict=True)}
                        for row in cursor.fetchall()
                    ]
                    found[table] = sorted(rows, key=lambda row: json.dumps(row, sort_keys=True, default=str))
            return found

    def _booleans(self, cursor: Any, table: str) -> set[str]:
        if self.database_url:
            return set()  # the driver knows them
        cursor.execute(f'PRAGMA table_info("{table}")')
        return {name for _, name, kind, *_ in cursor.fetchall() if kind == "bool"}

    def files(self, room: str) -> dict[str, str]:
        """SHA-256 by path of the files below ``uploads`` or ``runs``."""
        root = self.folder / room
        return {
            str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(root.rglob("*"))
            if path.is_file()
        }

    def state(self) -> tuple[Any, ...]:
        return self.contents(), *(self.files(room) for room in ("uploads", "runs", "measurements"))


def _plain(value: Any, *, boolean: bool) -> Any:
    """A value as both databases mean it: SQLite keeps times and JSON as text and truth as a number."""
    if boolean and value is not None:
        return bool(value)
    if isinstance(value, memoryview):
        return bytes(value)
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat() if value.tzinfo else value.replace(tzinfo=UTC).isoformat()
    if isinstance(value, str) and UUID.fullmatch(value):
        return value.replace("-", "")
    if isinstance(value, str) and value[:1] in '{["':
        with contextlib.suppress(ValueError):
            return json.loads(value)
    if isinstance(value, str) and value[4:5] == "-" and value[10:11] == " ":
        with contextlib.suppress(ValueError):
            return datetime.fromisoformat(value).replace(tzinfo=UTC).isoformat()
    return value if isinstance(value, (str, int, float, bytes, dict, list, type(None))) else str(value)


def without_new_audit(contents: dict[str, list[dict[str, Any]]], action: str) -> dict[str, list[dict[str, Any]]]:
    """The contents but for the one newest entry of the audit, which must be about ``action``."""
    entries = sorted(contents["accounts_auditentry"], key=lambda row: row["id"])
    assert entries[-1]["action"] == action
    return {
        **contents,
        "accounts_auditentry": [row for row in contents["accounts_auditentry"] if row is not entries[-1]],
    }
