"""The watched folder: only what has stopped growing, and each state of it once."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from mpc.accounts.actors import local_actor
from mpc.products import inbox, jobs, services

pytestmark = pytest.mark.django_db


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
