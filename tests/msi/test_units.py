"""Orbits and the Sun's distance against values that real products carry."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from mpc.msi.units import relative_orbit, sun_distance_u


@pytest.mark.parametrize(
    ("unit", "absolute", "when", "relative"),
    [
        ("S2A", 8785, "2017-02-26", 65),
        ("S2A", 12840, "2017-12-07", 116),
        ("S2A", 15757, "2018-06-29", 30),
        ("S2A", 26117, "2020-06-22", 94),
        ("S2A", 38058, "2022-10-05", 23),
        ("S2A", 52785, "2025-07-31", 135),
        ("S2A", 54503, "2025-11-28", 137),
        ("S2B", 33753, "2023-08-23", 122),
        ("S2C", 5087, "2025-09-01", 112),
        ("S2C", 8614, "2026-05-01", 64),
    ],
)
def test_relative_orbit_of_real_datatakes(unit: str, absolute: int, when: str, relative: int) -> None:
    assert relative_orbit(unit, absolute, datetime.fromisoformat(when)) == relative


@pytest.mark.parametrize(
    ("unit", "when"),
    [("S2D", "2027-01-01"), ("S2A", "2025-03-01"), ("S2C", "2024-10-01"), ("S2B", "2016-01-01"), ("S1A", "2020-01-01")],
)
def test_unknown_unit_or_date_gives_no_orbit(unit: str, when: str) -> None:
    assert relative_orbit(unit, 1000, datetime.fromisoformat(when)) is None


def test_relative_orbits_run_from_1_to_143() -> None:
    when = datetime(2020, 1, 1, tzinfo=UTC)
    assert {relative_orbit("S2B", absolute, when) for absolute in range(143)} == set(range(1, 144))


@pytest.mark.parametrize(
    ("datatake_start", "u"),
    [
        ("2017-02-26T10:20:21.026", 1.02186151634506),
        ("2018-06-29T00:02:41.024", 0.967798898595979),
        ("2020-06-22T10:56:31.024", 0.968530426877244),
        ("2022-10-05T11:54:11.024", 0.998456468000941),
        ("2023-08-23T09:55:59.024", 0.97659423426857),
    ],
)
def test_u_of_real_products(datatake_start: str, u: float) -> None:
    assert sun_distance_u(datetime.fromisoformat(datatake_start)) == pytest.approx(u, abs=2e-13)


def test_u_takes_any_zone() -> None:
    here = datetime(2020, 6, 22, 12, 56, 31, tzinfo=timezone(timedelta(hours=2)))
    assert sun_distance_u(here) == sun_distance_u(datetime(2020, 6, 22, 10, 56, 31, tzinfo=UTC))
