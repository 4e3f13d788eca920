"""What goes, and above all what stays."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from mpc.accounts.actors import local_actor
from mpc.accounts.models import AuditEntry
from mpc.housekeeping import cleaning
from mpc.housekeeping.retention import all_rules
from mpc.housekeeping.retention import rule as rule_module
from mpc.monitoring.models import Measurement
from mpc.products.models import Product
from mpc.runs.models import Run, RunArtifact, RunLogLine, State
from qc.models import BandStatistics, CheckResult, OlqcCheck, QualityReport
from tests.housekeeping import making

pytestmark = pytest.mark.django_db
DAYS = 30


@pytest.fixture(autouse=True)
def _own_place(settings: Any, tmp_path: Path) -> None:
    settings.MPC_DATA_DIR = tmp_path
    settings.MPC_RUNS_DIR, settings.MPC_UPLOADS_DIR = tmp_path / "runs", tmp_path / "uploads"
    for name in ("LOG", "ARTIFACT", "UPLOAD", "SUPERSEDED", "RUN"):
        setattr(settings, f"MPC_KEEP_{name}_DAYS", DAYS)


def clean(rule: str) -> int:
    """Apply one rule as the cleaning does; how much it removed, which is what it said was due."""
    (found,) = [r for r in all_rules() if r.name == rule]
    before = found.before(timezone.now())
    if before is None:
        return 0
    due = found.due(before)
    gone = sum(found.remove(before))
    assert gone == due
    assert found.due(before) == 0
    return gone


def files_below(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()} if folder.exists() else set()


# --- Logs ------------------------------------------------------------------------------------------------------------
def test_log_lines_of_runs_that_ended_long_ago_go() -> None:
    old = making.run(DAYS + 1, lines=3)
    failed = making.run(DAYS + 1, State.FAILED)
    young = making.run(DAYS - 1)
    active = making.run(DAYS + 1, State.RUNNING)
    queued_again = making.run(DAYS + 1, State.QUEUED)
    Run.objects.filter(pk__in=[active.pk, queued_again.pk]).update(finished_at=old.finished_at)  # of an earlier attempt
    assert clean("logs") == 4
    left = set(RunLogLine.objects.values_list("run", flat=True))
    assert left == {young.pk, active.pk, queued_again.pk}
    assert {old.pk, failed.pk} <= set(Run.objects.values_list("pk", flat=True))


# --- Files of runs ---------------------------------------------------------------------------------------------------
def test_files_of_old_runs_go_but_not_the_newest_of_their_kind(settings: Any) -> None:
    one, other = making.product("one"), making.product("other")
    old, newest = making.run(DAYS + 5, of=one), making.run(DAYS + 1, of=one)
    alone = making.run(DAYS + 9, of=other)
    of_another_kind = making.run(DAYS + 9, of=one, kind="export")
    on_none, newest_on_none = making.run(DAYS + 5), making.run(DAYS + 3)
    assert clean("artifacts") == 2
    kept = {newest, alone, of_another_kind, newest_on_none}
    assert set(RunArtifact.objects.values_list("run", flat=True)) == {run.pk for run in kept}
    assert files_below(settings.MPC_RUNS_DIR) == {f"{run.pk}/1/sub/a.txt" for run in kept}
    assert not (settings.MPC_RUNS_DIR / str(old.pk)).exists()
    assert not (settings.MPC_RUNS_DIR / str(on_none.pk)).exists()


def test_the_pictures_of_the_current_report_stay_though_another_run_came_later() -> None:
    product = making.product()
    current = making.report(DAYS + 5, product, current=True)
    making.run(DAYS + 1, of=product)
    assert clean("artifacts") == 0
    assert current.run.artifacts.count() == 1


def test_two_artifacts_may_share_a_file(settings: Any) -> None:
    old, _ = making.run(DAYS + 5), making.run(DAYS + 1)
    shared = RunArtifact.objects.get(run=old)
    shared.pk, shared.name = None, "b"
    shared.save()
    assert clean("artifacts") == 2
    assert not (settings.MPC_RUNS_DIR / str(old.pk)).exists()


def test_an_artifact_that_leads_out_of_its_folder_removes_nothing_there(settings: Any) -> None:
    old, _ = making.run(DAYS + 5), making.run(DAYS + 1)
    outside = making.file(settings.MPC_DATA_DIR / "precious.txt", 99)
    RunArtifact.objects.filter(run=old).update(path="../../../precious.txt")
    assert clean("artifacts") == 1
    assert outside.exists()


# --- Superseded results ----------------------------------------------------------------------------------------------
def test_superseded_reports_go_with_their_parts() -> None:
    product = making.product()
    making.report(DAYS + 9, product, current=False)
    young = making.report(DAYS - 1, product, current=False)
    current = making.report(DAYS + 1, product, current=True)
    assert clean("reports") == 1
    assert set(QualityReport.objects.values_list("pk", flat=True)) == {young.pk, current.pk}
    assert CheckResult.objects.count() == 4
    assert OlqcCheck.objects.count() == BandStatistics.objects.count() == 2
    assert Product.objects.filter(pk=product.pk).exists()


def test_the_newest_report_of_a_product_stays_even_where_none_is_current() -> None:
    product = making.product()
    making.report(DAYS + 9, product, current=False)
    newest = making.report(DAYS + 5, product, current=False)
    assert clean("reports") == 1
    assert QualityReport.objects.get() == newest


def test_hidden_measurements_go_current_ones_stay() -> None:
    gone = making.measurement(DAYS + 2, current=False)
    young = making.measurement(DAYS - 1, current=False)
    current = making.measurement(DAYS + 1, current=True)
    assert clean("measurements") == 1
    assert set(Measurement.objects.values_list("pk", flat=True)) == {young.pk, current.pk}
    assert Run.objects.filter(pk=gone.run_id).exists()


# --- Runs ------------------------------------------------------------------------------------------------------------
def test_runs_without_results_go_with_all_that_is_theirs(settings: Any) -> None:
    product = making.product()
    gone = [making.run(DAYS + 9, of=product), making.run(DAYS + 9, State.FAILED), making.run(DAYS + 9, State.CANCELLED)]
    reported = making.report(DAYS + 8, product, current=False).run
    newest = making.run(DAYS + 1, of=product)
    measured = making.measurement(DAYS + 7, current=True).run
    making.run(DAYS + 2)  # newer than the measured one, on no product
    active = [making.run(DAYS + 9, State.QUEUED), making.run(DAYS + 9, State.RUNNING)]
    young = making.run(DAYS - 1, State.FAILED)
    assert clean("runs") == 3
    left = set(Run.objects.values_list("pk", flat=True))
    assert left.isdisjoint({run.pk for run in gone})
    assert {reported.pk, newest.pk, measured.pk, young.pk, *(run.pk for run in active)} <= left
    assert not RunLogLine.objects.filter(run__in=[run.pk for run in gone]).exists()
    assert not (settings.MPC_RUNS_DIR / str(gone[0].pk)).exists()
    assert (settings.MPC_RUNS_DIR / str(newest.pk)).exists()


# --- Uploads ---------------------------------------------------------------------------------------------------------
def test_uploads_that_nothing_came_of_go(settings: Any) -> None:
    uploads, elsewhere = settings.MPC_UPLOADS_DIR, settings.MPC_DATA_DIR / "archive"
    refused = making.file(uploads / "refused" / "x.zip", DAYS + 1)
    half = making.file(uploads / "half" / ".incoming", DAYS + 1)
    young = making.file(uploads / "young" / "x.zip", DAYS - 1)
    taken = making.file(uploads / "taken" / "p.zip", DAYS + 1)
    waiting = making.file(uploads / "waiting" / "w.zip", DAYS + 1)
    own = making.file(elsewhere / "refused.zip", DAYS + 99)
    making.product(path=str(taken))
    making.run(0, State.QUEUED, kind="products.ingest", params={"path": str(waiting), "trigger": "upload"})
    making.run(0, State.FAILED, kind="products.ingest", params={"path": str(refused)})
    assert clean("uploads") == 2
    assert not refused.parent.exists()
    assert not half.parent.exists()
    assert all(place.exists() for place in (young, taken, waiting, own))


def test_a_link_among_the_uploads_is_removed_and_not_followed(settings: Any) -> None:
    settings.MPC_UPLOADS_DIR.mkdir()
    outside = making.file(settings.MPC_DATA_DIR / "archive" / "precious.zip", 99)
    link = settings.MPC_UPLOADS_DIR / "link"
    link.symlink_to(outside.parent)
    (found,) = [r for r in all_rules() if r.name == "uploads"]
    assert sum(found.remove(timezone.now() + timedelta(days=1))) == 1
    assert not link.is_symlink()
    assert outside.exists()


# --- Files that no run names -----------------------------------------------------------------------------------------
def test_files_that_no_run_names_go_after_a_day(settings: Any) -> None:
    runs = settings.MPC_RUNS_DIR
    product = making.product()
    done, active = making.run(5, of=product), making.run(5, State.RUNNING, of=product)
    gone = [
        making.file(runs / "4711" / "1" / "x.bin", 2),
        making.file(runs / str(done.pk) / "1" / "left-over.bin", 2),
        making.file(runs / str(done.pk) / "2" / "x.bin", 2),
        making.file(runs / "stray.txt", 2),
        making.file(runs / "no-number" / "x.txt", 2),
    ]
    kept = [
        runs / str(done.pk) / "1" / "sub" / "a.txt",
        making.file(runs / str(active.pk) / "1" / "working.bin", 2),
        making.file(runs / "4712" / "1" / "x.bin", 0.5),
    ]
    assert clean("orphans") == len(gone)
    assert files_below(runs) == {str(place.relative_to(runs)) for place in kept}
    assert not (runs / "4711").exists()


# --- Small things ----------------------------------------------------------------------------------------------------
def test_ended_sessions_go() -> None:
    now = timezone.now()
    Session.objects.create(session_key="old", session_data="", expire_date=now - timedelta(seconds=1))
    Session.objects.create(session_key="new", session_data="", expire_date=now + timedelta(hours=1))
    assert clean("sessions") == 1
    assert Session.objects.get().session_key == "new"


# --- All together ----------------------------------------------------------------------------------------------------
MAKERS: dict[str, Callable[[], Any]] = {
    "LOG": lambda: making.run(9999, State.FAILED),
    "ARTIFACT": lambda: (making.run(9999), making.run(9998)),
    "SUPERSEDED": lambda: making.measurement(9999, current=False),
    "RUN": lambda: making.run(9999, State.FAILED),
}


@pytest.mark.parametrize(("name", "make"), MAKERS.items())
def test_zero_is_for_ever(settings: Any, name: str, make: Callable[[], Any]) -> None:
    make()
    rules = [r for r in all_rules() if r.setting == f"MPC_KEEP_{name}_DAYS"]
    assert sum(r.due(r.before(timezone.now())) for r in rules) > 0
    setattr(settings, f"MPC_KEEP_{name}_DAYS", 0)
    assert [r.before(timezone.now()) for r in rules] == [None] * len(rules)


def test_no_transaction_removes_more_than_a_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rule_module, "CHUNK", 10)
    making.run(DAYS + 1, lines=35)
    steps = list(rule_module.remove_rows(RunLogLine.objects.all()))
    assert steps == [10, 10, 10, 5]


def test_reports_go_as_many_at_once_as_fit_a_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    from mpc.housekeeping.retention import rules

    monkeypatch.setattr(rules, "CHUNK", 20)
    monkeypatch.setattr(rule_module, "CHUNK", 20)
    product = making.product()
    for checks in (4, 4, 4, 50):  # of 8 rows each with their other parts; the last is larger than a transaction
        making.report(DAYS + 9, product, current=False, checks=checks)
    making.report(1, product, current=True)
    (found,) = [r for r in all_rules() if r.name == "reports"]
    with CaptureQueriesContext(connection) as queries:
        steps = [gone for gone in found.remove(timezone.now() - timedelta(days=DAYS)) if gone]
    assert steps == [2, 1, 1]
    assert sum("DELETE" in q["sql"] and "qc_checkresult" in q["sql"] for q in queries) >= 5


def test_the_command_counts_removes_and_notes_what_it_did() -> None:
    making.run(DAYS + 1, State.FAILED, lines=3)

    def command(*arguments: str) -> dict[str, int]:
        out = StringIO()
        call_command("housekeep", *arguments, "--json", stdout=out)
        return json.loads(out.getvalue())

    due = command("--dry-run")
    assert (due["logs"], due["runs"]) == (3, 1)
    assert RunLogLine.objects.count() == 3
    assert not AuditEntry.objects.filter(action="site.housekeeping").exists()
    assert command() == due
    assert Run.objects.count() == 0
    entry = AuditEntry.objects.get(action="site.housekeeping")
    assert entry.after == {"logs": 3, "runs": 1}
    assert entry.actor == local_actor()
    assert command() == dict.fromkeys(due, 0)


def test_the_command_says_it_in_words() -> None:
    out = StringIO()
    call_command("housekeep", "--dry-run", stdout=out)
    lines = out.getvalue().splitlines()
    assert f"log lines of runs: 0 would go; kept {DAYS} days (MPC_KEEP_LOG_DAYS)" in lines
    assert len(lines) == len(all_rules())


# --- Every day -------------------------------------------------------------------------------------------------------
@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """``at("2026-11-22 04:00")`` sets the clock (UTC) that the cleaning looks at."""

    def set_clock(text: str) -> None:
        from datetime import UTC, datetime

        now = datetime.fromisoformat(text).replace(tzinfo=UTC)
        monkeypatch.setattr(cleaning.timezone, "now", lambda: now)

    return set_clock


def cleanings() -> list[tuple[str, bool]]:
    return [(str(c.day), c.finished_at is not None) for c in cleaning.Cleaning.objects.order_by("day")]


def test_once_a_day_after_its_hour_whoever_asks(at: Callable[[str], None], settings: Any) -> None:
    settings.MPC_HOUSEKEEPING_HOUR = 3
    at("2026-11-22 02:59")
    cleaning.DailyCleaning()()
    assert cleanings() == []
    at("2026-11-22 03:00")
    cleaning.DailyCleaning()()
    assert cleanings() == [("2026-11-22", True)]
    for hour in ("03:01", "23:59"):  # a restart, another host
        at(f"2026-11-22 {hour}")
        cleaning.DailyCleaning()()
    assert AuditEntry.objects.filter(action="site.housekeeping").count() == 1
    at("2026-11-23 09:00")
    cleaning.DailyCleaning()()
    assert cleanings() == [("2026-11-22", True), ("2026-11-23", True)]


def test_a_long_cleaning_takes_turns(at: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    at("2026-11-22 04:00")
    monkeypatch.setattr(cleaning, "TURN_S", -1.0)
    monkeypatch.setattr(cleaning, "_steps", lambda now: iter([("logs", 5), ("logs", 3), ("runs", 1)]))
    daily = cleaning.DailyCleaning()
    for _ in range(3):
        daily()
        assert cleanings() == [("2026-11-22", False)]
    cleaning.DailyCleaning()()  # another process does not begin it a second time
    assert AuditEntry.objects.filter(action="site.housekeeping").count() == 0
    daily()
    assert cleanings() == [("2026-11-22", True)]
    assert AuditEntry.objects.get(action="site.housekeeping").after == {"logs": 8, "runs": 1}


def test_a_cleaning_whose_process_ended_is_taken_up(at: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(now: Any) -> Any:
        raise OSError("the disk went away")
        yield

    at("2026-11-22 04:00")
    monkeypatch.setattr(cleaning, "_steps", broken)
    daily = cleaning.DailyCleaning()
    with pytest.raises(OSError, match="went away"):
        daily()
    monkeypatch.setattr(cleaning, "_steps", lambda now: iter([("logs", 2)]))
    at("2026-11-22 04:10")
    daily()
    assert cleanings() == [("2026-11-22", False)]
    at("2026-11-22 04:20")
    daily()
    assert cleanings() == [("2026-11-22", True)]
