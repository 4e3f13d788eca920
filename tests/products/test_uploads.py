"""What people send: whole zips are kept and asked for, everything else is refused in words, and nothing of it stays."""

from __future__ import annotations

import errno
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from mpc.accounts.models import AuditEntry
from mpc.accounts.roles import Role
from mpc.products.models import Intake, Product
from mpc.runs.models import Run
from tests.qc.making import signed_in

pytestmark = pytest.mark.django_db

NAME = "S2B_MSIL1C_20260901T101011_N0511_R022_T33UUU_20260901T121011.SAFE.zip"


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path) -> None:
    settings.MPC_UPLOADS_DIR = tmp_path / "uploads"


@pytest.fixture
def engineer(db: None) -> Client:
    return signed_in(Role.QC_ENGINEER)


def zipped(text: str = "x" * 5000) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("note.txt", text)
    return held.getvalue()


def send(client: Client, content: bytes, name: str = NAME, **headers: str) -> Any:
    file = SimpleUploadedFile(name, content, content_type="application/zip")
    return client.post(reverse("products:upload"), {"file": file}, headers=headers)


def kept(settings: Any) -> list[Path]:
    folder = settings.MPC_UPLOADS_DIR
    return [path for path in folder.rglob("*") if path.is_file()] if folder.exists() else []


def test_a_zip_is_kept_whole_and_its_intake_is_asked_for(engineer: Client, settings: Any) -> None:
    response = send(engineer, zipped())
    run = Run.objects.get()
    assert response.headers["Location"] == run.get_absolute_url()
    (path,) = kept(settings)
    assert path.name == NAME
    assert path.read_bytes() == zipped()
    assert run.kind == "products.ingest"
    assert run.params == {"path": str(path), "source": NAME, "trigger": "upload"} | {
        k: v for k, v in run.params.items() if k not in ("path", "source", "trigger")
    }
    assert AuditEntry.objects.filter(action="products.uploaded", object_label=NAME).count() == 1


def test_the_browser_is_led_on_after_an_upload_in_place(engineer: Client) -> None:
    response = send(engineer, zipped(), **{"HX-Request": "true"})
    assert response.status_code == 200
    assert response.headers["HX-Redirect"] == Run.objects.get().get_absolute_url()


@pytest.mark.parametrize(
    ("content", "name", "reason"),
    [
        (b"no zip at all", NAME, "is not a readable zip archive"),
        (zipped()[:-30], NAME, "may have been cut short"),
        (zipped()[:200], NAME, "may have been cut short"),
        (b"", NAME, "0 bytes"),
        (zipped(), "product.tar", "is not the name of a zip"),
        (zipped(), "-rf.zip", "is not the name of a zip"),
        (zipped(), ".zip", "is not the name of a zip"),
        (zipped(), "a b;rm.zip", "is not the name of a zip"),
        (zipped(), "<script>alert(1)</script>.zip", "is not the name of a zip"),
        (zipped(), "ä.zip", "is not the name of a zip"),
        (zipped(), f"{'x' * 240}.zip", "is not the name of a zip"),
    ],
)
def test_what_cannot_be_a_product_is_refused_in_words(
    engineer: Client, settings: Any, content: bytes, name: str, reason: str
) -> None:
    response = send(engineer, content, name)
    assert response.status_code == 422
    page = response.content.decode()
    assert reason in page
    assert "<script>alert" not in page
    assert kept(settings) == []
    assert Run.objects.count() == Product.objects.count() == 0
    if content:
        assert reason in Intake.objects.get().message


@pytest.mark.parametrize("name", ["../../etc/cron.d/x.zip", "/etc/x.zip", "..\\..\\x.zip"])
def test_a_path_in_the_name_leads_nowhere(engineer: Client, settings: Any, name: str) -> None:
    send(engineer, zipped(), name)
    for path in kept(settings):
        assert path.name == "x.zip"
        assert settings.MPC_UPLOADS_DIR in path.parents
    assert all(".." not in run.params["path"] for run in Run.objects.all())


def test_more_than_the_limit_is_refused_with_both_sizes(engineer: Client, settings: Any) -> None:
    settings.MPC_UPLOAD_LIMIT_MB = 0.001
    response = send(engineer, zipped())
    assert response.status_code == 422
    assert "at most 0.001 MB are taken" in response.content.decode()
    assert kept(settings) == []


def test_the_form_tells_the_browser_the_limit(engineer: Client, settings: Any) -> None:
    settings.MPC_UPLOAD_LIMIT_MB = 123
    page = engineer.get(reverse("products:upload")).content.decode()
    assert 'data-limit-mb="123"' in page
    assert "at most 123 MB" in page


def test_a_full_disk_is_told_and_leaves_nothing(engineer: Client, settings: Any, monkeypatch: Any) -> None:
    def full(self: Any, *args: Any) -> Any:
        yield b"some"
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(SimpleUploadedFile, "chunks", full)
    monkeypatch.setattr("django.core.files.uploadedfile.InMemoryUploadedFile.chunks", full)
    response = send(engineer, zipped())
    assert response.status_code == 422
    assert "No space left on device" in response.content.decode()
    assert kept(settings) == []
    assert "nothing was kept" in Intake.objects.get().message


def test_no_room_is_seen_before_writing(engineer: Client, settings: Any) -> None:
    settings.MPC_MIN_FREE_MB = 1 << 40
    assert "nearly full" in send(engineer, zipped()).content.decode()
    assert kept(settings) == []


def test_a_part_of_the_page_comes_back_with_what_is_wrong(engineer: Client) -> None:
    response = send(engineer, b"no zip", **{"HX-Request": "true"})
    part = response.content.decode()
    assert response.status_code == 422
    assert part.lstrip().startswith("<form")
    assert 'aria-invalid="true"' in part
    assert "is not a readable zip archive" in part


def test_nothing_chosen(engineer: Client) -> None:
    response = engineer.post(reverse("products:upload"), {})
    assert response.status_code == 422
    assert "Choose a file first." in response.content.decode()


@pytest.mark.parametrize("roles", [(), (Role.VIEWER,)])
def test_who_may_not_upload_sends_in_vain(settings: Any, roles: tuple[Role, ...]) -> None:
    client = signed_in(*roles)
    assert client.get(reverse("products:upload")).status_code == 403
    assert send(client, zipped()).status_code == 403
    assert kept(settings) == []
    assert Run.objects.count() == Intake.objects.count() == 0


def test_visitors_are_led_to_the_sign_in(client: Client, settings: Any) -> None:
    assert send(client, zipped()).status_code == 302
    assert kept(settings) == []
