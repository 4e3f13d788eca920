"""What was backed up is there again after the restore, row by row and byte by byte, on either database."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from mpc.housekeeping.backup.format import ROOMS
from tests.housekeeping import archives
from tests.housekeeping.conftest import NewPlace
from tests.housekeeping.place import Place, without_new_audit

PG = pytest.mark.pg
WAYS = [
    ("sqlite", "sqlite"),
    pytest.param("postgres", "postgres", marks=PG),
    pytest.param("sqlite", "postgres", marks=PG),
    pytest.param("postgres", "sqlite", marks=PG),
]
Filled = Callable[[str], Place]
Backups = Callable[[str], Path]


@pytest.mark.parametrize(("there", "here"), WAYS)
def test_round_trip(there: str, here: str, filled: Filled, backups: Backups, new_place: NewPlace) -> None:
    """Into a database without a single table: every row, every file, and identifiers that go on where they were."""
    source, archive, target = filled(there), backups(there), new_place(here)
    expected = without_new_audit(source.contents(), "site.backup")
    done = target.manage("restore", str(archive), "--json")
    assert done.returncode == 0, done.stderr

    restored = without_new_audit(target.contents(), "site.restore")
    _relocate(expected, source, target)
    assert restored.keys() == expected.keys()
    for table, rows in expected.items():
        assert restored[table] == rows, table
    for room in ROOMS:
        assert target.files(room) == source.files(room)
    assert source.files("measurements")
    said = json.loads(done.stdout)
    assert said["rows"] == sum(map(len, expected.values()))
    assert said["files"] == sum(len(source.files(room)) for room in ROOMS) > 3
    # It works, and the identifier of a run that was removed does not come again.
    ((highest,),) = source.execute("select max(id) from runs_run")
    ((name,),) = target.execute("select name from products_product where unit = 'S2A'")
    run = json.loads(target.manage("run", "qc.product", "--product", name, "--wait", "--json").stdout)
    assert run["state"] == "succeeded"
    assert run["run"] > highest + 1


def _relocate(contents: dict, source: Place, target: Place) -> None:
    """Uploads lie in the target's folder; what names their place must say so."""
    moved = 0
    for row in contents["products_product"]:
        if row["path"].startswith(f"{source.folder}/uploads/"):
            row["path"] = row["path"].replace(str(source.folder), str(target.folder))
            moved += 1
    assert moved == 1


def test_the_filled_centre_has_something_of_everything(filled: Filled) -> None:
    contents = filled("sqlite").contents()
    empty = {table for table, rows in contents.items() if not rows}
    assert empty <= {
        "account_emailaddress", "account_emailconfirmation", "accounts_user_user_permissions",
        "django_celery_beat_clockedschedule", "runs_worker", "housekeeping_cleaning", "accounts_idempotencyrecord",
        "runs_queuestate",
    }  # fmt: skip
    reports = contents["qc_qualityreport"]
    assert {row["current"] for row in reports} == {True, False}
    assert {row["state"] for row in contents["runs_run"]} >= {"succeeded", "queued"}


def test_a_backup_is_whole_private_and_says_its_sum(copy_of: Callable[[], Place], tmp_path: Path) -> None:
    place, path = copy_of(), tmp_path / "b.tar.gz"
    before = place.contents()
    done = place.manage("backup", str(path), "--json")
    said = json.loads(done.stdout)
    assert said["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert said["size"] == path.stat().st_size
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in tmp_path.iterdir() if p.suffix != ""] == ["b.tar.gz"]
    assert without_new_audit(place.contents(), "site.backup") == before
    # A second one of the same name is refused unless asked for.
    again = place.manage("backup", str(path))
    assert again.returncode == 1
    assert "--overwrite" in again.stderr
    assert place.manage("backup", str(path), "--overwrite").returncode == 0


