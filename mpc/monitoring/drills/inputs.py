"""What a drill is given from the database: the detectors as they are set, and the real series to copy."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from mpc.jobs import HopelessError
from mpc.monitoring.detecting.settings import LIMITS, Settings
from mpc.monitoring.detectors.registry import all_detectors
from mpc.monitoring.detectors.series import days_of
from mpc.monitoring.drills.work import SIMULATED, DrillParams, DrillTrial, Given
from mpc.monitoring.models import DetectorMode, Metric, Series
from mpc.monitoring.rollups.reading import VALUE, read_series

POINTS_MAX = 400_000


def inputs_for(params: DrillParams) -> dict[str, Any]:
    """The trials, and for a metric its series with most values. Raises HopelessError for what is not known."""
    trials = trials_for(params)
    if params.material == SIMULATED:
        return {"trials": trials, "given": []}
    if not Metric.objects.filter(code=params.material).exists():
        raise HopelessError(f"no metric “{params.material}”; name one of the catalogue, or: {SIMULATED}")
    return {"trials": trials, "given": real_series(params)}


def trials_for(params: DrillParams) -> list[DrillTrial]:
    """Every detector as it is set for all series, or for the metric: live ones and those in shadow."""
    asked = {name.strip() for name in params.detectors.split(",") if name.strip()}
    known = {detector.code for detector in all_detectors()}
    if asked - known:
        raise HopelessError(f"no detector {', '.join(sorted(asked - known))}; known are: {', '.join(sorted(known))}")
    part = Series(metric_id="" if params.material == SIMULATED else params.material)
    chosen = Settings.load().of(part)
    found = [DrillTrial(trial.detector, str(trial.mode), dict(trial.params)) for trial in chosen.trials]
    if chosen.rule is not None and params.material == SIMULATED:  # limits stand in requirements; made series have some
        found.append(DrillTrial(LIMITS, DetectorMode.LIVE.value, dict(chosen.rule)))
    return [trial for trial in found if not asked or trial.detector in asked]


def real_series(params: DrillParams) -> list[Given]:
    """The newest years of the series with most values, value by value."""
    series = Series.objects.filter(metric=params.material, count__gt=0).order_by("-count", "pk")[: params.series]
    since = timezone.now() - timedelta(days=365.25 * params.years)
    given = []
    for one in series:
        read = read_series([one], since, None, max_points=POINTS_MAX // max(len(series), 1), resolution=VALUE)
        arrays = read.by_series[one.pk]
        given.append(Given(days_of(arrays.times), arrays.value))
    return given
