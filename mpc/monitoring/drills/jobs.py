"""The job ``monitoring.drill``, and the weekly one of the schedule."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections

from mpc.jobs import Inputs, Job, register
from mpc.monitoring.drills.inputs import inputs_for
from mpc.monitoring.drills.storing import store
from mpc.monitoring.drills.work import DrillParams

WEEKLY = "Weekly fault drill"


def _request_key(params: DrillParams, inputs: Inputs) -> str:
    return f"{params.material}/{params.detectors}/{params.faults}/{params.seed}"


DRILL = register(
    Job(
        kind="monitoring.drill",
        title="Drill the detectors with known faults",
        work="mpc.monitoring.drills.work:drill",
        description=(
            "Plants known faults in made series, or in copies of real ones, runs the detectors as they are set, and "
            "keeps how often they found a fault, how late, and how often they cried without cause."
        ),
        params=DrillParams,
        needs_product=False,
        queue="default",
        priority=-10,
        time_limit_s=7200,
        memory_limit_mb=2048,
        request_key=_request_key,
        param_inputs=inputs_for,
        finish=store,
    )
)


def schedule_weekly(using: str = DEFAULT_DB_ALIAS, **_: Any) -> None:
    """After a migration: Sundays at 04:00 UTC, unless an entry of this name is there; who wants none disables it."""
    from django_celery_beat.models import CrontabSchedule, PeriodicTask

    tables = connections[using].introspection.table_names()
    if not settings.MPC_LOAD_TABLES or PeriodicTask._meta.db_table not in tables:
        return
    if PeriodicTask.objects.using(using).filter(name=WEEKLY).exists():
        return
    sunday = {"minute": "0", "hour": "4", "day_of_week": "0", "timezone": "UTC"}
    crontab = CrontabSchedule.objects.using(using).filter(day_of_month="*", month_of_year="*", **sunday).first()
    crontab = crontab or CrontabSchedule.objects.using(using).create(**sunday)
    PeriodicTask.objects.using(using).create(
        name=WEEKLY, task="runs.request", crontab=crontab, kwargs=json.dumps({"kind": DRILL.kind})
    )
