"""A disk that is nearly full: nothing new begins, everybody hears why, and nothing is lost."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections import namedtuple
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse

from mpc import disk
from mpc.accounts.actors import local_actor
from mpc.accounts.models import RoleGrant, User
from mpc.accounts.roles import Role
from mpc.jobs import Job, register
from mpc.products import jobs as product_jobs
from mpc.products import uploads
from mpc.products.models import Intake
from mpc.runs import services, sweeper, waiting, worker
from mpc.runs.children import Nursery
from mpc.runs.models import ErrorKind, Run, State, Worker
from mpc.runs.worker import WorkerProcess
from tests.housekeeping.jobs import WriteParams

pytestmark = pytest.mark.django_db
Usage = namedtuple("Usage", "total used free")
MB = 1024 * 1024


@pytest.fixture(autouse=True)
def _own_place(settings: Any, tmp_path: Path) -> None:
    for name in ("write_plain", "write_picture"):
        register(
            Job(
                kind=f"test.{name}", title=name, work=f"tests.housekeeping.jobs:{name}", params=WriteParams,
                needs_product=False, time_limit_s=300, memory_limit_mb=2000,
            )
        )  # fmt: skip
    settings.MPC_DATA_DIR = tmp_path
    settings.MPC_RUNS_DIR, settings.MPC_UPLOADS_DIR = tmp_path / "runs", tmp_path / "uploads"
    settings.MPC_MIN_FREE_MB = 500
    settings.MPC_RETRY_BACKOFF_S = 0.01


@pytest.fixture
def free_mb(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """``free_mb(3)``: from now on so much is free on every disk."""

    def set_free(megabytes: float) -> None:
        usage = Usage(1 << 40, 0, int(megabytes * MB))
        monkeypatch.setattr(disk.shutil, "disk_usage", lambda folder: usage)

    set_free(10_000)
    return set_free


def ask(kind: str = "test.write_plain", **params: int) -> Run:
    run, _ = services.request_run(kind, actor=local_actor(), params={"kilobytes": 1} | params, trigger="command")
    return run


@pytest.mark.parametrize(
    ("free", "extra", "short"), [(500, 0, False), (499.9, 0, True), (600, 100, False), (600, 101, True), (0, 0, True)]
)
def test_where_the_mark_is(free_mb: Callable[[float], None], free: float, extra: int, short: bool) -> None:
    free_mb(free)
    assert bool(disk.shortage(extra_bytes=extra * MB)) == short


def test_a_disk_that_cannot_be_asked_counts_as_full(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(folder: Path) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(disk.shutil, "disk_usage", broken)
    assert "Input/output error" in disk.shortage()


def test_every_disk_of_the_centre_is_asked(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders that are not there yet are asked about where they will be; one disk is asked once."""
    asked: list[Path] = []
    monkeypatch.setattr(disk, "shortage_at", lambda folder, extra: asked.append(folder) or "")
    settings.MPC_RUNS_DIR = Path("/dev/shm/not-there/runs")
    disk.shortage()
    assert asked == [tmp_path, Path("/dev/shm")]


# --- Uploads and the watched folder ----------------------------------------------------------------------------------
def test_an_upload_is_refused_with_the_reason(free_mb: Callable[[float], None], settings: Any) -> None:
    import io
    import zipfile

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a", "b")
    free_mb(400)
    with pytest.raises(uploads.UploadRefused, match="nearly full: 400 MB are free"):
        uploads.receive(SimpleUploadedFile("p.zip", packed.getvalue()), actor=local_actor())
    assert [intake.result for intake in Intake.objects.all()] == ["refused"]
    assert not Run.objects.exists()
    assert not any(path.is_file() for path in settings.MPC_UPLOADS_DIR.rglob("*"))


