"""The rules on rows: logs, artifacts, superseded results, old runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from django.contrib.sessions.models import Session
from django.db import models, transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from mpc.housekeeping.models import Cleaning, Heartbeat
from mpc.housekeeping.retention import files
from mpc.housekeeping.retention.rule import CHUNK, Rule, not_needed, remove_rows
from mpc.monitoring.models import ArchivedMonth, Measurement
from mpc.runs.models import OVER, Run, RunArtifact, RunAttempt, RunLogLine, State
from qc.models import BandStatistics, CheckResult, OlqcCheck, OlqcReport, QualityReport

# Runs and reports whose parts are counted at once, to fill a transaction and not more.
BATCH = 100


def all_rules() -> tuple[Rule, ...]:
    """Every rule; those first whose removals let later ones remove more."""
    return (
        Rule("reports", "superseded quality reports", count(old_reports), remove_reports, "MPC_KEEP_SUPERSEDED_DAYS"),
        Rule("measurements", "superseded measurements", count(old_measurements), remove_all(old_measurements),
             "MPC_KEEP_SUPERSEDED_DAYS"),
        Rule("artifacts", "files of runs", count(old_artifacts), remove_artifacts, "MPC_KEEP_ARTIFACT_DAYS"),
        Rule("logs", "log lines of runs", count(old_log_lines), remove_all(old_log_lines), "MPC_KEEP_LOG_DAYS"),
        Rule("runs", "runs without results", count(old_runs), remove_runs, "MPC_KEEP_RUN_DAYS"),
        Rule("uploads", "uploads that were not taken in", files.due_uploads, files.remove_uploads,
             "MPC_KEEP_UPLOAD_DAYS"),
        Rule("orphans", "files of runs that no run names", files.due_orphans, files.remove_orphans, days=1),
        Rule("sessions", "ended sessions", count(old_sessions), remove_all(old_sessions)),
        Rule("own", "what the housekeeping noted", count(old_notes), remove_notes, days=400),
    )  # fmt: skip


def count(rows: Callable[[datetime], QuerySet]) -> Callable[[datetime], int]:
    return lambda before: rows(before).count()


def remove_all(rows: Callable[[datetime], QuerySet]) -> Callable[[datetime], Iterator[int]]:
    return lambda before: remove_rows(rows(before))


# --- Runs ------------------------------------------------------------------------------------------------------------
def over(before: datetime, path: str = "") -> Q:
    """The run at ``path`` has ended, and did so before; a run that is queued again is not over."""
    return Q(**{f"{path}state__in": OVER, f"{path}finished_at__lt": before})


def is_superseded_run() -> Q:
    """Another run of the same kind on the same product (or on none) succeeded later; or it did not succeed itself."""
    later = Run.objects.filter(state=State.SUCCEEDED, kind=OuterRef("kind"), finished_at__gt=OuterRef("finished_at"))
    on_same = Exists(later.filter(product=OuterRef("product")))
    on_none = Q(product=None) & Exists(later.filter(product=None))
    return ~Q(state=State.SUCCEEDED) | on_same | on_none


def old_log_lines(before: datetime) -> QuerySet[RunLogLine]:
    return RunLogLine.objects.filter(run__in=Run.objects.filter(over(before)).values("pk"))


def old_artifacts(before: datetime) -> QuerySet[RunArtifact]:
    current = QualityReport.objects.filter(run=OuterRef("pk"), current=True)
    runs = Run.objects.filter(over(before)).filter(is_superseded_run()).filter(~Exists(current))
    return RunArtifact.objects.filter(run__in=runs.values("pk"))


def remove_artifacts(before: datetime) -> Iterator[int]:
    """First the rows, then the files: without its row a file does not count, and the next rule would find it."""
    while True:
        with transaction.atomic():
            some = list(old_artifacts(before).order_by("pk")[:CHUNK])
            RunArtifact.objects.filter(pk__in=[artifact.pk for artifact in some]).delete()
        if not some:
            return
        for artifact in some:
            files.drop_artifact(artifact)
        yield len(some)


def old_runs(before: datetime) -> QuerySet[Run]:
    if ArchivedMonth.objects.exists():
        return Run.objects.none()  # values of archived months name their runs, where no query sees it
    return not_needed(Run.objects.filter(over(before)).filter(is_superseded_run()))


def remove_runs(before: datetime) -> Iterator[int]:
    """A run goes with its attempts, log and files; the log first, for it may be longer than one transaction."""
    while found := list(old_runs(before).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        yield from (0 for _ in remove_rows(RunLogLine.objects.filter(run__in=found, run__state__in=OVER)))
        with transaction.atomic():
            # Somebody may have asked for one of them again meanwhile.
            still = old_runs(before).filter(pk__in=found).select_for_update(of=("self",))
            gone = list(still.values_list("pk", flat=True))
            for part in (RunArtifact, RunAttempt, RunLogLine):
                models.QuerySet(part).filter(run__in=gone).delete()
            Run.objects.filter(pk__in=gone).delete()
        for pk in gone:
            files.drop_run(pk)
        yield len(gone)


# --- Results ---------------------------------------------------------------------------------------------------------
def old_reports(before: datetime) -> QuerySet[QualityReport]:
    """Reports that are not current, and not the newest of their product either."""
    newer = QualityReport.objects.filter(product=OuterRef("product"), pk__gt=OuterRef("pk"))
    return not_needed(QualityReport.objects.filter(Exists(newer), current=False, made__lt=before))


def remove_reports(before: datetime) -> Iterator[int]:
    """Each report goes with all of its parts in one transaction, as many reports at once as fit."""
    while found := list(old_reports(before).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        sizes = dict.fromkeys(found, 1)
        for part, path in PARTS_OF_REPORT:
            counted = models.QuerySet(part).filter(**{f"{path}__in": found}).order_by().values_list(path)
            for pk, rows in counted.annotate(rows=Count("pk")):
                sizes[pk] += rows
        for batch in _filling(list(sizes.items())):
            if len(batch) == 1 and sizes[batch[0]] > CHUNK:
                for part, path in PARTS_OF_REPORT:  # one that is too large goes part by part
                    yield from (0 for _ in remove_rows(models.QuerySet(part).filter(**{f"{path}__in": batch})))
            with transaction.atomic():
                for part, path in PARTS_OF_REPORT:
                    models.QuerySet(part).filter(**{f"{path}__in": batch}).delete()
                QualityReport.objects.filter(pk__in=batch).delete()
            yield len(batch)


# Those below others first.
PARTS_OF_REPORT: tuple[tuple[type[models.Model], str], ...] = (
    (OlqcCheck, "olqc_report__report"),
    (OlqcReport, "report"),
    (CheckResult, "report"),
    (BandStatistics, "report"),
)


def _filling(sizes: list[tuple[int, int]]) -> Iterator[list[int]]:
    """Keys in groups whose sizes together fit one transaction."""
    group: list[int] = []
    filled = 0
    for key, size in sizes:
        if group and filled + size > CHUNK:
            yield group
            group, filled = [], 0
        group.append(key)
        filled += size
    if group:
        yield group


def old_measurements(before: datetime) -> QuerySet[Measurement]:
    hidden = Measurement.objects.filter(current=False, run__in=Run.objects.filter(over(before)).values("pk"))
    return not_needed(hidden)


# --- Small things ----------------------------------------------------------------------------------------------------
def old_sessions(before: datetime) -> QuerySet[Session]:
    return Session.objects.filter(expire_date__lt=before)


def old_notes(before: datetime) -> QuerySet[Cleaning]:
    return Cleaning.objects.filter(started_at__lt=before)


def remove_notes(before: datetime) -> Iterator[int]:
    yield from remove_rows(old_notes(before))
    yield from remove_rows(Heartbeat.objects.filter(at__lt=before))
