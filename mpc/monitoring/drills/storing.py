"""Keeps what a drill found out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from mpc.jobs import Outcome
from mpc.monitoring.drills.work import DrillRow
from mpc.monitoring.models import DrillRecord
from mpc.runs.models import Run


def store(run: Run, outcome: Outcome) -> None:
    """One record a trial and fault, in the transaction that closes the run."""
    rows: Sequence[DrillRow] = outcome.results
    now = timezone.now()
    DrillRecord.objects.bulk_create([_record(run, row, now) for row in rows])


def _record(run: Run, row: DrillRow, now: Any) -> DrillRecord:
    return DrillRecord(
        run=run,
        detector=row.detector,
        version=row.version,
        fault=row.fault,
        magnitude=row.magnitude,
        material=str(run.params.get("material", "")),
        series_count=row.series,
        found=row.found,
        detection_rate=row.rate,
        rate_low=row.rate_low,
        rate_high=row.rate_high,
        latency_points=row.points_median,
        latency_days=row.days_median,
        latency_points_p90=row.points_90,
        false_alarms=row.false,
        series_years=row.years,
        points_per_year=row.points_per_year,
        params={
            **run.params,
            "mode": row.mode,
            "settings": row.settings,
            "within": row.within,
            "ever": row.ever,
            "note": row.note,
        },
        made_at=now,
    )
