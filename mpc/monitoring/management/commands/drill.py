"""A fault drill: manage.py drill [--material METRIC] [--detectors step,drift] [--series N] [--no-wait] [--json]"""

from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import CommandError, CommandParser

from mpc.accounts.commands import ActingCommand
from mpc.jobs import describe_params
from mpc.monitoring.drills.jobs import DRILL
from mpc.monitoring.drills.reading import Worth
from mpc.monitoring.drills.work import DrillParams
from mpc.monitoring.models import DrillRecord
from mpc.runs import describe, services, waiting
from mpc.runs.models import State, Trigger

_DESCRIBED = describe_params(DrillParams)


class Command(ActingCommand):
    policy_action = "runs.start"
    help = (
        "Plants known faults in made series, or in copies of real ones, and measures what the detectors make of them. "
        "Waits for the end, and does the work itself when no worker runs. Exit status: 0 done, 1 the run failed or was "
        "cancelled, 2 wrong use."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        for one in _DESCRIBED:
            parser.add_argument(f"--{one.name}", metavar=one.name.upper(), help=f"{one.help} ({one.default})")
        parser.add_argument("--no-wait", action="store_true", help="ask for it and go")
        parser.add_argument("--json", action="store_true", help="the records as JSON, one a line")

    def handle(self, *args: Any, **options: Any) -> None:
        given = {one.name: options[one.name] for one in _DESCRIBED if options[one.name] is not None}
        try:
            run, _ = services.request_run(DRILL.kind, actor=self.actor, params=given, trigger=Trigger.COMMAND)
        except (services.CannotRequest, PermissionDenied) as error:
            raise CommandError(str(error), returncode=2) from error
        if options["no_wait"]:
            self.stdout.write(describe.run_as_line(run))
            return
        (run,) = waiting.wait_for([run], self.stderr.write)
        if run.state != State.SUCCEEDED:
            self.stderr.write(describe.run_as_line(run))
            raise SystemExit(1)
        for record in DrillRecord.objects.filter(run=run).order_by("detector", "fault", "pk"):
            self.stdout.write(json.dumps(as_dict(record)) if options["json"] else as_line(record))


def as_dict(record: DrillRecord) -> dict[str, Any]:
    names = (
        *("detector", "version", "fault", "magnitude", "material", "series_count", "found", "detection_rate"),
        *("rate_low", "rate_high", "latency_points", "latency_days", "latency_points_p90", "false_alarms"),
        *("series_years", "points_per_year", "params"),
    )
    return {"run": record.run_id, **{name: getattr(record, name) for name in names}}


def as_line(record: DrillRecord) -> str:
    worth = Worth(record)
    false = f"{worth.false_rate.value:.2f} false alarms a series-year"
    head = f"{record.detector} {record.version} {worth.mode}, {worth.title}"
    if record.detection_rate is None:
        return f"{head}: {false}"
    latency = (
        f"{record.latency_points:.0f} points, {record.latency_days:.0f} days"
        if record.latency_points is not None and record.latency_days is not None
        else "none"
    )
    rate = f"{100 * record.detection_rate:.1f} % ({100 * record.rate_low:.0f} to {100 * record.rate_high:.0f})"
    return f"{head} {record.magnitude}: found {rate} within {worth.within} points, latency {latency}"
