"""Months go to files and come back: values, roll-ups and counts are the same before, within and after."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest

from mpc.monitoring.archive import files, keeping
from mpc.monitoring.archive.files import BadFile
from tests.monitoring.test_partitions import environment, python

__all__ = ["environment"]

SCRIPT = """
import json, django
django.setup()
from datetime import UTC, date, datetime, timedelta
from django.conf import settings
from django.db import connection
from mpc.jobs import MeasuredValue, Outcome
from mpc.monitoring import partitions, services
from mpc.monitoring.archive import files, keeping
from mpc.monitoring.models import ArchivedMonth, DirtyBucket, Measurement, Metric, Rollup, Series
from mpc.monitoring.rollups.reading import read_series
from mpc.monitoring.rollups.roller import Roller, rebuild
from mpc.products.models import Product
from mpc.runs.models import Run
told = {}
Metric.objects.create(code="a.b", name="x")

def product(n):
    return Product.objects.create(name=f"p{n}", observation=f"p{n}", kind="product", level="L1C", unit="S2A", path="p",
        sensing_start=datetime(2019, 2, 1 + n, 10, tzinfo=UTC), container="zip", size=1, checksum="x")

def store(product, number, time=None):
    run = Run.objects.create(kind="a.b", title="x", queue="q", trigger="user", state="succeeded", product=product)
    value = MeasuredValue(metric="a.b", time=time or product.sensing_start, value=number, samples=7,
        no_uncertainty='so "it", \\\\ is\\n\\u00e9', unit="S2A")
    services.store_measurements(run, Outcome(summary="", measurements=(value,)))

def look():
    Roller().roll_all()
    series = Series.objects.get()
    since, until = datetime(2019, 1, 1, tzinfo=UTC), datetime(2019, 4, 1, tzinfo=UTC)
    values = read_series([series], since, until).by_series[series.pk]
    days = read_series([series], None, None, resolution="day").by_series[series.pk]
    return {
        "values": values.value.tolist(), "names": values.product_name.tolist(), "pk": values.pk.tolist(),
        "runs": values.run.tolist(), "kinds": values.job_kind.tolist(),
        "count": series.count, "days": [days.value.tolist(), days.count.tolist(), days.samples.tolist()],
        "rollups": list(Rollup.objects.order_by("resolution", "start").values_list("start", "count", "mean")),
    }

products = [product(n) for n in range(5)]
for n, one in enumerate(products):
    store(one, 0.1 * n)
