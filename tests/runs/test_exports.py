"""Exports that are too long to be streamed: a run writes the rows of a list's address, with the rights of who asks."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse

from mpc.accounts.models import User
from mpc.accounts.roles import Role
from mpc.runs import exports, files, queue, services
from mpc.runs.models import Run
from mpc.ui.views import ListPage
from tests import factories
from tests.runs.test_runs_pages import signed_in

pytestmark = pytest.mark.django_db
ADDRESS = "/products/?unit=S2A&sort=-sensing_start&page=2&per_page=25&format="


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """An export holds three rows, and a run looks up after each second one."""
    monkeypatch.setattr(ListPage, "export_limit", 3)
    monkeypatch.setattr(exports, "LOOK_ROWS", 2)


def person(role: Role = Role.VIEWER) -> User:
    return User.objects.get(pk=signed_in(role).session["_auth_user_id"])


def asked(client: Client, address: str) -> Run:
    led = client.post(reverse("runs:export"), {"address": address})
    assert led.status_code == 302
    return Run.objects.get(pk=led["Location"].strip("/").split("/")[-1])


def text_of(run: Run) -> str:
    return files.path_of(run.artifacts.get()).read_bytes().decode()


def streamed(client: Client, address: str, monkeypatch: pytest.MonkeyPatch) -> str:
    with monkeypatch.context() as patch:
        patch.setattr(ListPage, "export_limit", 1000)
        return b"".join(client.get(address).streaming_content).decode()


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_a_run_writes_what_the_page_would_have_streamed(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(15):
        factories.product(n)
    viewer = signed_in(Role.VIEWER)
    refused = viewer.get(ADDRESS + kind)
    assert refused.status_code == 413
    assert "Write all rows to a file" in refused.content.decode()
    run = asked(viewer, ADDRESS + kind)
    assert run.state == "queued"
    done = services.work_in_place(run)
    assert (done.state, done.facts["rows"]) == ("succeeded", 5)
    text = text_of(done)
    assert text == streamed(viewer, ADDRESS + kind, monkeypatch)
    rows = list(csv.DictReader(io.StringIO(text))) if kind == "csv" else json.loads(text)
    assert [row["unit"] for row in rows] == ["S2A"] * 5
    assert [row["sensing_start"] for row in rows] == sorted((row["sensing_start"] for row in rows), reverse=True)
    artifact = done.artifacts.get()
    page = viewer.get(done.get_absolute_url()).content.decode()
    assert artifact.get_absolute_url() in page


def test_the_same_export_is_not_written_twice_at_once() -> None:
    factories.product()
    one, other = signed_in(Role.VIEWER, "one"), signed_in(Role.OPERATOR, "other")
    assert asked(one, ADDRESS + "csv") == asked(other, ADDRESS + "csv")
    assert asked(one, ADDRESS + "json") != asked(other, ADDRESS + "csv")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/nowhere/?format=csv", "no page at /nowhere/"),
        ("//elsewhere.example/products/", "no page at //elsewhere.example/products/"),
        ("https://elsewhere.example/", "no page at"),
        ("", "no page at"),
        ("/runs/workers/?format=csv", "no list that a run can write"),
        ("/products/?format=exe", "csv and json are known"),
        ("/people/audit/?format=csv", "not for everybody"),
    ],
)
def test_what_is_no_list_for_everybody_is_refused_with_the_reason(address: str, words: str) -> None:
    with pytest.raises(exports.CannotExport, match=words):
        exports.ask_for_export(address, person(Role.ADMINISTRATOR))
    told = signed_in(Role.ADMINISTRATOR, "again").post(reverse("runs:export"), {"address": address}, follow=True)
    assert told.status_code == 200
    assert not Run.objects.exists()


def test_who_may_not_see_the_list_may_not_have_it_written() -> None:
    with pytest.raises(PermissionDenied):
        exports.ask_for_export("/people/audit/?format=csv", person(Role.OPERATOR))


def test_a_person_who_lost_the_role_meanwhile_gets_nothing() -> None:
    factories.product()
    viewer = person()
    run, _ = exports.ask_for_export(ADDRESS + "csv", viewer)
    viewer.role_grants.all().delete()
    done = services.work_in_place(run)
    assert (done.state, done.error_kind) == ("failed", "hopeless")
    assert not done.artifacts.exists()


def test_a_filter_that_cannot_be_read_writes_nothing() -> None:
    factories.product()
    done = services.work_in_place(exports.ask_for_export("/products/?since=yesterday&format=csv", person())[0])
    assert (done.state, done.error) == ("failed", "A filter of the list could not be read; set it again.")


def test_a_long_export_heeds_a_cancel_and_leaves_no_file(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    for n in range(12):
        factories.product(n)
    run, _ = exports.ask_for_export("/products/?format=csv", person())
    written: list[int] = []

    def cancelled_meanwhile(table: Any, file_format: str, each: Any) -> Any:
        for number in range(1, 9):
            written.append(number)
            yield "x"
            if number == 3:
                assert queue.ask_to_cancel(run.pk, None)
            each(number)

    monkeypatch.setattr(exports, "pieces_of", cancelled_meanwhile)
    done = services.work_in_place(run)
    assert (done.state, written[-1]) == ("cancelled", 4)
    assert not (settings.MPC_RUNS_DIR / str(run.pk)).exists()
