"""Series with known truth, and one look of the detectors at them, without a worker."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from mpc.jobs import Inputs, Outcome, RecordingContext
from mpc.monitoring.alerts import judging
from mpc.monitoring.detecting import inputs, marking, storing, work
from mpc.monitoring.models import Measurement, Metric, Requirement, RequirementLimit, Series, Watch
from mpc.runs.models import Run, State

NOW = datetime.now(UTC).replace(microsecond=0)


def a_run(kind: str = "monitoring.detect", **values: Any) -> Run:
    own = {"title": kind, "state": State.SUCCEEDED, "trigger": "schedule", "queue": "default", "params": {}}
    return Run.objects.create(kind=kind, **{**own, **values})


def a_metric(code: str = "image.level", **values: Any) -> Metric:
    own = {"name": code.rpartition(".")[2].capitalize(), "unit": "%", "group": "image"}
    return Metric.objects.get_or_create(code=code, defaults={**own, **values})[0]


def a_series(metric: str = "image.level", unit: str = "S2A", band: str = "B02", **values: Any) -> Series:
    return Series.objects.get_or_create(metric=a_metric(metric), unit=unit, band=band, level="L1C", **values)[0]


def fill(series: Series, values: Sequence[float], *, end: datetime | None = None, every_days: float = 1.0) -> Series:
    """Values one after the other, the last one ``end`` (an hour ago): marked for the detectors, no products."""
    end = end or NOW - timedelta(hours=1)
    run = a_run("test.measure")
    times = [end - timedelta(days=every_days * (len(values) - 1 - i)) for i in range(len(values))]
    Measurement.objects.bulk_create(
        Measurement(
            series=series, time=t, value=float(v), uncertainty=0.01, samples=1, run=run, job_kind="test.measure"
        )
        for t, v in zip(times, values, strict=True)
    )
    shown = Measurement.objects.shown().filter(series=series).order_by("time")
    series.count, series.first_time, series.last_time = shown.count(), shown[0].time, times[-1]
    series.save()
    marking.mark([series.pk])
    return series


def noise(count: int, seed: int = 1, level: float = 1.0, sigma: float = 0.01) -> np.ndarray:
    return level + sigma * np.random.default_rng(seed).standard_normal(count)


def stepped(count: int = 200, after: int = 20, size: float = 0.1, seed: int = 1) -> np.ndarray:
    """Noise of 0.01 whose last ``after`` values are ``size`` higher."""
    values = noise(count, seed)
    values[-after:] += size
    return values


def look(tmp_path: Path | None = None, **params: Any) -> Outcome:
    """One batch as a run does it, and what follows for alerts."""
    asked = work.DetectParams(**params)
    outcome = work.detect(asked, Inputs(extra=inputs.inputs_for(asked)), RecordingContext(tmp_path or Path("/tmp")))  # noqa: S108
    storing.store(a_run(params={"unit": asked.unit}), outcome)
    judging.judge_due()
    return outcome


def a_requirement(metric: str, low: float | None = None, high: float | None = None, **values: Any) -> Requirement:
    own = {
        "code": f"REQ-{metric}",
        "title": f"Limit of {metric}",
        "statistic": "each",
        "verified": True,
        "document": "D",
    }
    found = Requirement.objects.create(metric=a_metric(metric), **{"verified": True, **own, **values})
    RequirementLimit.objects.create(requirement=found, low=low, high=high)
    return found


def seen(series: Series, **values: Any) -> Watch:
    """What the detectors saw of a series, without them: to be judged."""
    own = {"looked_at": NOW, "count": 100, "newest": NOW, "judged": False}
    return Watch.objects.update_or_create(series=series, defaults={**own, **values})[0]
