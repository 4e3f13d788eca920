"""Months of the table of measurements on PostgreSQL, in a database of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from mpc.monitoring import partitions
from tests.monitoring.rollups.test_storm import on_server

ROOT = Path(__file__).resolve().parents[2]

SCRIPT = """
import json, django
django.setup()
from datetime import UTC, datetime
from django.db import connection
from mpc.monitoring import partitions, services
from mpc.monitoring.models import Measurement, Metric
from mpc.jobs import MeasuredValue, Outcome
from mpc.products.models import Product
from mpc.runs.models import Run
told = {}

def at(text, number=1.0, **more):
    when = datetime.fromisoformat(text + "+00:00")
    return MeasuredValue(metric="a.b", time=when, value=number, samples=1, no_uncertainty="x", unit="S2A", **more)

def store(*values, product=None):
    run = Run.objects.create(kind="a.b", title="x", queue="q", trigger="user", state="succeeded", product=product)
    services.store_measurements(run, Outcome(summary="", measurements=values))
    return run.pk

def where():
    with connection.cursor() as cursor:
        cursor.execute("select tableoid::regclass::text, value from monitoring_measurement order by time, id")
        return cursor.fetchall()

Metric.objects.create(code="a.b", name="x")
partitions.KeepMonths()()
told["ahead"] = sorted(str(m) for m in partitions.months_there())
store(at("2019-02-03T10:00:00", 1.0), at("2019-03-01T00:00:00", 2.0), at("1999-01-01T00:00:00", 3.0))
told["before"] = where()
partitions.KeepMonths()()
told["after"] = where()
store(at("2019-02-28T23:59:59.999999", 4.0))
told["then"] = where()
told["orm"] = list(Measurement.objects.filter(pk__gt=0).order_by("pk").values_list("pk", "value"))

product = Product.objects.create(name="p", observation="p", kind="product", level="L1C", unit="S2A", path="p",
                                 container="zip", size=1, checksum="x")
store(at("2019-02-10T00:00:00", 10.0), product=product)
store(at("2019-03-10T00:00:00", 11.0), product=product)
own = Measurement.objects.filter(product=product)
told["once"] = list(own.order_by("time").values_list("value", "current"))
services.hide_product(product.pk)
told["hidden"] = list(own.values_list("withdrawn", flat=True))
with connection.cursor() as cursor:
    cursor.execute("select indexdef from pg_indexes where indexname = 'measurement_once_a_product'")
    told["unique"] = cursor.fetchone()[0]
    cursor.execute("select relkind from pg_class where relname = 'monitoring_measurement'")
    told["kind"] = cursor.fetchone()[0]
    cursor.execute("select count(*) from pg_constraint where contype = 'f' and conrelid = "
                   "'monitoring_measurement_2019_02'::regclass")
    told["keys"] = cursor.fetchone()[0]
    cursor.execute("select count(*) from pg_constraint where contype = 'c' and conrelid = "
                   "'monitoring_measurement_2019_02'::regclass")
    told["checks"] = cursor.fetchone()[0]
print(json.dumps(told))
"""


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    server = os.environ.get("MPC_TEST_POSTGRES")
    if not server:
        pytest.skip("no PostgreSQL server: set MPC_TEST_POSTGRES=postgres://user@host/database")
    name = f"mpc_test_{uuid.uuid4().hex[:10]}"
    on_server(server, f"create database {name}")
    own = {
        k: v for k, v in os.environ.items() if k not in ("MPC_BROKER_URL", "MPC_USER") and not k.startswith("PYTEST")
    }
    own |= {"MPC_DATA_DIR": str(tmp_path), "MPC_GIT_COMMIT": "test", "DJANGO_SETTINGS_MODULE": "mpc.settings"}
    yield own | {"DATABASE_URL": urlunsplit(urlsplit(server)._replace(path=f"/{name}"))}
    on_server(server, f"drop database if exists {name} with (force)")


def python(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.pg
def test_values_find_their_month_and_a_product_has_one_current_value_over_all_of_them(environment):
    python(environment, "manage.py", "migrate", "--verbosity", "0")
    told = json.loads(python(environment, "-c", SCRIPT))
    default, february, march = (f"monitoring_measurement_{end}" for end in ("default", "2019_02", "2019_03"))
    assert told["kind"] == "p"
    assert len(told["ahead"]) == 4
    assert told["before"] == [[default, 3.0], [default, 1.0], [default, 2.0]]
    assert told["after"] == [[default, 3.0], [february, 1.0], [march, 2.0]]
    assert told["then"] == [[default, 3.0], [february, 1.0], [february, 4.0], [march, 2.0]]
    assert [value for _, value in told["orm"]] == [1.0, 2.0, 3.0, 4.0]
    assert len({pk for pk, _ in told["orm"]}) == 4
    # The database cannot forbid this, for the months differ; the lock of the series does.
    assert told["once"] == [[10.0, False], [11.0, True]]
    assert told["hidden"] == [True, True]
    assert '(series_id, product_id, job_kind, "time")' in told["unique"]
    assert (told["keys"], told["checks"]) == (3, 0)
    # And back to one table, and forward again, with all that is in it.
    count = "from mpc.monitoring.models import Measurement as M; print(M.objects.count(), M.objects.latest('pk').pk)"
    before = python(environment, "manage.py", "shell", "-v", "0", "-c", count)
    for target in ("0008", "0009"):
        python(environment, "manage.py", "migrate", "monitoring", target, "--verbosity", "0")
        assert python(environment, "manage.py", "shell", "-v", "0", "-c", count) == before


def test_months_ahead():
    assert partitions.months_ahead(date(2026, 11, 28)) == [
        date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1), date(2027, 2, 1),
    ]  # fmt: skip


@pytest.mark.django_db
def test_on_sqlite_there_are_no_months():
    partitions.KeepMonths()()
    assert partitions.make_partitions([date(2026, 11, 1)]) == []
