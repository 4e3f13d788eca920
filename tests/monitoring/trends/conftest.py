"""Two years of a metric in two bands, whose days are rolled up, with what may stand over its points."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from mpc.monitoring.models import ChangePoint, Metric, MissionEvent, Requirement, RequirementLimit, Series
from mpc.monitoring.rollups.roller import Roller
from tests.monitoring.conftest import value

CODE = "test.offset"
ADDRESS = f"/trends/{CODE}/"
BEGIN = datetime(2024, 9, 1, 10, tzinfo=UTC)


@pytest.fixture
def offset(measure: Any) -> Metric:
    """Sixty days of S2A and S2B in B02 and B03, four values a day: 10 + 0, 1, 2, 3 (B03: 20 + ...); S2B is 0.5 more."""
    metric = Metric.objects.create(code=CODE, name="Offset", unit="LSB", description="A made-up offset")
    values = [
        value(
            CODE,
            level + shift + hour,
            unit=unit,
            band=band,
            time=BEGIN + timedelta(days=day, hours=hour),
            uncertainty=0.25,
        )
        for band, level in (("B02", 10.0), ("B03", 20.0))
        for unit, shift in (("S2A", 0.0), ("S2B", 0.5))
        for day in range(60)
        for hour in range(4)
    ]
    measure(None, *values, kind="calibration.dark")
    Roller().roll_all()
    return metric


@pytest.fixture
def marked(offset: Metric) -> Metric:
    """With a requirement, events and changes."""
    required = Requirement.objects.create(
        code="T-1", title="Offset", metric=offset, statistic="each", document="a document", verified=True,
        valid_from=date(2024, 9, 11), valid_to=date(2024, 9, 20),
    )  # fmt: skip
    RequirementLimit.objects.create(requirement=required, band="B02", high=14.0, goal_high=12.0)
    RequirementLimit.objects.create(requirement=required, band="B03", high=400.0)
    event = {"kind": "gipp", "start": BEGIN + timedelta(days=10)}
    MissionEvent.objects.create(title="GIPP 7", unit="S2A", **event)
    MissionEvent.objects.create(title="of another unit", unit="S2C", **event)
    MissionEvent.objects.create(title="of another band", bands=["B11"], **event)
    MissionEvent.objects.create(title="an outage", **{**event, "end": BEGIN + timedelta(days=12), "kind": "outage"})
    change = {
        "series": Series.objects.get(metric=offset, unit="S2A", band="B03"), "detector": "step", "version": "1",
        "kind": "step", "time": BEGIN + timedelta(days=30), "interval_start": BEGIN, "interval_end": BEGIN,
        "found_at": BEGIN,
    }  # fmt: skip
    ChangePoint.objects.create(mode="live", magnitude=0.5, **change)
    ChangePoint.objects.create(mode="shadow", **change)
    ChangePoint.objects.create(mode="live", gone_at=BEGIN, **change)
    return offset
