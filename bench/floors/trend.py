"""The least that a page of a trend costs: hand-written SQL over the same rows, on the bare cursor, fetched whole.

A page tells two things: the points of its plots, and of each series its count, mean, standard deviation, extremes,
values out of limits, newest value and the median of its points. So there are two statements, each over the roll-up rows
of the series (or over the values, where the page is close enough to draw them).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Parameters = tuple[Any, ...]


@dataclass(frozen=True)
class Asked:
    """What a page shows: keys of its series, "value", "day" or "month", and the time (ISO days or moments; "" open)."""

    series: tuple[int, ...]
    resolution: str
    since: str = ""
    until: str = ""


def fetch(connection: Any, vendor: str, asked: Asked) -> int:
    """Both statements; the number of points that came."""
    cursor = connection.cursor()
    try:
        for sql, parameters in statements(vendor, asked):
            cursor.execute(sql, parameters)
            rows = len(cursor.fetchall())
            if "AS middle" not in sql:
                points = rows
    finally:
        cursor.close()
    return points


def statements(vendor: str, asked: Asked) -> Sequence[tuple[str, Parameters]]:
    mark = "?" if vendor == "sqlite" else "%s"
    if asked.resolution == "value":
        table, time, columns = "monitoring_measurement", "time", "series_id, time, value, uncertainty, samples, id"
        where, given = f"series_id IN ({_keys(asked)}) AND current AND NOT withdrawn", ()
        value, count, mean, spread = "value", "1", "value", "NULL"
        low = high = "value"
        outside = "0"
    else:
        table, time = "monitoring_rollup", "start"
        columns = "series_id, start, median, p05, p95, count"
        where, given = f"series_id IN ({_keys(asked)}) AND resolution = {mark}", (asked.resolution,)
        value, count, mean, spread = "median", "count", "mean", "spread"
        low, high, outside = "minimum", "maximum", "out_of_limits"
    for bound, sign in ((asked.since, ">="), (asked.until, "<")):
        if bound:
            where, given = f"{where} AND {time} {sign} {mark}", (*given, bound)
    points = f"SELECT {columns} FROM {table} WHERE {where} ORDER BY series_id, {time}"
    told = f"""
        SELECT series_id, sum({count}), sum({count} * {mean}) / sum({count}) AS whole,
            sum({count} * {mean} * {mean}), sum(({count} - 1) * {spread} * {spread}), min({low}), max({high}),
            sum({outside}), min({time}), max({time}), {_median(vendor, value)} AS middle
        FROM {_source(vendor, table, where, value)} GROUP BY series_id
    """
    return ((points, given), (told, given))


def _keys(asked: Asked) -> str:
    return ", ".join(str(int(key)) for key in asked.series)


def _median(vendor: str, value: str) -> str:
    """PostgreSQL has it; SQLite takes the mean of the one or two in the middle of the ranks."""
    if vendor == "postgresql":
        return f"percentile_cont(0.5) WITHIN GROUP (ORDER BY {value})"
    return f"avg(CASE WHEN place IN ((number + 1) / 2, (number + 2) / 2) THEN {value} END)"


def _source(vendor: str, table: str, where: str, value: str) -> str:
    if vendor == "postgresql":
        return f"{table} WHERE {where}"
    return (
        f"(SELECT *, row_number() OVER (PARTITION BY series_id ORDER BY {value}) AS place, "
        f"count(*) OVER (PARTITION BY series_id) AS number FROM {table} WHERE {where})"
    )
