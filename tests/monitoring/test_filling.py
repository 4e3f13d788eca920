"""Filling makes what it was asked for, with counts and roll-ups that are true, and never among real runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command

from mpc.accounts.actors import local_actor
from mpc.accounts.models import AuditEntry
from mpc.accounts.policy import Role
from mpc.monitoring.filling import fill
from mpc.monitoring.models import DirtyBucket, Measurement, Series
from mpc.products.models import Product
from tests import factories
from tests.monitoring.rollups.truth import assert_true

pytestmark = pytest.mark.django_db
UNTIL = datetime(2026, 6, 1, tzinfo=UTC)


def test_as_many_as_asked_over_the_time_asked_with_true_rollups():
    filled = fill(1200, actor=local_actor(), years=2, until=UNTIL)
    shown = Measurement.objects.shown()
    assert (filled.measurements, shown.count()) == (1200, 1200)
    assert filled.products == Product.objects.count() == 39  # 31 values each
    assert shown.filter(product=None).count() == 0  # too few for a calibration of each detector
    assert shown.filter(time__lt=UNTIL - timedelta(days=731)).count() == shown.filter(time__gt=UNTIL).count() == 0
    for series in Series.objects.filter(count__gt=0):
        times = list(series.measurements.order_by("time").values_list("time", flat=True))
        assert (series.count, series.first_time, series.last_time) == (len(times), times[0], times[-1])
    assert not DirtyBucket.objects.exists()
    assert_true()
    assert AuditEntry.objects.filter(action="monitoring.fill").count() == 1


def test_it_is_refused_among_real_runs_and_to_whom_it_does_not_befit(capsys):
    factories.run(0)
    with pytest.raises(CommandError, match="made-up measurements would stand among real ones"):
        call_command("fill_measurements", "--count", "10")
    assert not Measurement.objects.exists()
    call_command("fill_measurements", "--count", "10", "--years", "1", "--force")
    assert capsys.readouterr().out.startswith("10 measurements of 1 products")
    with pytest.raises(PermissionDenied):
        fill(10, actor=factories.person(Role.OPERATOR))
    with pytest.raises(CommandError, match="at least 1"):
        call_command("fill_measurements", "--count", "0")


def test_a_second_filling_adds_to_the_first():
    for _ in range(2):
        fill(62, actor=local_actor(), years=1, until=UNTIL)
    assert (Measurement.objects.count(), Product.objects.count()) == (124, 4)
    assert_true()
