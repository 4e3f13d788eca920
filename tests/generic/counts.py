"""The committed number of SQL queries of each view: ``query_counts.json``.

A test fails when a view asks another number of times than is written there. After a change that is meant:
``MPC_WRITE_QUERY_COUNTS=1 pytest tests/generic`` writes the file anew; the difference is then read like any other.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

PLACE = Path(__file__).with_name("query_counts.json")
WRITING = bool(os.environ.get("MPC_WRITE_QUERY_COUNTS"))


def statements(ask: Callable[[], Any]) -> list[str]:
    """The SQL that a call asks, after one call that fills what is kept between requests."""
    ask()
    with CaptureQueriesContext(connection) as asked:
        ask()
    return [query["sql"] for query in asked.captured_queries]


def committed() -> dict[str, int]:
    return json.loads(PLACE.read_text()) if PLACE.exists() else {}


def check_count(name: str, few: list[str], many: list[str]) -> None:
    """The same number for few rows and for many, and the one that is committed for this name."""
    more = "\n".join(sql[:300] for sql in many if many.count(sql) > few.count(sql))
    assert len(few) == len(many), f"{name}: {len(few)} queries for few rows, {len(many)} for many; more of:\n{more}"
    known = committed()
    if WRITING:
        PLACE.write_text(json.dumps({**known, name: len(many)}, indent=1, sort_keys=True) + "\n")
        return
    assert name in known, f"{name} is not in {PLACE.name} (MPC_WRITE_QUERY_COUNTS=1 writes it)"
    assert len(many) == known[name], (
        f"{name}: {len(many)} queries, {known[name]} are committed (MPC_WRITE_QUERY_COUNTS=1 writes them anew):\n"
        + "\n".join(sql[:200] for sql in many)
    )
