"""Whether the schedule was kept on a day: which entries were due, and what became of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule

from mpc.runs import punctuality
from mpc.runs.models import Run, State, Trigger
from mpc.runs.punctuality import Fate, due_times

START = datetime(2026, 9, 1, tzinfo=UTC)  # a Tuesday
END = START + timedelta(days=1)


def at(hour: int, minute: int = 0, day: int = 1) -> datetime:
    return datetime(2026, 9, day, hour, minute, tzinfo=UTC)


def entry(
    name: str = "drill", kind: str = "monitoring.drill", task: str = "runs.request", **values: Any
) -> PeriodicTask:
    return PeriodicTask.objects.create(name=name, task=task, kwargs=json.dumps({"kind": kind}), **values)


def crontab(minute: str = "0", hour: str = "3", zone: str = "UTC", **more: str) -> CrontabSchedule:
    return CrontabSchedule.objects.create(minute=minute, hour=hour, timezone=zone, **more)


def asked(kind: str, when: datetime) -> None:
    run = Run.objects.create(kind=kind, title=kind, queue="default", trigger=Trigger.SCHEDULE, state=State.SUCCEEDED)
    Run.objects.filter(pk=run.pk).update(requested_at=when)


def only() -> punctuality.Turn:
    (turn,) = punctuality.turns(START, END)
    return turn


pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("rule", "times"),
    [
        ({"minute": "30", "hour": "3"}, [at(3, 30)]),
        ({"minute": "0", "hour": "*/8"}, [at(0), at(8), at(16)]),
        ({"minute": "0", "hour": "3", "day_of_week": "tue"}, [at(3)]),
        ({"minute": "0", "hour": "3", "day_of_week": "0"}, []),
        ({"minute": "0", "hour": "3", "day_of_month": "2"}, []),
        ({"minute": "0", "hour": "3", "month_of_year": "9"}, [at(3)]),
        ({"minute": "0", "hour": "1", "zone": "Europe/Rome"}, [at(23)]),  # 1 h of the 2nd there, UTC + 2 h
    ],
)
def test_when_a_crontab_is_due(rule: dict[str, str], times: list[datetime]) -> None:
    assert due_times(entry(crontab=crontab(**rule)), START, END) == times


def test_when_an_interval_is_due() -> None:
    every = IntervalSchedule.objects.create(every=6, period=IntervalSchedule.HOURS)
    row = entry(interval=every, last_run_at=START - timedelta(hours=2))
    assert due_times(row, START, END) == [at(4), at(10), at(16), at(22)]
    week = IntervalSchedule.objects.create(every=7, period=IntervalSchedule.DAYS)
    assert due_times(entry("weekly", interval=week, last_run_at=START - timedelta(days=3)), START, END) == []
    assert due_times(entry("done", interval=week, last_run_at=at(5)), START, END) == [at(5)]


def test_what_is_not_in_force_is_not_due() -> None:
    three = crontab()
    assert due_times(entry("late", crontab=three, start_time=at(4)), START, END) == []
    assert due_times(entry("past", crontab=three, expires=at(2)), START, END) == []
    once = ClockedSchedule.objects.create(clocked_time=at(7))
    assert due_times(entry("once", clocked=once, one_off=True), START, END) == [at(7)]
    sun = SolarSchedule.objects.create(event="sunrise", latitude=50, longitude=8)
    assert due_times(entry("sun", solar=sun), START, END) is None


def test_a_run_that_the_schedule_asked_for_is_the_proof() -> None:
    entry(crontab=crontab())
    asked("monitoring.drill", at(3, 1))
    asked("monitoring.drill", END + timedelta(hours=3))  # of the next day
    turn = only()
    assert (turn.fate, turn.due, turn.done) == (Fate.KEPT, 1, 1)
    assert punctuality.missed([turn]) == []


def test_without_a_run_it_was_missed() -> None:
    entry(crontab=crontab(), last_run_at=START - timedelta(days=1))
    asked("qc.product", at(3))
    turn = only()
    assert (turn.fate, turn.entry, turn.kind, turn.last_due) == (Fate.MISSED, "drill", "monitoring.drill", at(3))


def test_a_turn_without_a_run_says_that_it_was_refused_or_under_way() -> None:
    entry(crontab=crontab(), last_run_at=at(3))
    assert (only().fate, only().done) == (Fate.REFUSED, 0)


def test_fewer_runs_than_due_are_counted() -> None:
    entry(crontab=crontab(hour="*/8"))
    for hour in (0, 16):
        asked("monitoring.drill", at(hour))
    turn = only()
    assert (turn.fate, turn.words) == (Fate.FEWER, "2 of 3 runs were asked for")


@pytest.mark.parametrize(
    ("last", "fate"),
    [(at(3), Fate.KEPT), (START - timedelta(days=1), Fate.MISSED), (None, Fate.MISSED), (at(3, 0, 3), Fate.UNKNOWN)],
)
def test_other_tasks_are_known_by_their_last_turn(last: datetime | None, fate: Fate) -> None:
    entry(task="some.task", crontab=crontab(), last_run_at=last)
    assert only().fate == fate


def test_disabled_entries_and_those_of_the_scheduler_itself_are_left_out() -> None:
    three = crontab()
    entry("off", crontab=three, enabled=False)
    entry("own", task="celery.backend_cleanup", crontab=three)
    assert punctuality.turns(START, END) == []


def test_arguments_that_cannot_be_read_are_no_kind() -> None:
    PeriodicTask.objects.create(name="broken", task="runs.request", crontab=crontab(), kwargs="{", last_run_at=None)
    assert (only().kind, only().fate) == ("", Fate.MISSED)
