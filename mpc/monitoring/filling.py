"""Fills a database with plausible measurements of three units over years, to measure and to try things with.

Two kinds of series, with a season, a slow drift, a scatter and a unit's own offset: those of products (statistics of
the image by band, one value a product), and those of calibrations by band and detector (some 120 a year). Rows go in by
COPY on PostgreSQL and by some thousands a transaction on SQLite; counts and roll-ups are reckoned afterwards by the
same code as always.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.db import connection, transaction
from django.db.models import Count, Max, Min
from django.utils import timezone

from mpc.accounts import audit, policy
from mpc.monitoring.bulk import insert_rows
from mpc.monitoring.models import Measurement, Metric, Series
from mpc.monitoring.partitions import make_partitions
from mpc.monitoring.rollups.roller import rebuild
from mpc.monitoring.rollups.times import month_start, next_month
from mpc.monitoring.services import COLUMNS
from mpc.msi.bands import BANDS, DETECTORS
from mpc.products.models import Product, Status
from mpc.runs.models import Run, State, Trigger

KIND = "monitoring.fill"
UNITS = ("S2A", "S2B", "S2C")
BASELINE, LEVEL = "05.11", "L1C"
TILES = ("31TCJ", "32TQM", "33UUU", "34HBH", "36NXF", "14RNV", "20LKP", "50JPS")
BY_DETECTOR = "noise.snr_at_lref"
CALIBRATIONS_A_YEAR = 120
SHARE_BY_DETECTOR = 0.06
WHY = "made up"
ROWS = 200_000
SQLITE_ROWS = 5000
YEAR_S = 365.25 * 86400


class NotEmpty(Exception):
    """The database has runs that somebody asked for."""


@dataclass(frozen=True)
class Shape:
    """What a series does: level, amplitude of the season, drift a year, scatter; in the metric's unit."""

    level: float
    season: float
    drift: float
    scatter: float
    low: float | None = None

    def values(self, seconds: np.ndarray, unit: str, salt: int, random: np.random.Generator) -> np.ndarray:
        years = seconds / YEAR_S
        own = 1 + 0.01 * UNITS.index(unit) + 0.002 * (salt % 7)
        season = self.season * np.sin(2 * np.pi * (years + 0.05 * (salt % 11)))
        found = self.level * own + season + self.drift * (years - years[0]) + random.normal(0, self.scatter, len(years))
        return found if self.low is None else np.maximum(found, self.low)


OF_PRODUCTS: tuple[tuple[str, bool, Shape], ...] = (
    ("image.mean_reflectance", True, Shape(0.2, 0.05, 0.0002, 0.03, 0.0)),
    ("image.detector_step", True, Shape(0.3, 0.02, 0.005, 0.08, 0.0)),
    ("image.saturated_share", False, Shape(0.02, 0.005, 0.0, 0.01, 0.0)),
    ("image.nodata_share", False, Shape(25.0, 0.0, 0.0, 20.0, 0.0)),
    ("mask.footprint_disagreement", False, Shape(0.01, 0.0, 0.0, 0.005, 0.0)),
    ("product.cloud_cover", False, Shape(45.0, 15.0, 0.0, 25.0, 0.0)),
    ("product.sun_zenith", False, Shape(45.0, 18.0, 0.0, 8.0, 15.0)),
)
OF_DETECTORS = Shape(120.0, 0.5, -0.4, 1.2)


@dataclass(frozen=True)
class Filled:
    measurements: int
    products: int
    series: int