store(products[0], 9.0)                      # supersedes before the archive
store(None, 5.5, datetime(2019, 3, 5, tzinfo=UTC))
partitions.KeepMonths()()
told["before"] = look()
rows = sorted(Measurement.objects.filter(time__lt=datetime(2019, 3, 1, tzinfo=UTC)).values_list())
settings.MPC_MEASUREMENT_RETENTION_MONTHS = 24
told["due"] = keeping.months_due(date(2026, 11, 28))
keeping.keep_archive()
told["archived"] = list(ArchivedMonth.objects.values_list("month", "rows", "touched_at"))
told["left"] = Measurement.objects.count()
told["within"] = look()
rebuild()
told["rebuilt"] = look()
# Late: a value of its own, one that takes the place of an archived one, a withdrawal
late = product(9)
store(late, 7.0)
store(products[1], 8.0)
services.hide_product(products[2].pk)
Product.objects.filter(pk=products[2].pk).update(withdrawn_at=datetime.now(UTC))
told["touched"] = ArchivedMonth.objects.filter(touched_at__isnull=False).count()
partitions.KeepMonths()()
keeping.keep_archive()
told["files"] = sorted(p.name for p in files.folder().iterdir())
told["back"] = look()
old = [row for row in Measurement.objects.values_list() if row[0] in {r[0] for r in rows}]
told["rows kept"] = [r[:10] for r in sorted(old)] == [r[:10] for r in rows]
keeping.keep_archive()
keeping.keep_archive()
told["again"] = list(ArchivedMonth.objects.values_list("month", "rows"))
told["again within"] = look()
told["marks"] = DirtyBucket.objects.count()
print(json.dumps(told, default=str))
"""

LOOK = SCRIPT.split("products = [product(n)")[0].replace('Metric.objects.create(code="a.b", name="x")', "") + (
    "print(json.dumps(look(), default=str))"
)


@pytest.mark.pg
def test_a_month_goes_to_a_file_is_read_there_and_comes_back_when_it_is_touched(environment, tmp_path):
    python(environment, "manage.py", "migrate", "--verbosity", "0")
    told = json.loads(python(environment, "-c", SCRIPT))
    before = told["before"]
    assert before["values"] == [9.0, 0.1, 0.2, 0.30000000000000004, 0.4, 5.5]
    assert before["names"] == ["p0", "p1", "p2", "p3", "p4", ""]
    assert told["due"][:2] == ["2019-02-01", "2019-03-01"]
    assert told["archived"] == [["2019-02-01", 6, None]]
    assert told["left"] == 1
    assert told["within"] == told["rebuilt"] == before
    assert told["touched"] == 1
    assert told["back"]["values"] == [9.0, 8.0, 0.30000000000000004, 0.4, 7.0, 5.5]
    assert told["back"]["count"] == 6
    assert told["files"] == []
    assert told["rows kept"]
    assert told["again"] == [["2019-02-01", 8], ["2019-03-01", 1]]
    assert told["again within"] == told["back"]
    assert told["marks"] == 0

    # A backup takes the files along, also to the other kind of database.
    archive = tmp_path / "backup.tar.gz"
    python(environment, "manage.py", "backup", str(archive))
    other = {k: v for k, v in environment.items() if k != "DATABASE_URL"} | {"MPC_DATA_DIR": str(tmp_path / "other")}
    python(other, "manage.py", "restore", str(archive))
    assert json.loads(python(other, "-c", LOOK)) == told["again within"]


def _text(tmp_path, rows):
    text = tmp_path / "month.csv"
    text.write_text(",".join(files.COLUMNS) + "\n" + "".join(f"{row}\n" for row in rows))
    return text


ROWS = ("1,7,1000,0.1,\\N,exact,3,5,\\N,a.b,t,f", '2,7,2000,0.2,0.5,"",4,5,6,a.b,f,f')


def test_a_file_holds_what_was_written_to_the_bit(tmp_path, settings):
    settings.MPC_MEASUREMENTS_DIR = tmp_path / "measurements"
    name, size, digest = files.write_month(_text(tmp_path, ROWS), date(2019, 2, 1), 1, (2, 3, 3000, 7))
    assert (name, size > 0, len(digest)) == ("2019-02-1.parquet", True, 64)
    assert files.read_months([name], files.COLUMNS, shown=False) == [
        (1, 7, 1000, 0.1, None, "exact", 3, 5, None, "a.b", True, False),
        (2, 7, 2000, 0.2, 0.5, "", 4, 5, 6, "a.b", False, False),
    ]
    assert files.read_months([name], ("id",), series=[7]) == [(1,)]
    assert files.read_months([name], ("id",), since_us=1001, shown=False) == [(2,)]
    assert files.read_months([name], ("id",), series=[8], shown=False) == []


def test_what_differs_from_the_database_is_no_archive(tmp_path, settings):
    settings.MPC_MEASUREMENTS_DIR = tmp_path / "measurements"
    with pytest.raises(BadFile, match=r"count and sums are \[2, 3, 3000, 7\], in the database \[3, 6, 3000, 7\]"):
        files.write_month(_text(tmp_path, ROWS), date(2019, 2, 1), 1, [3, 6, 3000, 7])
    assert list((tmp_path / "measurements").iterdir()) == []


def test_a_file_that_is_gone_is_said(tmp_path, settings):
    settings.MPC_MEASUREMENTS_DIR = tmp_path
    with pytest.raises(BadFile, match=r"2019-02-1\.parquet are not there"):
        files.read_months(["2019-02-1.parquet"], ("id",))


@pytest.mark.django_db
def test_on_sqlite_nothing_is_due_and_the_log_says_why(settings, caplog):
    assert keeping.months_due(datetime(2026, 11, 28, tzinfo=UTC).date()) == []
    settings.MPC_MEASUREMENT_RETENTION_MONTHS = 12
    keeping.keep_archive()
    assert "does nothing on SQLite" in caplog.text
