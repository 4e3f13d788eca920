"""Rows and files of a given age."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from mpc.monitoring.models import Measurement, Metric, Series
from mpc.products.models import Product
from mpc.runs.models import Run, RunArtifact, RunAttempt, RunLogLine, State
from qc.models import BandStatistics, CheckResult, OlqcCheck, OlqcReport, QualityReport


def product(name: str = "P", path: str = "/archive/p.zip") -> Product:
    return Product.objects.create(
        name=name, kind="product", level="L1C", unit="S2A", observation=name,
        path=path, container="zip", size=1, checksum="x",
    )  # fmt: skip


def run(days: float, state: str = State.SUCCEEDED, *, of: Product | None = None, lines: int = 1, **fields: Any) -> Run:
    """A run that ended so many days ago, with an attempt, log lines and a file that counts."""
    ended = None if state in (State.QUEUED, State.RUNNING) else timezone.now() - timedelta(days=days)
    made = Run.objects.create(
        **{"kind": "qc.product", "title": "t", "queue": "qc", "trigger": "user", "attempt": 1} | fields,
        state=state, product=of, finished_at=ended,
    )  # fmt: skip
    at = timezone.now() - timedelta(days=days)
    RunAttempt.objects.create(run=made, attempt=1, started_at=at)
    RunLogLine.objects.bulk_create(RunLogLine(run=made, attempt=1, at=at, text="said") for _ in range(lines))
    if state == State.SUCCEEDED:
        RunArtifact.objects.create(
            run=made, attempt=1, name="a", path="sub/a.txt", media_type="text/plain", size=1, sha256="0" * 64
        )
        file(Path(settings.MPC_RUNS_DIR) / str(made.pk) / "1" / "sub" / "a.txt", days)
    return made


def report(days: float, of: Product, *, current: bool, checks: int = 2) -> QualityReport:
    """A report of that age with its parts, and the run that made it."""
    made = QualityReport.objects.create(product=of, run=run(days, of=of), verdict="PASSED", summary="", current=current)
    QualityReport.objects.filter(pk=made.pk).update(made=timezone.now() - timedelta(days=days))
    CheckResult.objects.bulk_create(
        CheckResult(report=made, order=n, check_id="c", title="c", group="g", required=True, status="passed")
        for n in range(checks)
    )
    olqc = OlqcReport.objects.create(report=made, name="o", scope="product", status="PASSED")
    OlqcCheck.objects.create(olqc_report=olqc, order=0, check_id="o")
    BandStatistics.objects.create(report=made, product=of, band="B02", resolution=10, detectors=[], by_detector={})
    return made


def measurement(days: float, *, current: bool) -> Measurement:
    metric, _ = Metric.objects.get_or_create(code="m", defaults={"name": "m"})
    series, _ = Series.objects.get_or_create(metric=metric)
    made = run(days)
    return Measurement.objects.create(
        series=series, time=made.finished_at, value=1.0, no_uncertainty="exact", samples=1,
        run=made, job_kind="qc.product", current=current,
    )  # fmt: skip


def file(place: Path, days: float, content: bytes = b"x") -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    then = timezone.now().timestamp() - days * 86400
    os.utime(place, (then, then))
    for folder in place.parents:
        if folder.is_relative_to(settings.MPC_DATA_DIR) and folder != settings.MPC_DATA_DIR:
            os.utime(folder, (then, then))
    return place
