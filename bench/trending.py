"""Measures the pages of trends, in a process and database of its own.

    python -m bench.trending COUNT PAIRS     fills a database with COUNT measurements, and one with half of them

The environment says which database (``DATABASE_URL``; the other is ``half.sqlite3`` beside it, or on a server its name
with ``_half``, which has to be there) and folder of state (``MPC_DATA_DIR``). Prints one JSON object.
"""

from __future__ import annotations

import io
import json
import statistics
import sys
from collections import defaultdict
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.floors.trend import Asked, fetch
from bench.harness import compare, spread_of, timed
from bench.paging import _account, _make_account, _site, _statements_of

GOAL = 2.0
FILLED = "filled"


def measure(count: int, pairs: int) -> dict[str, Any]:
    """The figure of all pages, with each page's own in its detail."""
    from django.db import connection

    with _site() as client:
        _fill(count)
        client.force_login(_account())
        with _half():
            _fill(count // 2)
            client_of_half = type(client)()
            client_of_half.force_login(_account())
        pages = _pages(client)
        found = _measured(client, client_of_half, pages, pairs)
        found["detail"]["rows"] = _rows()
        found["detail"]["database"] = connection.vendor
        return found


# --- Filling ---------------------------------------------------------------------------------------------------------
def _fill(count: int) -> None:
    """Migrate the database, and fill it unless it was filled before."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    account = _account() or _make_account("")
    if account.first_name == FILLED:
        return
    call_command("fill_measurements", count=count, years=10, stdout=io.StringIO())
    account.first_name = FILLED
    account.save()


def _names() -> tuple[str, str]:
    """Of the database and of its copy."""
    from django.db import connection

    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        return name, str(Path(name).with_name("half.sqlite3"))
    return name, f"{name}_half"


@contextmanager
def _half() -> Any:
    """Inside, the site has the database with half of the rows."""
    from django.db import connection

    whole, half = _names()
    connection.close()
    connection.settings_dict["NAME"] = half
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = whole


def _rows() -> dict[str, int]:
    from mpc.monitoring.models import Measurement, Rollup, Series

    return {
        "measurements": Measurement.objects.count(),
        "roll-ups": Rollup.objects.count(),
        "series": Series.objects.count(),
    }


# --- Pages -----------------------------------------------------------------------------------------------------------
BY_BAND, BY_DETECTOR = "image.mean_reflectance", "noise.snr_at_lref"


def _pages(client: Any) -> dict[str, tuple[str, Asked]]:
    """Name, address and what the floor asks of each."""
    from django.db.models import Max

    from mpc.monitoring.models import Series

    last = Series.objects.filter(metric=BY_BAND).aggregate(last=Max("last_time"))["last"]
    year, week = last - timedelta(days=365), last - timedelta(days=7)
    two = f"metric={BY_BAND}&metric={BY_DETECTOR}"
    addresses = {
        "a band of three units, ten years": f"/trends/{BY_BAND}/?band=B02",
        "all bands of three units, ten years": f"/trends/{BY_BAND}/",
        "all bands of three units, a year by day": f"/trends/{BY_BAND}/?since={year:%Y-%m-%d}&until={last:%Y-%m-%d}",
        "a band zoomed to a week": f"/trends/{BY_BAND}/?band=B02&zoom={_moment(week)}~{_moment(last)}",
        "detectors of a band, ten years": f"/trends/{BY_DETECTOR}/?band=B02",
        "two metrics of a band, moving median": f"/trends/explore/?{two}&band=B04&median=90",
    }
    return {name: (address, _asked(client, address)) for name, address in addresses.items()}


def _moment(time: datetime) -> str:
    return time.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def _asked(client: Any, address: str) -> Asked:
    """What the page shows, as its own points say."""
    from django.http import QueryDict

    answer = client.get(address)
    if answer.status_code != 200:
        raise RuntimeError(f"{address} answers {answer.status_code}")
    path, _, query = address.partition("?")
    given = QueryDict(query, mutable=True)
    if not given.getlist("metric"):
        given["metric"] = path.split("/")[2]
    told = json.loads(client.get(f"/api/v1/trends/?{given.urlencode()}").content)["trends"]
    keys = tuple(series["id"] for trend in told for series in trend["series"])
    resolution = told[0]["resolution"]
    begin, _, end = given.get("zoom", "").partition("~")
    since, until = begin or given.get("since", ""), end or given.get("until", "")
    if resolution != "value":
        since, until = since[:10], until[:10]
    else:
        since, until = (text.replace("T", " ").removesuffix("Z") for text in (since, until))
    return Asked(keys, resolution, since, until)


# --- Measuring -------------------------------------------------------------------------------------------------------
def _measured(client: Any, of_half: Any, pages: dict[str, tuple[str, Asked]], pairs: int) -> dict[str, Any]:
    from django.db import connection

    from mpc.serving import settle

    settle()  # as every server process does
    counts = {name: len(_statements_of(client, address)) for name, (address, _) in pages.items()}
    times: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    points: dict[str, int] = {}

    # SQLite works in this process, and its seconds of the processor are not disturbed by what else the machine does.
    by = "cpu" if connection.vendor == "sqlite" else "wall"

    def ours() -> None:
        for name, (address, _) in pages.items():
            took = timed(lambda address=address: client.get(address))
            times[name]["ms"].append(1000 * getattr(took, by))

    def floor() -> None:
        connection.ensure_connection()
        for name, (_, asked) in pages.items():
            took = timed(
                lambda name=name, asked=asked: points.__setitem__(
                    name, fetch(connection.connection, connection.vendor, asked)
                )
            )
            times[name]["floor ms"].append(1000 * getattr(took, by))

    figure = compare(
        "trend", ours, floor, goal=GOAL, by=by, pairs=pairs,
        detail={"floor": "hand-written SQL for the points and the statistics of each page, on the bare DB-API cursor"},
    )  # fmt: skip
    growth = _growth(client, of_half, pages, pairs, by)
    figure.detail["growth"] = statistics.median(growth)
    figure.detail["spread of the growth"] = spread_of(growth)
    figure.detail["pages"] = {
        name: {
            "statements": counts[name],
            "points": points[name],
            "resolution": pages[name][1].resolution,
            "ratio": round(_median_ratio(times[name]["ms"], times[name]["floor ms"]), 2),
            **{kind: round(statistics.median(values), 2) for kind, values in times[name].items()},
        }
        for name in pages
    }
    return figure.as_dict()


def _median_ratio(ours: list[float], floors: list[float]) -> float:
    return statistics.median(a / b for a, b in zip(ours, floors, strict=True))


def _growth(client: Any, of_half: Any, pages: dict[str, tuple[str, Asked]], pairs: int, by: str) -> list[float]:
    """Time of all pages with all rows over that with half of them, in pairs."""

    def whole() -> float:
        return sum(getattr(timed(lambda address=address: client.get(address)), by) for address, _ in pages.values())

    def half() -> float:
        with _half():
            of_half.get("/search/")  # the connection is new
            return sum(
                getattr(timed(lambda address=address: of_half.get(address)), by) for address, _ in pages.values()
            )

    whole(), half()
    return [whole() / half() for _ in range(max(pairs, 3))]


if __name__ == "__main__":
    print(json.dumps(measure(*map(int, sys.argv[1:]))))
