"""Uploads in pieces: any way of breaking off ends in the same file or a clear word."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import uuid
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from mpc.accounts.models import AuditEntry, RoleGrant, User
from mpc.accounts.roles import Role
from mpc.accounts.services import make_token
from mpc.products import resumable
from mpc.products.models import Intake, Upload
from mpc.runs.models import Run

pytestmark = pytest.mark.django_db
PIECE = "application/offset+octet-stream"


def zip_bytes(size: int = 5000) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("note.txt", bytes(i % 251 for i in range(size)))
    return buffer.getvalue()


CONTENT = zip_bytes()


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path) -> None:
    cache.clear()
    settings.MPC_DATA_DIR = tmp_path
    settings.MPC_RUNS_DIR = tmp_path / "runs"
    settings.MPC_UPLOADS_DIR = tmp_path / "uploads"


def person(name: str, *roles: Role) -> User:
    user = User.objects.create_user(name, password="a long enough pass phrase")
    RoleGrant.objects.bulk_create(RoleGrant(user=user, role=role) for role in roles)
    return user


@pytest.fixture
def ann() -> User:
    return person("ann", Role.QC_ENGINEER)


def browser(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


@pytest.fixture
def client(ann: User) -> Client:
    return browser(ann)


def begin(client: Client, content: bytes = CONTENT, **values: Any) -> Any:
    asked = {"name": "a.zip", "size": len(content), **values}
    return client.post(reverse("api:upload-list"), json.dumps(asked), content_type="application/json")


def send(client: Client, url: str, piece: bytes, offset: int | str, kind: str = PIECE) -> Any:
    return client.patch(url, piece, content_type=kind, headers={"Upload-Offset": str(offset)})


def kept(settings: Any) -> list[Path]:
    return [path for path in Path(settings.MPC_UPLOADS_DIR).rglob("*") if path.is_file()]


def test_pieces_become_the_file_and_its_intake_is_asked_for(client: Client, settings: Any) -> None:
    begun = begin(client, sha256=hashlib.sha256(CONTENT).hexdigest().upper())
    assert (begun.status_code, begun["Upload-Offset"]) == (201, "0")
    url = begun["Location"]
    for offset in range(0, len(CONTENT), 1700):
        answer = send(client, url, CONTENT[offset : offset + 1700], offset)
        assert answer.status_code == 200, answer.content
    state = answer.json()
    run = Run.objects.get()
    assert (state["state"], state["run"], state["page"]) == ("complete", run.pk, run.get_absolute_url())
    (path,) = kept(settings)
    assert path.read_bytes() == CONTENT
    assert (run.params["path"], run.params["source"], run.params["trigger"]) == (str(path), "a.zip", "upload")
    assert AuditEntry.objects.filter(action="products.uploaded", actor_name="ann").count() == 1
    assert send(client, url, b"", len(CONTENT)).status_code == 410


def test_head_says_where_it_goes_on_to_a_new_client(client: Client, ann: User) -> None:
    url = begin(client).json()["url"]
    send(client, url, CONTENT[:1000], 0)
    other = browser(ann)  # the page was closed, or the server began anew: nothing is remembered but the rows and files
    head = other.head(url)
    assert (head["Upload-Offset"], head["Upload-Length"], head["Cache-Control"]) == (
        "1000", str(len(CONTENT)), "no-store",
    )  # fmt: skip
    assert send(other, url, CONTENT[1000:], 1000).json()["state"] == "complete"


@pytest.mark.parametrize("offset", [0, 999, 1001, 5000])
def test_a_wrong_offset_is_told_the_right_one(client: Client, offset: int) -> None:
    url = begin(client).json()["url"]
    send(client, url, CONTENT[:1000], 0)
    answer = send(client, url, b"x", offset)
    assert (answer.status_code, answer["Upload-Offset"], answer.json()["offset"]) == (409, "1000", 1000)
    assert client.get(url).json()["offset"] == 1000


def test_more_than_was_announced_is_not_kept(client: Client, settings: Any) -> None:
    url = begin(client).json()["url"]
    answer = send(client, url, CONTENT + b"!", 0)
    assert answer.status_code == 413
    assert "reaches beyond" in answer.json()["detail"]
    assert client.get(url).json()["offset"] == 0
    assert kept(settings) == []


@pytest.mark.parametrize(
    ("headers", "kind", "code"),
    [
        ({}, PIECE, 400),
        ({"Upload-Offset": "-1"}, PIECE, 400),
        ({"Upload-Offset": "٣"}, PIECE, 400),
        ({"Upload-Offset": "1e3"}, PIECE, 400),
        ({"Upload-Offset": "9" * 40}, PIECE, 400),
        ({"Upload-Offset": "0"}, "application/json", 415),
        ({"Upload-Offset": "0"}, "application/octet-stream", 200),
    ],
)
def test_how_a_piece_is_sent(client: Client, headers: dict[str, str], kind: str, code: int) -> None:
    url = begin(client).json()["url"]
    assert client.patch(url, b"abc", content_type=kind, headers=headers).status_code == code


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"name": "a.tar"}, "not the name of a zip"),
        ({"name": "a.zip\n"}, "not the name of a zip"),
        ({"name": ".."}, "not the name of a zip"),
        ({"size": 0}, "nothing to send"),
        ({"size": 5 << 30}, "at most 4096 MB"),
        ({"sha256": "abc"}, "64 hexadecimal digits"),
    ],
)
def test_what_is_refused_before_a_byte_is_sent(client: Client, settings: Any, values: dict, words: str) -> None:
    answer = begin(client, **values)
    if values == {"name": "a.zip\n"}:  # the serializer trims what people paste
        assert answer.status_code == 201
        return
    assert answer.status_code == 422
    assert words in answer.json()["detail"]
    assert words in Intake.objects.get().message
    assert Upload.objects.count() == len(kept(settings)) == 0


def test_a_full_disk_refuses_what_is_announced_with_what_others_will_still_send(client: Client, monkeypatch) -> None:
    asked: list[int] = []

    def shortage(*, extra_bytes: int) -> str:
        asked.append(extra_bytes)
        return "" if len(asked) == 1 else "Full."

    monkeypatch.setattr("mpc.products.uploads.disk.shortage", shortage)
    url = begin(client).json()["url"]
    send(client, url, CONTENT[:1000], 0)
    answer = begin(client)
    assert (answer.status_code, asked) == (422, [len(CONTENT), 2 * len(CONTENT) - 1000])


def test_a_disk_that_fails_keeps_what_came_before(client: Client, monkeypatch) -> None:
    url = begin(client).json()["url"]
    send(client, url, CONTENT[:1000], 0)

    def full(*arguments: Any) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(resumable.os, "pwrite", full)
        answer = send(client, url, CONTENT[1000:], 1000)
    assert answer.status_code == 507
    assert "No space left" in answer.json()["detail"]
    assert send(client, url, CONTENT[1000:], 1000).json()["state"] == "complete"


@pytest.mark.parametrize("content", [b"no zip at all", CONTENT[:-30]])
def test_a_complete_file_that_is_no_archive_is_refused(client: Client, settings: Any, content: bytes) -> None:
    url = begin(client, content).json()["url"]
    state = send(client, url, content, 0).json()
    assert state["state"] == "refused"
    assert "not a readable zip archive" in state["message"]
    assert state["message"] == Intake.objects.get().message
    assert kept(settings) == []
    assert Run.objects.count() == 0
    assert send(client, url, content, 0).status_code == 410


def test_a_wrong_checksum_is_refused(client: Client, settings: Any) -> None:
    url = begin(client, sha256="0" * 64).json()["url"]
    state = send(client, url, CONTENT, 0).json()
    assert state["state"] == "refused"
    assert hashlib.sha256(CONTENT).hexdigest() in state["message"]
    assert kept(settings) == []


def test_giving_up_leaves_nothing(client: Client, settings: Any) -> None:
    url = begin(client).json()["url"]
    send(client, url, CONTENT[:1000], 0)
    assert client.delete(url).status_code == 204
    assert kept(settings) == []
    assert client.delete(url).status_code == 410
    assert send(client, url, CONTENT[1000:], 1000).status_code == 410
    assert client.get(reverse("api:upload-list")).json() == []


def test_nobody_else_sees_or_continues_it(client: Client) -> None:
    url = begin(client).json()["url"]
    for other in (browser(person("bob", Role.QC_ENGINEER)), browser(person("root", Role.ADMINISTRATOR))):
        answers = (other.get(url), other.head(url), send(other, url, b"x", 0), other.delete(url))
        assert [answer.status_code for answer in answers] == [404] * 4
        assert other.get(reverse("api:upload-list")).json() == []
    viewer = browser(person("vic", Role.VIEWER))
    assert [viewer.get(url).status_code, begin(viewer).status_code] == [403, 403]
    assert client.get(url).json()["offset"] == 0


def test_five_at_once_and_no_more(client: Client) -> None:
    urls = [begin(client).json()["url"] for _ in range(resumable.OPEN_AT_ONCE)]
    answer = begin(client)
    assert answer.status_code == 409
    assert "5 uploads under way" in answer.json()["detail"]
    assert len(client.get(reverse("api:upload-list")).json()) == 5
    client.delete(urls[0])
    assert begin(client).status_code == 201


def test_the_page_shows_what_is_not_finished_and_gives_it_up(client: Client, settings: Any) -> None:
    upload = begin(client).json()
    send(client, upload["url"], CONTENT[:1000], 0)
    page = client.get(reverse("products:upload")).content.decode()
    assert 'data-uploads="/api/v1/uploads/"' in page
    assert "js/upload.js" in page
    assert "Not finished" in page
    cancel = reverse("products:upload-cancel", args=[upload["id"]])
    assert cancel in page
    assert browser(person("bob", Role.QC_ENGINEER)).post(cancel).status_code == 404
    assert "is cancelled" in client.post(cancel, follow=True).content.decode()
    assert kept(settings) == []
    assert "This upload is over: cancelled" in client.post(cancel, follow=True).content.decode()
    assert "Not finished" not in client.get(reverse("products:upload")).content.decode()


@pytest.mark.django_db(transaction=True)
def test_the_example_of_the_documentation(live_server: Any, settings: Any, tmp_path: Path) -> None:
    if not shutil.which("curl"):
        pytest.skip("no curl on this machine")
    text = (Path(__file__).resolve().parents[2] / "docs" / "products.md").read_text()
    (script,) = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    file = tmp_path / "sent.zip"
    file.write_bytes(zip_bytes(20 << 20))
    _, token = make_token(person("ann", Role.QC_ENGINEER), "uploads", 1)
    given = {"SITE": live_server.url, "FILE": str(file), "TOKEN": token}
    done = subprocess.run(
        ["bash", "-ec", script], env={**os.environ, **given}, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["state"] == "complete"
    assert kept(settings)[0].read_bytes() == file.read_bytes()


# --- Two writers, and writers that die -------------------------------------------------------------------------------
class Slow:
    """A connection that another thing happens to, in the middle of it."""

    def __init__(self, content: bytes, then: Any) -> None:
        self.content, self.then = content, then

    def read(self, size: int) -> bytes:
        piece, self.content = self.content[:500], self.content[500:]
        if self.then and len(self.content) <= 500:
            then, self.then = self.then, None
            then()
        return piece


def new(actor: User, content: bytes = CONTENT) -> Upload:
    return resumable.create(actor=actor, name="a.zip", size=len(content))


def append(upload: Upload, source: Any, offset: int, length: int) -> Upload:
    return resumable.append(upload, source, actor=upload.actor, offset=offset, length=length)


def test_a_second_writer_waits_for_the_first(ann: User) -> None:
    upload = new(ann)

    def second() -> None:
        with pytest.raises(resumable.Busy, match="Another connection"):
            append(upload, io.BytesIO(CONTENT), 0, len(CONTENT))

    assert append(upload, Slow(CONTENT[:1500], second), 0, 1500).received == 1500


def test_a_second_writer_takes_over_from_one_that_hangs_and_the_first_writes_no_more(ann: User, monkeypatch) -> None:
    monkeypatch.setattr(resumable, "RENEW_S", 0.0)
    upload = new(ann)

    def second() -> None:
        Upload.objects.update(writer_seen=timezone.now() - timedelta(seconds=resumable.LEASE_S + 1))
        append(upload, io.BytesIO(CONTENT), 0, 1000)

    with pytest.raises(resumable.Busy):
        append(upload, Slow(b"\xff" * 1500, second), 0, 1500)
    upload.refresh_from_db()
    assert upload.received == 1000
    assert (resumable.folder_of(upload) / ".incoming").read_bytes() == CONTENT[:1000]


def test_giving_up_while_a_piece_comes(ann: User, settings: Any, monkeypatch) -> None:
    upload = new(ann)
    with pytest.raises(resumable.Busy):
        append(upload, Slow(CONTENT[:1500], lambda: resumable.cancel(upload, actor=ann)), 0, 1500)
    assert kept(settings) == []
    assert Upload.objects.get().state == "cancelled"


def test_a_broken_connection_keeps_what_came(client: Client, ann: User) -> None:
    upload = new(ann)

    def breaks() -> None:
        raise ConnectionResetError("peer")

    with pytest.raises(resumable.CutShort) as cut:
        append(upload, Slow(CONTENT[:2000], breaks), 0, 2000)
    offset = cut.value.offset
    assert 0 < offset < 2000
    url = reverse("api:upload-detail", args=[upload.pk])
    assert client.head(url)["Upload-Offset"] == str(offset)
    assert send(client, url, CONTENT[offset:], offset).json()["state"] == "complete"


class Killed(BaseException):
    """The process ends here: nothing of ours runs any more."""


def test_what_a_killed_process_wrote_beyond_the_row_is_written_over(ann: User, settings: Any) -> None:
    upload = new(ann)
    append(upload, io.BytesIO(CONTENT), 0, 1000)
    with (resumable.folder_of(upload) / ".incoming").open("ab") as file:
        file.write(b"\xff" * 3000)
    Upload.objects.update(writer=uuid.uuid4(), writer_seen=timezone.now())  # its lease is left as well
    with pytest.raises(resumable.Busy):
        append(upload, io.BytesIO(CONTENT[1000:]), 1000, len(CONTENT) - 1000)
    Upload.objects.update(writer_seen=timezone.now() - timedelta(seconds=resumable.LEASE_S + 1))
    assert append(upload, io.BytesIO(CONTENT[1000:]), 1000, len(CONTENT) - 1000).state == "complete"
    assert kept(settings)[0].read_bytes() == CONTENT


@pytest.mark.parametrize("place", ["check_archive", "ask_for_intake"])
def test_a_kill_at_the_end_is_made_good_by_an_empty_piece(ann: User, settings: Any, monkeypatch, place: str) -> None:
    upload = new(ann)

    def dies(*arguments: Any, **values: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(resumable.uploads, place, dies)
        with pytest.raises(Killed):
            append(upload, io.BytesIO(CONTENT), 0, len(CONTENT))
    upload.refresh_from_db()
    assert (upload.state, resumable.offset_of(upload)) == ("open", len(CONTENT))
    assert append(upload, io.BytesIO(), len(CONTENT), 0).state == "complete"
    assert kept(settings)[0].read_bytes() == CONTENT
    assert Run.objects.count() == 1


def test_a_file_that_lost_its_end_goes_on_where_it_ends(ann: User) -> None:
    upload = new(ann)
    append(upload, io.BytesIO(CONTENT), 0, 1000)
    (resumable.folder_of(upload) / ".incoming").write_bytes(CONTENT[:400])
    upload.refresh_from_db()
    assert resumable.offset_of(upload) == 400
    assert append(upload, io.BytesIO(CONTENT[400:]), 400, len(CONTENT) - 400).state == "complete"


# --- What nobody continues -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("keep_days", "hours", "gone"), [(14, 47, False), (14, 49, True), (1, 25, True), (0, 49, True)]
)
def test_what_nobody_continues_expires(
    client: Client, settings: Any, keep_days: int, hours: int, gone: bool
) -> None:  # fmt: skip
    settings.MPC_KEEP_UPLOAD_DAYS = keep_days
    url = begin(client).json()["url"]
    send(client, url, CONTENT[:1000], 0)
    Upload.objects.update(touched=timezone.now() - timedelta(hours=hours))
    resumable.expire()
    assert client.get(url).json()["state"] == ("expired" if gone else "open")
    assert bool(kept(settings)) is not gone
    assert send(client, url, CONTENT[1000:], 1000).status_code == (410 if gone else 200)


def test_rows_of_uploads_that_are_over_go_in_the_end_and_files_stay(client: Client, settings: Any) -> None:
    url = begin(client).json()["url"]
    send(client, url, CONTENT, 0)
    Upload.objects.update(touched=timezone.now() - timedelta(days=15))
    resumable.expire()
    assert Upload.objects.count() == 0
    assert len(kept(settings)) == 1


def test_the_step_is_known_to_the_sweeper() -> None:
    from mpc.jobs import periodic_steps

    assert "products.uploads" in {step.name for step in periodic_steps()}
