"""Fills an empty database with a mission: products, runs, quality reports and their checks, as many as wished.

Rows go in by SQL, thousands at a time; a column of which nothing is said here has its model's default. One product is
real: simulated, taken in and checked like any other, so that its pages show all that pages show.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import StringIO
from itertools import chain, islice
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection, models, transaction
from django.utils import timezone

from mpc.products.models import Intake, Product
from mpc.runs.models import Run
from processors.simulator.products import ProductSpec, write_product
from qc.checks.registry import inspections_for
from qc.models import CheckResult, QualityReport

CHECKS_PER_PRODUCT = 50
"""On the mean: a report has fewer, and some products were checked twice."""

SPACING = timedelta(seconds=50)
UNITS = ("S2A", "S2B", "S2C")
BASELINES = ("05.10", "05.11", "05.12")
TILES = tuple(
    f"{zone}{band}{square}" for zone in range(30, 35) for band in "STU" for square in ("MM", "NM", "PL", "QK")
)
VERDICTS = ("PASSED",) * 85 + ("FAILED",) * 10 + ("INCOMPLETE",) * 5
CHUNK = 5000

Row = dict[str, Any]


@dataclass(frozen=True)
class Checked:
    """One quality control of one product: the rows that belong to it are told by these numbers."""

    number: int
    sensed: datetime
    product: int
    run: int
    report: int
    current: bool

    @property
    def verdict(self) -> str:
        return VERDICTS[self.number * 37 % len(VERDICTS)]

    @property
    def unit(self) -> str:
        return UNITS[self.number % len(UNITS)]


def fill(products: int, *, of: int) -> str:
    """Put ``products`` of a mission of ``of``, spread over its time, into the empty database; they have a run and a
    report each. So a page that shows what is new has the same to show for few as for many.

    Returns the name of the product that is real.
    """
    real = _take_in_one()
    begin = _begin(of)
    _fill(range(products), lambda number: begin + number * (of // products) * SPACING)
    return real


def fill_on(products: int, *, of: int) -> None:
    """The others of the mission, where ``products`` are there."""
    begin = _begin(of) + SPACING / 2
    _fill(range(products, of), lambda number: begin + number * SPACING)


def _begin(of: int) -> datetime:
    """The last of the mission has just come in."""
    return timezone.now().replace(microsecond=0) - timedelta(hours=4) - of * SPACING


def _fill(numbers: range, moment: Callable[[int], datetime]) -> None:
    inspections = inspections_for("L1C", "product")
    # So many of them were checked before, as spread evenly as may be.
    twice = CHECKS_PER_PRODUCT / len(inspections) - 1
    plan = list(_plan(numbers, twice, moment))
    newest = [checked for checked in plan if checked.current]
    with transaction.atomic():
        insert(Product, map(_product, newest))
        insert(Intake, map(_intake, newest))
        insert(Run, map(_run, plan))
        insert(QualityReport, map(_report, plan))
        _insert_checks(inspections, plan[0].report)
    _count_on()


def counts() -> dict[str, int]:
    """Rows of the tables that were filled."""
    return {
        str(model._meta.verbose_name_plural): model.objects.count()
        for model in (Product, Run, QualityReport, CheckResult)
    }


def _take_in_one() -> str:
    """Simulate a product, take it in and check it in place."""
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(StringIO()):
        written = write_product(ProductSpec(baseline="05.12"), Path(folder))
        call_command("ingest", str(written.path), "--wait", stdout=StringIO(), stderr=StringIO())
    return written.name.removesuffix(".SAFE")


def _plan(numbers: range, twice: float, moment: Callable[[int], datetime]) -> Iterator[Checked]:
    """An older control comes before the newest of the same product."""
    product, run, report = (_top(model) + 1 for model in (Product, Run, QualityReport))
    for number in numbers:
        again = int((number + 1) * twice) > int(number * twice)
        for current in (False, True) if again else (True,):
            yield Checked(number, moment(number), product + number - numbers.start, run, report, current)
            run, report = run + 1, report + 1


def _top(model: type[models.Model]) -> int:
    return model.objects.aggregate(top=models.Max("pk"))["top"] or 0


def _product(one: Checked) -> Row:
    chance = random.Random(one.number)
    tile = TILES[chance.randrange(len(TILES))]
    baseline, level = chance.choice(BASELINES), "L2A" if one.number % 4 == 3 else "L1C"
    orbit = one.number // 700 % 143 + 1
    stamp, made = f"{one.sensed:%Y%m%dT%H%M%S}", one.sensed + timedelta(hours=3)
    name = f"{one.unit}_MSI{level}_{stamp}_N{baseline.replace('.', '')}_R{orbit:03d}_T{tile}_{made:%Y%m%dT%H%M%S}"
    return {
        "id": one.product,
        "name": name,
        "kind": "product",
        "level": level,
        "unit": one.unit,
        "status": one.verdict,
        "observation": f"{one.unit}_{level}_{stamp}_{tile}",
        "datatake_id": f"G{one.unit}_{stamp}_{40_000 + one.number // 100:06d}_N{baseline}",
        "datastrip_id": f"{one.unit}_OPER_MSI_{level}_DS_2BPS_{stamp}_S{stamp}_N{baseline}",
        "absolute_orbit": 40_000 + one.number // 100,
        "relative_orbit": orbit,
        "tile": tile,
        "tiles": [tile],
        "baseline": baseline,
        "sensing_start": one.sensed,
        "generation_time": made,
        "discriminator": f"{made:%Y%m%dT%H%M%S}",
        "cloud_cover": round(100 * chance.random() ** 2, 4),
        "nodata_percentage": round(max(0.0, 60 * chance.random() - 30), 4),
        "degraded_msi": 0.0,
        "sun_zenith": round(30 + 40 * chance.random(), 3),
        "path": f"/archive/{one.sensed:%Y/%m/%d}/{name}.SAFE",
        "container": "folder",
        "layout": "compact",
        "size": chance.randrange(400_000_000, 900_000_000),
        "checksum": f"sha256:{one.number:064x}",
        "taken_in": made + timedelta(minutes=20),
    }


def _intake(one: Checked) -> Row:
    return {
        "at": one.sensed + timedelta(hours=3, minutes=20),
        "trigger": "inbox",
        "source": f"/inbox/{one.number:08d}.zip",
        "result": Intake.Result.TAKEN,
        "product": one.product,
    }


def _run(one: Checked) -> Row:
    began = one.sensed + timedelta(hours=3, minutes=21 if one.current else 20)
    return {
        "id": one.run,
        "kind": "qc.product",
        "title": f"Quality control of product {one.product}",
        "state": "succeeded",
        "product": one.product,
        "trigger": "arrival",
        "requested_at": began,
        "queue": "qc",
        "attempt": 1,
        "started_at": began,
        "finished_at": began + timedelta(seconds=45),
        "progress": 1.0,
        "verdict": one.verdict,
        "summary": "32 of 32 required checks passed",
        "cpu_s": 81.5,
        "wall_s": 45.25,
        "peak_rss_mb": 931.0,
    }


def _report(one: Checked) -> Row:
    return {
        "id": one.report,
        "product": one.product,
        "run": one.run,
        "verdict": one.verdict,
        "summary": "32 of 32 required checks passed",
        "counts": {"passed": 35, "not_checked": 2},
        "required_failed": int(one.verdict == "FAILED"),
        "made": one.sensed + timedelta(hours=3, minutes=22),
        "current": one.current,
    }


def insert(model: type[models.Model], rows: Iterable[Row]) -> None:
    """Rows by field name, all of the same fields; a foreign key is the number of its row."""
    rows = iter(rows)
    first = next(rows, None)
    if first is None:
        return
    fields = [f for f in model._meta.local_concrete_fields if f.name in first or not isinstance(f, models.AutoField)]
    common = {field.name: _default(field) for field in fields if field.name not in first}

    def values(row: Row) -> tuple[Any, ...]:
        return tuple(
            field.get_db_prep_save(row[field.name], connection) if field.name in row else common[field.name]
            for field in fields
        )

    quote = connection.ops.quote_name
    target = f"{quote(model._meta.db_table)} ({', '.join(quote(field.column) for field in fields)})"
    everything = map(values, chain([first], rows))
    with connection.cursor() as cursor:
        while chunk := list(islice(everything, CHUNK)):
            if connection.vendor == "postgresql":
                from psycopg2.extras import execute_values

                execute_values(cursor.cursor, f"INSERT INTO {target} VALUES %s", chunk, page_size=1000)
            else:
                cursor.executemany(f"INSERT INTO {target} VALUES ({', '.join(['%s'] * len(fields))})", chunk)


def _default(field: models.Field) -> Any:
    """As the column holds it: the default, now where the model says so, else null or the empty text."""
    if getattr(field, "auto_now_add", False) or getattr(field, "auto_now", False):
        return field.get_db_prep_save(timezone.now(), connection)
    value = field.get_default()
    return field.get_db_prep_save("" if value is None and not field.null else value, connection)


def _insert_checks(inspections: Iterable[Any], first_report: int) -> None:
    """All checks of all reports in one statement; three in a hundred did not pass."""
    quote = connection.ops.quote_name
    chosen = "(report.id * 7919 + kind.place * 104729) %% 1000"
    known = {
        "report": "report.id",
        "order": "kind.place",
        "check_id": "kind.check_id",
        "title": "kind.title",
        "group": "kind.part",
        "required": "kind.required",
        "reference": "kind.reference",
        "status": f"CASE WHEN {chosen} < 12 THEN 'failed' WHEN {chosen} < 30 THEN 'warning' "
        f"WHEN {chosen} < 60 THEN 'not_checked' ELSE 'passed' END",
        "expected": "'69 files listed'",
        "measured": "'all there'",
        "message": f"CASE WHEN {chosen} < 30 THEN '2 files have another size than the manifest says' ELSE '' END",
    }
    fields = [field for field in CheckResult._meta.local_concrete_fields if not field.primary_key]
    others = [field for field in fields if field.name not in known]
    columns = ", ".join(quote(field.column) for field in [f for f in fields if f.name in known] + others)
    values = [known[field.name] for field in fields if field.name in known]
    values += [f"CAST(%s AS {field.db_type(connection)})" for field in others]
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE kind (place integer, check_id varchar(60), title varchar(160), part varchar(12), "
            "required boolean, reference varchar(200))"
        )
        cursor.executemany(
            "INSERT INTO kind VALUES (%s, %s, %s, %s, %s, %s)",
            [(n, i.id, i.title, i.group, i.required, i.reference[:200]) for n, i in enumerate(inspections)],
        )
        cursor.execute(
            f"INSERT INTO {quote(CheckResult._meta.db_table)} ({columns}) SELECT {', '.join(values)} "
            f"FROM {quote(QualityReport._meta.db_table)} report CROSS JOIN kind WHERE report.id >= %s "
            "ORDER BY report.id, kind.place",
            [*(_default(field) for field in others), first_report],
        )
        cursor.execute("DROP TABLE kind")


def _count_on() -> None:
    """New rows get numbers behind the last, and PostgreSQL knows what it holds, as it does by itself after a while."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(
            no_style(), [Product, Intake, Run, QualityReport, CheckResult]
        ):
            cursor.execute(statement)
        if connection.vendor == "postgresql":
            cursor.execute("ANALYZE")
