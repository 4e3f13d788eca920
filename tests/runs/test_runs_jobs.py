"""What every declared job must keep, and the schedule that asks for runs."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from mpc.jobs import all_jobs, describe_params
from mpc.runs.children import ROOT, child_environment
from mpc.runs.models import Run, Trigger
from mpc.runs.schedule import RunScheduler

PURE = """
import importlib, json, sys
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
found = sorted({"django", "celery", "kombu"} & {name.partition(".")[0] for name in sys.modules})
sys.exit(f"these are loaded too: {', '.join(found)}" if found else 0)
"""


def test_work_and_parameters_load_without_django() -> None:
    """The child unpickles the parameters and imports the work; Django in it would cost memory and open the database."""
    by_child = [job for job in all_jobs() if job.in_database is None]
    modules = {job.work.partition(":")[0] for job in by_child} | {job.params.__module__ for job in by_child}
    done = subprocess.run(
        [sys.executable, "-c", PURE, json.dumps(sorted(modules | {"mpc.runs.child"}))],
        cwd=ROOT,
        env=child_environment(1),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_every_job_has_its_work_and_describes_its_parameters() -> None:
    for job in all_jobs():
        if job.in_database is not None:
            assert not job.work, job.kind
        elif job.kind != "test.nowhere":
            assert callable(job.function()), job.kind
        assert all(described.help for described in describe_params(job.params)), job.kind
        assert job.max_attempts >= 1
        assert job.memory_limit_mb > 0
        assert job.time_limit_s > 0


def test_secrets_do_not_reach_the_children(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "MPC_SECRET_KEY", "MPC_BROKER_URL"):
        monkeypatch.setenv(name, "secret")
    assert "secret" not in child_environment(2).values()


@pytest.mark.django_db
def test_a_due_entry_of_the_schedule_asks_for_a_run() -> None:
    every = IntervalSchedule.objects.create(every=1, period=IntervalSchedule.HOURS)
    arguments: dict[str, Any] = {"kind": "test.echo", "params": {"text": "scheduled"}}
    PeriodicTask.objects.create(
        name="echo", task="runs.request", interval=every, kwargs=json.dumps(arguments),
        last_run_at=timezone.now() - timedelta(hours=2), start_time=timezone.now() - timedelta(days=1),
    )  # fmt: skip
    PeriodicTask.objects.create(
        name="wrong", task="runs.request", interval=every, kwargs=json.dumps({"kind": "no.such"}),
        last_run_at=timezone.now() - timedelta(hours=2), start_time=timezone.now() - timedelta(days=1),
    )  # fmt: skip
    scheduler = RunScheduler.build()
    for _ in range(6):
        scheduler.tick()
    run = Run.objects.get()
    assert (run.kind, run.params["text"], run.trigger) == ("test.echo", "scheduled", Trigger.SCHEDULE)
    assert run.requested_by.username == "local"
