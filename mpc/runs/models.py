"""Work that somebody asked for, how it went, and who does it.

    Run 1---* RunAttempt     every time a worker took it
     |  1---* RunLogLine     what the work said
     |  1---* RunArtifact    files it left
     *---1 Worker            the process that has it now
    QueueState               what holds a queue back
    Deployment               the one row that says which software may work

The table ``Run`` is the queue. It is no workflow with a state machine: several processes reach for the same row at
once, so each transition is one conditional UPDATE (``mpc.runs.queue``), and whoever works on a run may write to it only
as ``WHERE attempt = mine AND state = 'running'``. Nothing else may change ``state`` or ``attempt``.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse


class State(models.TextChoices):
    QUEUED = "queued", "queued"
    RUNNING = "running", "running"
    SUCCEEDED = "succeeded", "succeeded"
    FAILED = "failed", "failed"
    CANCELLED = "cancelled", "cancelled"


ACTIVE = (State.QUEUED, State.RUNNING)
OVER = (State.SUCCEEDED, State.FAILED, State.CANCELLED)


class ErrorKind(models.TextChoices):
    """Why a run, or one attempt of it, did not succeed."""

    HOPELESS = "hopeless", "cannot succeed with these inputs"
    PASSING = "passing", "a cause that may pass"
    ERROR = "error", "an error in the software"
    CRASH = "crash", "its process died"
    TIMEOUT = "timeout", "took longer than allowed"
    MEMORY = "memory", "needed more memory than allowed"
    LOST = "lost", "lost its worker"
    RELEASED = "released", "handed back by a stopping worker"
    CANCELLED = "cancelled", "cancelled"
    RESULTS = "results", "its results could not be kept"


class Trigger(models.TextChoices):
    USER = "user", "a person"
    ARRIVAL = "arrival", "an arrival"
    SCHEDULE = "schedule", "the schedule"
    COMMAND = "command", "a command"
    API = "api", "the API"


class Worker(models.Model):
    """A process that takes runs. It beats ``last_seen_at``; ``node`` says on which machine its pid means something."""

    name = models.CharField(max_length=120)
    host = models.CharField(max_length=120)
    node = models.CharField(max_length=120, blank=True, help_text="machine, boot and process namespace")
    pid = models.PositiveIntegerField()
    process_started = models.FloatField(
        help_text="seconds since the epoch; tells a process from a later one of its pid"
    )
    queues = models.JSONField(default=list)
    concurrency = models.PositiveSmallIntegerField(default=1)
    software_version = models.CharField(max_length=40, blank=True)
    git_commit = models.CharField(max_length=40, blank=True)
    started_at = models.DateTimeField(auto_now_add=True)
    last_seen_at = models.DateTimeField(db_index=True)
    stopped_at = models.DateTimeField(null=True)
    ending = models.CharField(max_length=200, blank=True, help_text="how it ended: stopped, or found dead")
    refuses = models.CharField(max_length=400, blank=True, help_text="why it takes no run now")
    load = models.FloatField(null=True, help_text="processes at work on its machine, mean of a minute")
    processors = models.PositiveSmallIntegerField(null=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name


class QueueState(models.Model):
    """What holds a queue back. A queue without a row is open and without limits."""

    name = models.CharField(max_length=40, primary_key=True)
    limit = models.PositiveSmallIntegerField(null=True, blank=True, help_text="how many of its runs may run at once")
    per_product = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="how many of its runs may run at once on one product"
    )
    paused_at = models.DateTimeField(null=True)
    paused_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    pause_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return f"queue {self.name}"

    @property
    def paused(self) -> bool:
        return self.paused_at is not None


class Deployment(models.Model):
    """The software that was deployed last. Workers of another take no run, so results come from one software only."""

    THE_ONE = 1

    version = models.CharField(max_length=40)
    commit = models.CharField(max_length=40, blank=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.version} ({self.commit[:8]})" if self.commit else self.version


class Run(models.Model):
    """One piece of work on one product or none: what, by whom, how far, with what outcome."""

    kind = models.CharField(max_length=60)
    title = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    # A product that was worked on stays: withdrawing it is a status, not the end of its history.
    product = models.ForeignKey("products.Product", null=True, on_delete=models.PROTECT, related_name="runs")
    params = models.JSONField(default=dict)
    trigger = models.CharField(max_length=10, choices=Trigger)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="runs"
    )
    requested_at = models.DateTimeField(auto_now_add=True)

    queue = models.CharField(max_length=40)
    priority = models.SmallIntegerField(default=0, help_text="higher goes first")
    request_key = models.CharField(max_length=250, blank=True, help_text="what may not be asked for twice at once")
    not_before = models.DateTimeField(null=True, help_text="a retry waits until then")

    attempt = models.PositiveSmallIntegerField(default=0, help_text="raised by each claim; the fence of every write")
    max_attempts = models.PositiveSmallIntegerField(default=3)
    worker = models.ForeignKey(Worker, null=True, on_delete=models.SET_NULL, related_name="runs")
    claimed_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True, help_text="of the newest attempt")
    finished_at = models.DateTimeField(null=True)
    progress = models.FloatField(default=0.0, help_text="0 to 1")
    progress_message = models.CharField(max_length=300, blank=True)
    cancel_requested_at = models.DateTimeField(null=True)
    cancel_requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    verdict = models.CharField(max_length=12, blank=True)
    summary = models.TextField(blank=True)
    facts = models.JSONField(default=dict, help_text="small facts of the outcome, for people")
    error_kind = models.CharField(max_length=10, blank=True, choices=ErrorKind)
    error = models.TextField(blank=True)

    software_version = models.CharField(max_length=40, blank=True)
    git_commit = models.CharField(max_length=40, blank=True)
    input_checksum = models.CharField(max_length=80, blank=True)
    cpu_s = models.FloatField(null=True)
    wall_s = models.FloatField(null=True)
    peak_rss_mb = models.FloatField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["queue", "-priority", "id"], condition=Q(state="queued"), name="run_claim"),
            # For a worker of several queues: the best run is found without sorting all that waits.
            models.Index(fields=["-priority", "id"], condition=Q(state="queued"), name="run_claim_any"),
            models.Index(fields=["heartbeat_at"], condition=Q(state="running"), name="run_heartbeat"),
            models.Index(fields=["state", "-id"], name="run_by_state"),
            models.Index(fields=["kind", "-id"], name="run_by_kind"),
            models.Index(fields=["product", "-id"], name="run_by_product"),
            models.Index(fields=["requested_by", "-id"], name="run_by_requester"),
            models.Index(fields=["requested_at"], name="run_by_request"),
            models.Index(fields=["finished_at"], condition=Q(finished_at__isnull=False), name="run_by_finish"),
            models.Index(fields=["state", "requested_at"], name="run_by_state_request"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["request_key"],
                condition=Q(state__in=["queued", "running"]) & ~Q(request_key=""),
                name="run_once_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"run {self.pk}: {self.title}"

    def get_absolute_url(self) -> str:
        return reverse("runs:detail", args=[self.pk])

    @property
    def active(self) -> bool:
        return self.state in ACTIVE

    @property
    def percent(self) -> int:
        return round(100 * self.progress)


class RunAttempt(models.Model):
    """One time that a worker took the run: who, when, how it ended."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="attempts")
    attempt = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    worker = models.ForeignKey(Worker, null=True, on_delete=models.SET_NULL, related_name="attempts")
    worker_name = models.CharField(max_length=120, blank=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    error_kind = models.CharField(max_length=10, blank=True, choices=ErrorKind)
    error = models.TextField(blank=True)
    software_version = models.CharField(max_length=40, blank=True)
    git_commit = models.CharField(max_length=40, blank=True)
    cpu_s = models.FloatField(null=True)
    wall_s = models.FloatField(null=True)
    peak_rss_mb = models.FloatField(null=True)

    class Meta:
        ordering = ["run", "attempt"]
        constraints = [models.UniqueConstraint(fields=["run", "attempt"], name="attempt_once")]

    def __str__(self) -> str:
        return f"attempt {self.attempt} of run {self.run_id}"


class RunLogLine(models.Model):
    class Level(models.TextChoices):
        DEBUG = "debug", "debug"
        INFO = "info", "info"
        WARNING = "warning", "warning"
        ERROR = "error", "error"

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="log_lines")
    attempt = models.PositiveSmallIntegerField()
    at = models.DateTimeField()
    level = models.CharField(max_length=8, choices=Level, default=Level.INFO)
    text = models.TextField()

    class Meta:
        ordering = ["run", "id"]

    def __str__(self) -> str:
        return f"{self.level}: {self.text}"


class RunArtifact(models.Model):
    """A file of a finished attempt: ``<MPC_RUNS_DIR>/<run>/<attempt>/<path>``. Without its row it does not count."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="artifacts")
    attempt = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=120)
    path = models.CharField(max_length=400)
    media_type = models.CharField(max_length=100)
    title = models.CharField(max_length=200, blank=True)
    size = models.BigIntegerField(help_text="bytes")
    sha256 = models.CharField(max_length=64)

    class Meta:
        ordering = ["run", "id"]
        constraints = [models.UniqueConstraint(fields=["run", "name"], name="artifact_once")]

    def __str__(self) -> str:
        return self.title or self.name

    def get_absolute_url(self) -> str:
        return reverse("runs:artifact", args=[self.run_id, self.pk])