def test_the_watched_folder_is_left_alone_and_taken_up_later(
    free_mb: Callable[[float], None], settings: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    arrived = tmp_path / "inbox" / "p.zip"
    settings.MPC_INBOX = arrived.parent
    monkeypatch.setattr(product_jobs.inbox, "complete_arrivals", lambda folder: iter([(arrived, "1-1-1")]))
    product_jobs.forget_asked()
    free_mb(1)
    product_jobs.scan_inbox()
    assert not Run.objects.exists()
    assert not Intake.objects.exists()
    assert "watched folder: left alone" in caplog.text
    free_mb(1000)
    product_jobs.scan_inbox()
    assert Run.objects.get().params["path"] == str(arrived)


def test_the_command_takes_nothing_in_and_says_why(free_mb: Callable[[float], None], tmp_path: Path) -> None:
    (tmp_path / "p.zip").write_bytes(b"")
    free_mb(1)
    with pytest.raises(CommandError, match=r"p\.zip and what comes after it was not taken in\. .* nearly full"):
        call_command("ingest", str(tmp_path / "p.zip"))
    assert not Intake.objects.exists()


# --- Workers ---------------------------------------------------------------------------------------------------------
@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> Iterator[WorkerProcess]:
    """A worker without its heart; what it would supervise is noted as done at once."""
    process = WorkerProcess(["default", "qc"], 1)
    process.row = process._make_row()
    monkeypatch.setattr(worker, "supervise", lambda run, *rest: Run.objects.filter(pk=run.pk).update(state="succeeded"))
    yield process
    process.nursery.close()


def test_a_worker_takes_no_run_until_there_is_room(
    free_mb: Callable[[float], None], process: WorkerProcess, caplog: pytest.LogCaptureFixture
) -> None:
    run = ask()
    free_mb(499)
    process.look("default")
    process.look("default")
    run.refresh_from_db()
    assert (run.state, run.attempt) == (State.QUEUED, 0)
    assert caplog.text.count("takes no run: The centre's disk is nearly full") == 1
    free_mb(501)
    process.look("default")
    run.refresh_from_db()
    assert run.state == State.SUCCEEDED


def test_the_worker_says_so_in_its_row_and_is_not_rung_for(
    free_mb: Callable[[float], None], process: WorkerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    def one_beat() -> Worker:
        turns = iter([False, True])
        monkeypatch.setattr(process._gone, "wait", lambda timeout: next(turns))
        process._beat_on()
        return Worker.objects.get(pk=process.row.pk)

    monkeypatch.setattr(worker, "connection", threading.local())
    worker.connection.close = lambda: None
    rung: list[str] = []
    monkeypatch.setattr(sweeper.bell, "ring", rung.append)
    ask()
    free_mb(1)
    assert "nearly full: 1 MB are free" in one_beat().refuses
    sweeper.ring_for_waiting()
    assert rung == []
    free_mb(1000)
    assert one_beat().refuses == ""
    sweeper.ring_for_waiting()
    assert rung == ["default"]


def test_pages_say_it(free_mb: Callable[[float], None]) -> None:
    user = User.objects.create_user("opa", password=None)
    RoleGrant.objects.create(user=user, role=Role.OPERATOR)
    client = Client()
    client.force_login(user)
    alive = {"name": "w:1", "host": "w", "pid": 1, "process_started": 1.0, "queues": ["default"], "last_seen_at": Now()}
    Worker.objects.create(**alive)
    run = ask()

    def page(name: str, *args: Any) -> str:
        return client.get(reverse(name, args=args)).content.decode()

    assert "nearly full" not in page("home") + page("runs:detail", run.pk) + page("runs:workers")
    Worker.objects.update(refuses="The disk of this host is nearly full.")
    for text in (page("home"), page("runs:detail", run.pk), page("runs:workers")):
        assert "The disk of this host is nearly full." in text
    Worker.objects.update(refuses="")
    free_mb(1)
    for text in (page("home"), page("runs:detail", run.pk), page("runs:workers")):
        assert "disk is nearly full: 1 MB are free" in text


def test_a_command_that_waits_says_why_and_goes_on_when_there_is_room(free_mb: Callable[[float], None]) -> None:
    run, said = ask(), []

    def say(text: str) -> None:
        said.append(text)
        free_mb(1000)

    free_mb(1)
    (done,) = waiting.wait_for([run], say)
    assert done.state == State.SUCCEEDED
    assert "nearly full" in said[0]
    assert "done in place" in said[1]


# --- Work that is under way ------------------------------------------------------------------------------------------
SMALL_MB = 12


@pytest.fixture
def small_disk(tmp_path: Path, settings: Any) -> Iterator[Path]:
    """A disk of SMALL_MB that the files of runs are on."""
    place = tmp_path / "small"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_MB}m", "tmpfs", str(place)]
    done = shutil.which("mount") and subprocess.run(command, capture_output=True, text=True, check=False)
    if not done or done.returncode != 0:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip() if done else 'there is no mount'}")
    settings.MPC_RUNS_DIR = place / "runs"
    settings.MPC_MIN_FREE_MB = 0
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("kind", ["test.write_plain", "test.write_picture"])
def test_work_that_fills_the_disk_is_tried_again_when_there_is_room(kind: str, small_disk: Path, settings: Any) -> None:
    """Written by Python, which is told the reason, and by GDAL, which is not."""
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * (SMALL_MB - 4) * MB)
    run = ask(kind, kilobytes=6000)
    nursery = Nursery(threads=1)
    try:
        claimed = services.queue.claim_run(run.pk, "here")
        assert services.supervise(claimed, nursery) == State.QUEUED
        run.refresh_from_db()
        assert (run.state, run.attempt, run.error_kind) == (State.QUEUED, 1, ErrorKind.PASSING)
        assert "No space left on device" in run.error or "The disk is full" in run.error
        assert not (settings.MPC_RUNS_DIR / str(run.pk)).exists()

        settings.MPC_MIN_FREE_MB = SMALL_MB - 2  # the mark: nothing is tried while it is below
        services.work_in_place(run, nursery=nursery, until=lambda: True)
        run.refresh_from_db()
        assert (run.state, run.attempt) == (State.QUEUED, 1)

        ballast.unlink()
        done = services.work_in_place(run, nursery=nursery)
    finally:
        nursery.close()
    assert (done.state, done.attempt) == (State.SUCCEEDED, 2)
    assert done.artifacts.get().size > 5_000_000
