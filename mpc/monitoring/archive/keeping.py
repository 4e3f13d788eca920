"""The step that archives and brings back; one month a turn."""

from __future__ import annotations

import logging
import tempfile
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from mpc.jobs import every
from mpc.monitoring import partitions
from mpc.monitoring.archive import files
from mpc.monitoring.archive.files import BadFile
from mpc.monitoring.bulk import insert_rows
from mpc.monitoring.models import ArchivedMonth, Measurement
from mpc.monitoring.rollups.marks import mark_times
from mpc.monitoring.rollups.times import month_start
from mpc.products.models import Product

logger = logging.getLogger(__name__)
STEP_S = 60.0
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@every(STEP_S, "monitoring.archive")
def keep_archive() -> None:
    """Bring back a month that was touched, else archive one that is due."""
    touched = ArchivedMonth.objects.filter(touched_at__isnull=False).order_by("touched_at").first()
    try:
        if touched is not None:
            bring_back(touched.month)
        elif due := months_due(timezone.now().date()):
            archive_month(due[0])
    except OperationalError as error:
        logger.warning("the archive of measurements waits for the next turn: %s", str(error).strip())


def months_due(today: date) -> list[date]:
    """Months with a partition that are past their retention, oldest first; none without the setting or partitions."""
    months = settings.MPC_MEASUREMENT_RETENTION_MONTHS
    if not months:
        return []
    if not partitions.partitioned():
        logger.warning("MPC_MEASUREMENT_RETENTION_MONTHS does nothing on SQLite: months are archived on PostgreSQL")
        return []
    oldest = month_start(today)
    for _ in range(months):
        oldest = month_start(oldest - timedelta(days=1))
    return sorted(month for month in partitions.months_there() if month < oldest)


@transaction.atomic
def archive_month(month: date) -> ArchivedMonth | None:
    """Write a month into a file, verify it, and drop its partition; nobody writes to the month meanwhile.

    None when the month is archived already (a touched one is brought back first). Raises BadFile, and OperationalError
    when somebody holds the tables too long; nothing has changed then.
    """
    name = partitions.partition_of(month)
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{partitions.LOCK_WAIT}'")
        cursor.execute(f'LOCK TABLE "{name}" IN SHARE MODE')
        if ArchivedMonth.objects.filter(month=month).exists():
            # A late value made the month anew: all of it comes together first.
            ArchivedMonth.objects.filter(month=month).update(touched_at=timezone.now())
            return None
        microseconds = "(extract(epoch from time) * 1000000)::bigint"
        cursor.execute(f'SELECT count(*), sum(id), sum({microseconds}), sum(samples) FROM "{name}"')  # noqa: S608 - our names
        wanted = cursor.fetchone()
        with tempfile.TemporaryDirectory(dir=_aside()) as folder:
            text = Path(folder) / "month.csv"
            columns = ", ".join(f"{microseconds} AS time_us" if c == "time_us" else f'"{c}"' for c in files.COLUMNS)
            with text.open("w", encoding="utf-8") as file:
                cursor.copy_expert(
                    f"COPY (SELECT {columns} FROM \"{name}\") TO STDOUT (FORMAT csv, HEADER, NULL '\\N')",  # noqa: S608 - our names
                    file,
                )
            made, size, digest = files.write_month(text, month, int(timezone.now().timestamp()), wanted)
        found = ArchivedMonth.objects.create(
            month=month, file=made, rows=wanted[0], size=size, sha256=digest, archived_at=timezone.now()
        )
        cursor.execute(f'DROP TABLE "{name}"')
    logger.info("archived %s: %s measurements in %s", found, found.rows, found.file)
    return found


def _aside() -> Path:
    files.folder().mkdir(parents=True, exist_ok=True)
    return files.folder()


def bring_back(month: date) -> int:
    """Put the measurements of an archived month back into the table; how many they were.

    What a later run measured anew is superseded there, what was measured of withdrawn products is hidden, and counts
    and roll-ups follow. The file goes when that is done.
    """
    archived = ArchivedMonth.objects.get(month=month)
    partitions.make_partitions([month])
    rows = files.read_months([archived.file], files.COLUMNS, shown=False)
    if len(rows) != archived.rows:
        raise BadFile(f"{archived.file} holds {len(rows)} rows and not {archived.rows}")
    with transaction.atomic():
        if not ArchivedMonth.objects.select_for_update().filter(pk=archived.pk).exists():
            return 0
        _put_back(month, rows)
        ArchivedMonth.objects.filter(pk=archived.pk).delete()
    (files.folder() / archived.file).unlink(missing_ok=True)
    logger.info("brought back %s: %s measurements", archived, len(rows))
    return len(rows)


def _put_back(month: date, rows: list[tuple[Any, ...]]) -> None:
    from mpc.monitoring.services import COLUMNS, _keep_counts, _lock

    known = set(Product.objects.filter(pk__in={row[8] for row in rows if row[8]}).values_list("pk", flat=True))
    withdrawn = set(Product.objects.withdrawn().filter(pk__in=known).values_list("pk", flat=True))
    kept = {pk: one for pk, (_, one) in _lock({row[1] for row in rows}).items()}
    newer = _newer(rows)
    added: list[tuple[int, datetime]] = []
    gone: list[tuple[int, datetime]] = []
    made = []
    for pk, series, time_us, value, uncertainty, why, samples, run, product, kind, current, hidden in rows:
        time = EPOCH + timedelta(microseconds=time_us)
        now_current = current and _place(series, product, time, kind) not in newer
        now_hidden = product in withdrawn
        counted, counts = current and not hidden, now_current and not now_hidden
        if counted and not counts:
            gone.append((series, time))
        elif counts and not counted:
            added.append((series, time))
        made.append((pk, series, time, value, uncertainty, why, samples, run, product, kind, now_current, now_hidden))
    insert_rows(Measurement._meta.db_table, ("id", *COLUMNS), made)
    changed = {series for series, _ in (*added, *gone)}
    if changed:
        _keep_counts({pk: one for pk, one in kept.items() if pk in changed}, added, gone)
    mark_times([(row[1], row[2]) for row in made])


def _place(series: int, product: int | None, time: datetime, kind: str) -> tuple[Any, ...]:
    return (series, product, kind) if product else (series, time, kind)


def _newer(rows: list[tuple[Any, ...]]) -> set[tuple[Any, ...]]:
    """Where the table has current values that take the place of archived ones."""
    products = sorted({row[8] for row in rows if row[8]})
    series = sorted({row[1] for row in rows if not row[8]})
    current = Measurement.objects.filter(current=True).order_by()
    found: dict[str, set[tuple[Any, ...]]] = defaultdict(set)
    columns = ("series_id", "product_id", "time", "job_kind")
    for start in range(0, len(products), 1000):
        own = current.filter(product__in=products[start : start + 1000]).values_list(*columns)
        found["all"] |= {_place(s, p, t, k) for s, p, t, k in own}
    if series:
        times = [EPOCH + timedelta(microseconds=row[2]) for row in rows if not row[8]]
        own = current.filter(product=None, series__in=series, time__gte=min(times), time__lte=max(times))
        found["all"] |= {_place(s, p, t, k) for s, p, t, k in own.values_list(*columns)}
    return found["all"]
