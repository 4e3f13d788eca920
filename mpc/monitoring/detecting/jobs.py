"""The job ``monitoring.detect``, and when it is asked for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from mpc.accounts.actors import local_actor
from mpc.jobs import Inputs, Job, every, register, request_work
from mpc.monitoring.detecting import marking
from mpc.monitoring.detecting.inputs import SERIES_MAX, inputs_for
from mpc.monitoring.detecting.storing import store
from mpc.monitoring.detecting.work import DetectParams
from mpc.monitoring.models import WatchMark
from mpc.runs.models import Run


def _request_key(params: DetectParams, inputs: Inputs) -> str:
    return "/".join((params.unit, params.group, params.metric, params.since, str(params.everything)))


DETECT = register(
    Job(
        kind="monitoring.detect",
        title="Look for changes in the series",
        work="mpc.monitoring.detecting.work:detect",
        description=(
            f"Runs the detectors on series with new values (at most {SERIES_MAX} a run, then asks for the next), "
            "keeps what they find, and says which requirements on each value do not hold."
        ),
        params=DetectParams,
        needs_product=False,
        queue="default",
        time_limit_s=1800,
        memory_limit_mb=2048,
        request_key=_request_key,
        param_inputs=inputs_for,
        finish=store,
    )
)


@every(20.0, "monitoring.detect")
def ask() -> None:
    """Ask for a run where series are marked, at most every ``MPC_DETECT_EVERY_S``; runs that take all that is there ask
    for the next one themselves."""
    marking.mark_unseen()
    if not WatchMark.objects.exists():
        return
    newest = Run.objects.filter(kind=DETECT.kind).order_by("-id").values_list("requested_at", flat=True).first()
    if newest is not None and timezone.now() - newest < timedelta(seconds=settings.MPC_DETECT_EVERY_S):
        return
    request_work(DETECT.kind, actor=local_actor(), params={}, trigger="schedule")


def look_again(series: Any) -> int:
    """Mark the watched ones of these series (a queryset), because their settings changed."""
    return marking.mark(
        series.filter(metric__watched=True, metric__declared=False, count__gt=0).values_list("pk", flat=True)
    )
