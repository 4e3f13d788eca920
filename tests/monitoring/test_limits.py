"""Which limits hold for a series: the row that names the most of it, in its time."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from mpc.monitoring.limits import Limits
from mpc.monitoring.models import Metric, Requirement, RequirementLimit, Series

pytestmark = pytest.mark.django_db


def requirement(code: str = "SNR", statistic: str = "each", **fields: object) -> Requirement:
    metric, _ = Metric.objects.get_or_create(code="noise.snr", defaults={"name": "SNR"})
    return Requirement.objects.create(
        code=code, title=code, metric=metric, statistic=statistic, document="SRD", **fields
    )


def limit(of: Requirement, **fields: object) -> RequirementLimit:
    return RequirementLimit.objects.create(requirement=of, **fields)


def series(**fields: str) -> Series:
    return Series(**{"metric_id": "noise.snr", "unit": "S2A", "band": "B02", "level": "L1B", **fields})


def test_the_row_that_names_the_most_counts() -> None:
    snr = requirement()
    limit(snr, low=100.0)
    limit(snr, band="B02", low=154.0)
    limit(snr, unit="S2B", low=120.0)
    limits = Limits.load()
    assert [line.low for line in limits.of(series())] == [154.0]
    assert [line.low for line in limits.of(series(band="B03"))] == [100.0]
    assert [line.low for line in limits.of(series(unit="S2B"))] == [120.0]
    assert limits.of(series(metric_id="other")) == ()


def test_a_requirement_of_another_level_says_nothing() -> None:
    limit(requirement(level="L1C"), low=1.0)
    assert Limits.load().of(series()) == ()


def test_all_are_read_at_once(django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    limit(requirement(), low=1.0)
    with django_assert_num_queries(1):
        limits = Limits.load(["noise.snr"])
        for band in ("B01", "B02"):
            assert limits.of(series(band=band))[0].code == "SNR"


def test_values_are_judged_by_the_limits_of_their_time() -> None:
    limit(requirement("old", valid_to=date(2020, 1, 2)), low=-5.0, high=10.0)
    limit(requirement("new", valid_from=date(2020, 1, 3), absolute=True), high=4.0)
    limit(requirement("of the mean", statistic="mean"), high=0.5)
    times = np.array(
        ["2020-01-01", "2020-01-02T23:59", "2020-01-03", "2020-01-04", "2020-01-05"], dtype="datetime64[s]"
    )
    values = np.array([11.0, -4.5, -4.5, 3.9, np.nan])
    assert Limits.load().outside(series(), times, values).tolist() == [True, False, True, False, False]