@pytest.mark.parametrize(
    ("name", "words", "status"),
    [("b.zip", "gzipped tar", 2), ("no/such/folder/b.tar.gz", "There is no folder", 1)],
)
def test_a_backup_that_cannot_be(
    copy_of: Callable[[], Place], tmp_path: Path, name: str, words: str, status: int
) -> None:
    done = copy_of().manage("backup", str(tmp_path / name))
    assert (done.returncode, words in done.stderr) == (status, True), done.stderr


def test_who_may_not_maintain_may_not_back_up(copy_of: Callable[[], Place], tmp_path: Path) -> None:
    place = copy_of()
    done = place.manage("backup", str(tmp_path / "b.tar.gz"), "--user", "bob")
    assert done.returncode == 2
    assert "takes the role Administrator" in done.stderr
    assert place.manage("backup", str(tmp_path / "b.tar.gz"), "--user", "ann").returncode == 0
    assert place.execute("select actor_name from accounts_auditentry order by id desc limit 1") == [("ann",)]


@pytest.mark.parametrize("vendor", ["sqlite", pytest.param("postgres", marks=PG)])
def test_what_is_written_meanwhile_waits_for_nobody_and_is_not_in_it(
    vendor: str, copy_of: Callable[..., Place], tmp_path: Path
) -> None:
    """After the first table a run and its log are written: no table of the backup knows of them, and nothing fails."""
    place, path = copy_of(vendor), tmp_path / "b.tar.gz"
    script = f"""
import django; django.setup()
from pathlib import Path
from threading import Thread
from django.db import connection
from mpc.accounts.actors import local_actor
from mpc.housekeeping.backup import write_backup
from mpc.runs import services
from mpc.runs.models import Run, RunLogLine
before = Run.objects.count(), RunLogLine.objects.count()
written = []
def work():
    run, _ = services.request_run("products.ingest", actor=local_actor(), params={{"path": "/new"}}, trigger="command")
    RunLogLine.objects.create(run=run, attempt=1, at=run.requested_at, text="new")
    written.append(run.pk)
    connection.close()
def meanwhile(text):
    if not written:
        thread = Thread(target=work); thread.start(); thread.join()
write_backup(Path({str(path)!r}), say=meanwhile)
assert (Run.objects.count(), RunLogLine.objects.count()) == (before[0] + 1, before[1] + 1)
print(*before)
"""
    done = place.python("-c", script, DJANGO_SETTINGS_MODULE="mpc.settings")
    assert done.returncode == 0, done.stderr
    rows = json.loads(dict(archives.members_of(path))["manifest.json"])["rows"]
    assert [rows["runs_run"], rows["runs_runlogline"]] == [int(word) for word in done.stdout.split()]


# --- Restoring where something is ------------------------------------------------------------------------------------
def test_what_is_there_is_replaced_only_when_said_twice(copy_of: Callable[[], Place], backups: Backups) -> None:
    place, archive = copy_of(), str(backups("sqlite"))
    new = place.folder / "uploads" / "new.zip"
    new.write_bytes(b"since then")
    place.execute("delete from runs_runlogline")
    before = place.state()

    refused = place.manage("restore", archive)
    assert refused.returncode == 1
    assert "not empty" in refused.stderr
    assert "--replace" in refused.stderr
    unsure = place.manage("restore", archive, "--replace", said="yes\n")
    assert unsure.returncode == 2
    assert "not confirmed" in unsure.stderr
    assert place.state() == before

    assert place.manage("restore", archive, "--replace", said="replace\n").returncode == 0
    assert not new.exists()
    assert place.execute("select count(*) from runs_runlogline")[0][0] > 0
    assert [path.name for path in place.folder.iterdir() if path.name.startswith(".")] == []


def test_a_running_site_is_not_replaced(copy_of: Callable[[], Place], backups: Backups) -> None:
    place = copy_of()
    place.execute(
        "insert into runs_worker (name, host, node, pid, process_started, queues, concurrency, software_version, "
        "git_commit, started_at, last_seen_at, ending, refuses) values ('w:1', 'w', '', 1, 1, '[]', 1, '', '', "
        "'2100-01-01 00:00:00', '2100-01-01 00:00:00', '', '')"
    )
    done = place.manage("restore", str(backups("sqlite")), "--replace", "--no-input")
    assert done.returncode == 1
    assert "stop it first" in done.stderr