def fill(
    count: int, *, actor: Any, years: int = 10, until: datetime | None = None, seed: int = 1, force: bool = False,
    say: Callable[[str], object] = lambda text: None,
) -> Filled:  # fmt: skip
    """Add ``count`` measurements of the ``years`` before ``until`` (default: the last midnight, UTC).

    Raises PermissionDenied, and NotEmpty where there are other runs than those of a filling, unless ``force``.
    """
    policy.require(actor, "site.maintain")
    if not force and Run.objects.exclude(kind=KIND).exists():
        raise NotEmpty("This database has runs that were asked for: made-up measurements would stand among real ones.")
    until = until or timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    since = until - timedelta(seconds=years * YEAR_S)
    random = np.random.default_rng(seed)
    series = _series()
    run = Run.objects.create(
        kind=KIND, title=f"{count} made-up measurements", queue="default", trigger=Trigger.COMMAND,
        state=State.SUCCEEDED, requested_by=actor if actor.pk else None, summary="made up, measured by nobody",
    )  # fmt: skip
    months = [month_start(since.date())]
    while months[-1] < until.date():
        months.append(next_month(months[-1]))
    make_partitions(months)
    by_detector = [key for key in series if key[0] == BY_DETECTOR]
    points = int(min(CALIBRATIONS_A_YEAR * years, SHARE_BY_DETECTOR * count / len(by_detector)))
    left = count - points * len(by_detector)
    products = -(-left // _per_product())
    made = _add_products(products, since, until, say)
    for label, rows in (
        ("of calibrations", _of_detectors(series, by_detector, points, since, until, run.pk, random)),
        ("of products", _of_products(series, made, since, until, left, run.pk, random)),
    ):
        _insert(rows, lambda done, label=label: say(f"{done} measurements {label}"))
    say("counting")
    _count(series.values())
    say("roll-ups")
    rebuild(sorted(series.values()))
    audit.record(actor, "monitoring.fill", run, after={"measurements": count, "years": years, "seed": seed})
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    return Filled(count, products, len(series))


# --- What is there to be measured -----------------------------------------------------------------------------------
Key = tuple[str, str, str, str]
"""Metric, unit, band, detector."""


def _per_product() -> int:
    return sum(len(BANDS) if banded else 1 for _, banded, _ in OF_PRODUCTS)


@transaction.atomic
def _series() -> dict[Key, int]:
    keys: list[Key] = [
        (metric, unit, band, "")
        for metric, banded, _ in OF_PRODUCTS
        for unit in UNITS
        for band in ([b.name for b in BANDS] if banded else [""])
    ]
    keys += [
        (BY_DETECTOR, unit, band.name, f"{detector:02d}") for unit in UNITS for band in BANDS for detector in DETECTORS
    ]
    for code in sorted({key[0] for key in keys}):
        Metric.objects.get_or_create(code=code, defaults={"name": code})
    own = {"level": LEVEL, "baseline": BASELINE, "site": ""}
    rows = [Series(metric_id=m, unit=u, band=b, detector=d, **own) for m, u, b, d in keys]
    Series.objects.bulk_create(rows, ignore_conflicts=True, batch_size=100)
    known = Series.objects.filter(metric__in={key[0] for key in keys}, unit__in=UNITS, **own)
    found = {(s.metric_id, s.unit, s.band, s.detector): s.pk for s in known}
    return {key: found[key] for key in keys}


def _add_products(count: int, since: datetime, until: datetime, say: Callable[[str], object]) -> int:
    """Evenly over the time, units in turns; hands back the key of the first."""
    first = (Product.objects.aggregate(last=Max("pk"))["last"] or 0) + 1
    step = (until - since) / max(count, 1)
    # Names of an earlier filling are not in the way.
    salt = f"{first:07d}"

    def rows() -> Iterator[Product]:
        for number in range(count):
            unit, when = UNITS[number % 3], since + number * step
            name = (
                f"{unit}_MSIL1C_{when:%Y%m%dT%H%M%S}_N0511_R{number % 143 + 1:03d}_T{TILES[number % 8]}_F{salt}{number}"
            )
            yield Product(
                pk=first + number, name=name, kind="product", level=LEVEL, unit=unit, status=Status.PASSED,
                observation=name, tile=TILES[number % 8], baseline=BASELINE, sensing_start=when, path=name,
                relative_orbit=number % 143 + 1, container="folder", size=0, checksum="", taken_in=when,
            )  # fmt: skip

    fields = [f for f in Product._meta.concrete_fields if not f.generated]
    columns = [f.column for f in fields]
    done = 0
    for chunk in _chunks(rows(), SQLITE_ROWS):
        values = [[f.get_db_prep_save(getattr(row, f.attname), connection) for f in fields] for row in chunk]
        _write(Product._meta.db_table, columns, values)
        done += len(chunk)
        if done % 50_000 < len(chunk):
            say(f"{done} products")
    if connection.vendor == "postgresql" and count:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [Product._meta.db_table, first + count - 1]
            )
    return first


