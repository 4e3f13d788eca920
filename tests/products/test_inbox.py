"""The watched folder: only what has stopped growing, and each state of it once."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from mpc.accounts.actors import local_actor
from mpc.products import inbox, jobs, services

pytestmark = pytest.mark.django_db
NAME = "S2A_MSIL1C_20180629T000241_N0206_R030_T56JMM_20180629T012042.SAFE"
MANIFEST = """<xfdu:XFDU xmlns:xfdu="urn:ccsds:schema:xfdu:1"><dataObjectSection><dataObject ID="P">
<byteStream mimeType="text/xml" size="5"><fileLocation locatorType="URL" href="./MTD_MSIL1C.xml"/></byteStream>
</dataObject></dataObjectSection></xfdu:XFDU>"""


@pytest.fixture(autouse=True)
def forget() -> None:
    jobs.forget_asked()


def put(folder: Path, name: str, text: str = "x") -> Path:
    with zipfile.ZipFile(folder / name, "w") as archive:
        archive.writestr("note.txt", text)
    return folder / name


def test_a_file_is_taken_at_the_second_look_when_it_did_not_change(tmp_path: Path) -> None:
    path = put(tmp_path, "a.zip")
    assert list(inbox.complete_arrivals(tmp_path)) == []
    found = list(inbox.complete_arrivals(tmp_path))
    assert [p for p, _ in found] == [path]


def test_a_growing_file_is_left_until_it_rests(tmp_path: Path) -> None:
    put(tmp_path, "a.zip")
    assert list(inbox.complete_arrivals(tmp_path)) == []
    put(tmp_path, "a.zip", "more")
    assert list(inbox.complete_arrivals(tmp_path)) == []
    assert len(list(inbox.complete_arrivals(tmp_path))) == 1


@pytest.mark.parametrize("name", [".a.zip", "a.zip.part", "a.zip.filepart"])
def test_partial_names_are_passed_over(tmp_path: Path, name: str) -> None:
    put(tmp_path, name)
    list(inbox.complete_arrivals(tmp_path))
    assert list(inbox.complete_arrivals(tmp_path)) == []


def test_what_was_judged_is_not_asked_for_again_until_it_changes(tmp_path: Path) -> None:
    path = put(tmp_path, "a.zip")
    list(inbox.complete_arrivals(tmp_path))
    (_, fingerprint) = next(iter(inbox.complete_arrivals(tmp_path)))
    services.refuse(str(path), "no product", actor=local_actor(), trigger="inbox", fingerprint=fingerprint)
    assert list(inbox.complete_arrivals(tmp_path)) == []
    put(tmp_path, "a.zip", "another content")
    list(inbox.complete_arrivals(tmp_path))
    assert len(list(inbox.complete_arrivals(tmp_path))) == 1


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    """The monotonic clock of the watched folder; the test moves it on."""
    now = [1000.0]
    monkeypatch.setattr(inbox.time, "monotonic", lambda: now[0])
    return now


def test_what_is_not_whole_is_waited_for_and_taken_as_it_is_in_the_end(tmp_path: Path, clock: list[float]) -> None:
    whole = put(tmp_path, "a.zip").read_bytes()
    (tmp_path / "a.zip").write_bytes(whole[:-10])  # the end record is cut
    folder = tmp_path / NAME
    folder.mkdir()
    (folder / "manifest.safe").write_text(MANIFEST)
    half = inbox.PATIENCE_S / 2
    for _ in range(2):
        assert list(inbox.complete_arrivals(tmp_path)) == []
        clock[0] += half
    with (folder / "manifest.safe").open("a") as file:
        file.write("<!-- goes on -->")  # the folder's rest begins anew, the archive's does not
    assert [path.name for path, _ in inbox.complete_arrivals(tmp_path)] == ["a.zip"]
    clock[0] += half
    assert NAME not in [path.name for path, _ in inbox.complete_arrivals(tmp_path)]
    clock[0] += half
    assert NAME in [path.name for path, _ in inbox.complete_arrivals(tmp_path)]


def test_a_folder_is_whole_when_its_manifest_is_satisfied(tmp_path: Path, clock: list[float]) -> None:
    folder = tmp_path / NAME
    folder.mkdir()
    (folder / "manifest.safe").write_text(MANIFEST)
    for content in (None, b"1234"):  # the file that the manifest lists: not there yet, too short
        if content is not None:
            (folder / "MTD_MSIL1C.xml").write_bytes(content)
        for _ in range(3):
            assert list(inbox.complete_arrivals(tmp_path)) == []
            clock[0] += 15
    (folder / "MTD_MSIL1C.xml").write_bytes(b"12345")
    assert list(inbox.complete_arrivals(tmp_path)) == []
    assert [path.name for path, _ in inbox.complete_arrivals(tmp_path)] == [NAME]


def test_the_scan_asks_for_a_run_of_each_arrival(tmp_path: Path, settings, monkeypatch) -> None:
    asked: list[dict] = []
    monkeypatch.setattr(jobs, "request_work", lambda kind, **given: asked.append({"kind": kind, **given}))
    settings.MPC_INBOX = tmp_path
    path = put(tmp_path, "a.zip")
    jobs.scan_inbox()
    jobs.scan_inbox()
    assert [(a["kind"], a["params"]["path"], a["trigger"]) for a in asked] == [
        ("products.ingest", str(path), "schedule")
    ]


def test_without_a_watched_folder_nothing_is_done(settings, monkeypatch) -> None:
    monkeypatch.setattr(jobs, "request_work", lambda *a, **k: pytest.fail("asked for work"))
    settings.MPC_INBOX = None
    jobs.scan_inbox()