def test_another_state_of_the_tables_is_refused(copy_of: Callable[[], Place], backups: Backups) -> None:
    place = copy_of()
    place.execute("delete from django_migrations where app = 'housekeeping'")
    done = place.manage("restore", str(backups("sqlite")), "--replace", "--no-input")
    assert done.returncode == 1
    assert "not applied here: housekeeping 0001_initial" in done.stderr


@pytest.mark.parametrize("vendor", ["sqlite", pytest.param("postgres", marks=PG)])
@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_a_damaged_backup_leaves_what_was_there(
    vendor: str, damage: str, filled: Filled, backups: Backups, tmp_path: Path
) -> None:
    place, archive = filled(vendor), tmp_path / "damaged.tar.gz"
    data = bytearray(backups(vendor).read_bytes())
    if damage == "cut":
        del data[len(data) * 9 // 10 :]
    else:
        data[len(data) // 2] ^= 0x10
    archive.write_bytes(data)
    before = place.state()
    done = place.manage("restore", str(archive), "--replace", "--no-input")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert place.state() == before
    assert [path.name for path in place.folder.iterdir() if path.name.startswith(".")] == []


def test_a_restore_that_fails_at_its_end_leaves_what_was_there(copy_of: Callable[[], Place], backups: Backups) -> None:
    """Everything is loaded and the folders are exchanged; then the commit fails."""
    place = copy_of()
    (place.folder / "uploads" / "mine.zip").write_bytes(b"mine")
    before = place.state()
    script = f"""
import django; django.setup()
from pathlib import Path
from mpc.housekeeping.backup import BackupError, restore, restoring
from django.db import DatabaseError
real = restoring._Exchange.forward
def broken(self):
    real(self)
    raise DatabaseError("the disk is full")
restoring._Exchange.forward = broken
try:
    restore(Path({str(backups("sqlite"))!r}), replace=True)
except BackupError as error:
    print(error)
"""
    done = place.python("-c", script, DJANGO_SETTINGS_MODULE="mpc.settings")
    assert "nothing was changed: the disk is full" in done.stdout, done.stderr
    assert place.state() == before
    assert [path.name for path in place.folder.iterdir() if path.name.startswith(".")] == []


# --- Size ------------------------------------------------------------------------------------------------------------
MEASURED = """
import resource, sys
import django; django.setup()
from django.core.management import call_command
call_command(*sys.argv[1:], verbosity=0)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def test_memory_stays_bounded(copy_of: Callable[[], Place], new_place: NewPlace, tmp_path: Path) -> None:
    """100 MB of rows and an upload of 100 MB take neither the backup nor the restore 60 MB more than few rows."""
    place = copy_of()

    def peak(where: Place, *command: str) -> int:
        done = where.python("-c", MEASURED, *command, DJANGO_SETTINGS_MODULE="mpc.settings")
        assert done.returncode == 0, done.stderr
        return int(done.stdout.split()[-1])

    small, large = str(tmp_path / "small.tar.gz"), str(tmp_path / "large.tar.gz")
    floor = peak(place, "backup", small)
    place.execute(
        "insert into runs_runlogline (run_id, attempt, at, level, text) "
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < 25000) "
        f"select (select min(id) from runs_run), 1, '2026-01-01 00:00:00', 'info', i || '{'x' * 4000}' from n"
    )
    upload = place.folder / "uploads" / "large" / "large.zip"
    upload.parent.mkdir()
    with upload.open("wb") as file:
        file.truncate(100_000_000)
    assert peak(place, "backup", large) < floor + 60
    target = new_place("sqlite")
    floor = peak(target, "restore", small)
    assert peak(target, "restore", large, "--replace", "--no-input") < floor + 60
    assert target.execute("select count(*) from runs_runlogline")[0][0] > 25_000
    assert os.stat(target.folder / "uploads" / "large" / "large.zip").st_size == 100_000_000