# --- Rows -----------------------------------------------------------------------------------------------------------
Row = tuple[Any, ...]


def _of_products(
    series: dict[Key, int], first: int, since: datetime, until: datetime, count: int, run: int,
    random: np.random.Generator,
) -> Iterator[list[Row]]:  # fmt: skip
    """All values of some products at a time, in the order of time."""
    per = _per_product()
    products = -(-count // per)
    step = (until - since).total_seconds() / max(products, 1)
    begin = since.timestamp()
    at_once = max(3, ROWS // per)
    left = count
    for start in range(0, products, at_once):
        numbers = np.arange(start, min(start + at_once, products))
        rows: list[Row] = []
        for place, unit in enumerate(UNITS):
            own = numbers[numbers % 3 == place]
            if not len(own):
                continue
            seconds = begin + own * step
            times, keys = _texts(seconds), (first + own).tolist()
            for metric, banded, shape in OF_PRODUCTS:
                for band in [b.name for b in BANDS] if banded else [""]:
                    key = (metric, unit, band, "")
                    values = shape.values(seconds, unit, zlib.crc32(repr(key).encode()), random).tolist()
                    made = series[key]
                    rows += [
                        (made, time, value, None, WHY, 1000, run, product, KIND, True, False)
                        for time, value, product in zip(times, values, keys, strict=True)
                    ]
        yield rows[:left]
        left -= len(rows)


def _of_detectors(
    series: dict[Key, int], keys: Sequence[Key], points: int, since: datetime, until: datetime, run: int,
    random: np.random.Generator,
) -> Iterator[list[Row]]:  # fmt: skip
    """Each series by itself over the whole time, noon by noon."""
    if not points:
        return
    seconds = since.timestamp() + (np.arange(points) + 0.5) * (until - since).total_seconds() / points
    times = _texts(np.round(seconds))
    rows: list[Row] = []
    for key in keys:
        salt = zlib.crc32(repr(key).encode())
        values = OF_DETECTORS.values(seconds, key[1], salt, random).tolist()
        rows += [
            (series[key], time, value, 0.6, "", 5000, run, None, KIND, True, False)
            for time, value in zip(times, values, strict=True)
        ]
        if len(rows) >= ROWS:
            yield rows
            rows = []
    yield rows


def _texts(seconds: np.ndarray) -> list[str]:
    """Times as both databases write them, in UTC."""
    texts = np.datetime_as_string(seconds.astype(np.int64).astype("datetime64[s]"))
    ending = "+00" if connection.vendor == "postgresql" else ""
    return [text.replace("T", " ") + ending for text in texts.tolist()]


def _insert(batches: Iterator[list[Row]], say: Callable[[int], object]) -> None:
    done = 0
    for rows in batches:
        if rows:
            _write(Measurement._meta.db_table, COLUMNS, rows)
            done += len(rows)
            say(done)


def _write(table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    at_once = len(rows) if connection.vendor == "postgresql" else SQLITE_ROWS
    for start in range(0, len(rows), at_once):
        with transaction.atomic():
            insert_rows(table, columns, rows[start : start + at_once])


def _chunks(rows: Iterator[Product], size: int) -> Iterator[list[Product]]:
    chunk: list[Product] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) >= size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _count(keys: Any) -> None:
    """What the series keep, from their values."""
    chosen = sorted(keys)
    for start in range(0, len(chosen), 50):
        part = chosen[start : start + 50]
        with transaction.atomic():
            series = {s.pk: s for s in Series.objects.select_for_update(no_key=True).filter(pk__in=part).order_by("pk")}
            shown = Measurement.objects.shown().filter(series__in=part).order_by().values("series")
            told = shown.annotate(n=Count("pk"), first=Min("time"), last=Max("time"))
            for key, n, first, last in told.values_list("series", "n", "first", "last"):
                one = series[key]
                one.count, one.first_time, one.last_time, one.changed_at = n, first, last, timezone.now()
            kept = ["count", "first_time", "last_time", "changed_at"]
            Series.objects.bulk_update(series.values(), kept, batch_size=50)


__all__ = ["KIND", "Filled", "NotEmpty", "fill"]
