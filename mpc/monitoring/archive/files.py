"""Files of archived months. No row is trusted to a file that was not read back and compared."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
from django.conf import settings

COLUMNS = (
    *("id", "series_id", "time_us", "value", "uncertainty", "no_uncertainty", "samples", "run_id", "product_id"),
    *("job_kind", "current", "withdrawn"),
)
_TYPES = (
    *("BIGINT", "BIGINT", "BIGINT", "DOUBLE", "DOUBLE", "VARCHAR", "BIGINT", "BIGINT", "BIGINT", "VARCHAR"),
    *("BOOLEAN", "BOOLEAN"),
)
MEMORY = "1GB"


class BadFile(Exception):
    """A file is not what was written into it; the text says how."""


def folder() -> Path:
    return Path(settings.MPC_MEASUREMENTS_DIR)


def open_duckdb() -> Any:
    connection = duckdb.connect(":memory:")
    connection.execute(f"SET memory_limit = '{MEMORY}'")
    connection.execute("SET threads = 2")
    return connection


def write_month(text: Path, month: date, number: int, wanted: Sequence[Any]) -> tuple[str, int, str]:
    """Make a file of the rows in ``text`` (CSV of ``COLUMNS`` with a head, NULL as \\N); name, bytes and SHA-256 of it.

    ``wanted`` is what the database says of the rows: how many, and the sums of ids, times and samples. The file appears
    when it was read back, every row is in it, and it is on the disk. Raises BadFile.
    """
    place = folder() / f"{month:%Y-%m}-{number}.parquet"
    place.parent.mkdir(parents=True, exist_ok=True)
    aside = place.with_name(f".{place.name}.{os.getpid()}")
    types = ", ".join(f"'{name}': '{kind}'" for name, kind in zip(COLUMNS, _TYPES, strict=True))
    try:
        with closing(open_duckdb()) as db:
            db.execute(
                f"CREATE TABLE given AS SELECT * FROM read_csv($1, header = true, nullstr = '\\N', quote = '\"', "  # noqa: S608 - our names
                f"escape = '\"', columns = {{{types}}})",
                [str(text)],
            )
            db.execute(
                f"COPY (SELECT * FROM given ORDER BY series_id, time_us, id) TO '{_quoted(aside)}' (FORMAT parquet)"  # noqa: S608 - our names
            )
            same = "SELECT count(*) FROM (SELECT * FROM {0} EXCEPT ALL SELECT * FROM {1})"
            parquet = f"read_parquet('{_quoted(aside)}')"
            lost = db.execute(same.format("given", parquet)).fetchone()[0]
            strange = db.execute(same.format(parquet, "given")).fetchone()[0]
            sums = "SELECT count(*), sum(id), sum(time_us), sum(samples) FROM "
            found = [int(n or 0) for n in db.execute(sums + parquet).fetchone()]
        if lost or strange or found != [int(n or 0) for n in wanted]:
            raise BadFile(
                f"{place.name}: read back, {lost} rows are missing and {strange} others are there; "
                f"count and sums are {found}, in the database {list(wanted)}"
            )
        with aside.open("rb+") as file:
            os.fsync(file.fileno())
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = aside.stat().st_size
        aside.replace(place)
    finally:
        aside.unlink(missing_ok=True)
    return place.name, size, digest


def read_months(
    names: Iterable[str], columns: Sequence[str], *, series: Sequence[int] | None = None,
    since_us: int | None = None, until_us: int | None = None, shown: bool = True, limit: int | None = None,
) -> list[tuple[Any, ...]]:  # fmt: skip
    """Rows of these files; times are in microseconds since 1970. Raises BadFile for a file that is not there."""
    places = [str(folder() / name) for name in names]
    if missing := [place for place in places if not Path(place).is_file()]:
        raise BadFile(f"the archived months {', '.join(Path(place).name for place in missing)} are not there")
    if not places:
        return []
    conditions: list[str] = []
    values: list[Any] = [places]
    for condition, value in (
        ("series_id IN (SELECT unnest($%d::BIGINT[]))", None if series is None else list(series)),
        ("time_us >= $%d", since_us),
        ("time_us < $%d", until_us),
    ):
        if value is not None:
            values.append(value)
            conditions.append(condition % len(values))
    if shown:
        conditions.append('"current" AND NOT withdrawn')
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    names_read = ", ".join(f'"{name}"' for name in columns)
    end = f"LIMIT {limit:d}" if limit is not None else ""
    with closing(open_duckdb()) as db:
        return db.execute(f"SELECT {names_read} FROM read_parquet($1) {where} {end}", values).fetchall()  # noqa: S608 - our names


def _quoted(place: Path) -> str:
    return str(place).replace("'", "''")
