"""The test jobs as declarations, and an app that declares them in a worker process of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.apps import AppConfig

from mpc.jobs import Inputs, Job, Outcome, register
from mpc.monitoring.catalogue import declare_metrics
from tests.runs import jobs

KEPT: list[tuple[int, int]] = []


def _job(name: str, params: type = jobs.EchoParams, **more: Any) -> Job:
    fields = {"kind": f"test.{name}", "title": name, "work": f"tests.runs.jobs:{name}", "params": params}
    return Job(**{**fields, "needs_product": False, "memory_limit_mb": 2000, "time_limit_s": 300, **more})


def _keep(run: Any, outcome: Outcome) -> None:
    KEPT.append((run.pk, run.attempt))


def _broken_finish(run: Any, outcome: Outcome) -> None:
    from mpc.runs.models import RunLogLine

    RunLogLine.objects.create(run=run, attempt=run.attempt, at=run.started_at, text="half written")
    raise ValueError("the results make no sense")


def _once(params: jobs.EchoParams, inputs: Inputs) -> str:
    return f"{params.text}:{inputs.product}"


JOBS = [
    _job("echo", finish=_keep),
    _job("write_files"),
    _job("claim_foreign_file"),
    _job("sleep", jobs.SleepParams),
    _job("busy_kernel"),
    _job("eat_memory", jobs.MemoryParams, memory_limit_mb=400),
    _job("exit_by_signal", jobs.SignalParams, max_attempts=2),
    _job("exit_at_once", max_attempts=1),
    _job("hopeless"),
    _job("broken"),
    _job("unpicklable"),
    _job("passing", jobs.PlaceParams),
    _job("crash_first", jobs.PlaceParams),
    _job("with_offspring", jobs.PlaceParams),
    _job("gated", jobs.PlaceParams),
    _job("talkative"),
    _job("whole_work", jobs.WorkParams, max_attempts=30),
    _job("read_image", jobs.PlaceParams),
    _job("echo", kind="test.short", work="tests.runs.jobs:sleep", params=jobs.SleepParams, time_limit_s=1),
    _job("echo", kind="test.once", request_key=_once),
    _job("echo", kind="test.half", finish=_broken_finish),
    _job("echo", kind="test.nowhere", work="tests.runs.jobs:not_there"),
    _job("echo", kind="test.product", needs_product=True, product_levels=("L1C",)),
]


@dataclass(frozen=True)
class TestMetric:
    code: str
    name: str = "A number of the tests"
    unit: str = ""
    description: str = ""
    method: str = ""


def declare() -> None:
    for job in JOBS:
        register(job)
    declare_metrics([TestMetric("test.one"), TestMetric("test.two")])


class TestJobsConfig(AppConfig):
    name = "tests.runs"
    label = "test_jobs"

    def ready(self) -> None:
        declare()
