"""The watched folder: by the sweeper's own step, and runs done in place."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from mpc.jobs import get_job, periodic_steps
from mpc.jobs.job import _JOBS
from mpc.products import inbox
from mpc.products.models import Intake, Product
from mpc.products.services import as_text
from mpc.runs import sweeper, waiting
from mpc.runs.models import ACTIVE, Run
from mpc.runs.sweeper import Step, do_step
from tests.road.conftest import nothing_half_made

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(settings, tmp_path: Path) -> Path:  # type: ignore[no-untyped-def]
    settings.MPC_INBOX = tmp_path / "inbox"
    settings.MPC_INBOX.mkdir()
    return settings.MPC_INBOX


@pytest.fixture
def look(manage, folder: Path, monkeypatch):  # type: ignore[no-untyped-def]
    """One turn of the sweeper, then all that it asked for is done; hands back the arrivals that were judged."""
    # The transaction of the test lives in this connection.
    monkeypatch.setattr(sweeper, "close_old_connections", lambda: None)
    (declared,) = (step for step in periodic_steps() if step.name == "products.inbox")

    def turn(times: int = 1) -> list[tuple[str, str]]:
        before = set(Intake.objects.values_list("pk", flat=True))
        for _ in range(times):
            assert do_step(Step(declared.name, declared.period_s, declared.function)), "the step failed"
            while runs := list(Run.objects.filter(state__in=ACTIVE)):
                waiting.wait_for(runs, lambda text: None)
        new = Intake.objects.exclude(pk__in=before).order_by("pk")
        return [(Path(i.source).name, i.result) for i in new]

    return turn


def test_a_folder_that_is_copied_in_pieces_is_taken_once_when_it_is_whole(look, made, folder: Path, settings) -> None:
    source = made().path
    files = sorted(p.relative_to(source) for p in source.rglob("*") if p.is_file())
    # The manifest comes first, an image last, and the copy pauses for longer than the sweeper's turns.
    files.sort(key=lambda path: (path.name != "manifest.safe", path.name.endswith("_B12.jp2"), path))
    third = len(files) // 3
    for part in (files[:third], files[third : 2 * third], files[2 * third : -1]):
        for file in part:
            (folder / source.name / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / file, folder / source.name / file)
        assert look(3) == []
    whole = (source / files[-1]).read_bytes()
    (folder / source.name / files[-1]).write_bytes(whole[:-1])
    assert look(3) == []
    (folder / source.name / files[-1]).write_bytes(whole)
    assert look(2) == [(source.name, "taken")]
    assert look(3) == []
    product = Product.objects.get()
    assert (product.status, product.path) == ("INCOMPLETE", str(folder / source.name))
    assert product.intakes.get().trigger == "inbox"
    nothing_half_made(settings.MPC_RUNS_DIR)


def test_an_archive_that_grows_is_taken_once_when_it_is_whole(look, made, folder: Path) -> None:
    data = made(zipped=True).path.read_bytes()
    path = folder / made(zipped=True).path.name
    for part in (0.2, 0.7, 0.999):
        path.write_bytes(data[: int(len(data) * part)])
        assert look(3) == []
    path.write_bytes(data)
    assert look(2) == [(path.name, "taken")]
    assert look(2) == []


def test_what_never_becomes_whole_is_judged_as_it_is_in_the_end(look, made, folder: Path, monkeypatch) -> None:
    shutil.copytree(made().path, folder / made().name)
    (image,) = (folder / made().name).glob("GRANULE/*/IMG_DATA/*_B05.jp2")
    image.unlink()
    (folder / "cut.zip").write_bytes(made(zipped=True).path.read_bytes()[:100_000])
    assert look(3) == []
    monkeypatch.setattr(inbox, "PATIENCE_S", 0.0)
    assert sorted(look(2)) == [(made().name, "taken"), ("cut.zip", "refused")]
    assert Product.objects.get().status == "FAILED"
    assert look(3) == []


def test_the_hostile_and_the_odd_do_not_hold_up_the_good(look, made, folder: Path, monkeypatch) -> None:
    monkeypatch.setattr(inbox, "PATIENCE_S", 0.0)
    good = made(zipped=True).path
    (folder / "notes.txt").write_text("no product")
    (folder / ".hidden.zip").write_bytes(b"x")
    (folder / "coming.zip.part").write_bytes(b"x")
    (folder / "empty").mkdir()
    (folder / "bad.zip").write_bytes(b"PK")
    os.mkfifo(folder / "pipe.zip")
    (folder / "gone.zip").symlink_to(folder / "nowhere")
    (folder / "gone.SAFE").symlink_to(folder / "nowhere")
    shutil.copyfile(good, os.fsdecode(os.fsencode(folder) + b"/\xff.zip"))
    deep = folder.joinpath(*["d" * 200] * 5)
    deep.mkdir(parents=True)
    shutil.copyfile(good, deep / "x.zip")
    linked = shutil.copytree(made(baseline="05.10").path, folder / made(baseline="05.10").name)
    (linked / "HTML" / "away.html").symlink_to(folder / "nowhere")
    shutil.copyfile(good, folder / good.name)
    judged = look(3)
    # The last one's path is longer than what is kept of it.
    refused = ("bad.zip", "\\udcff.zip", linked.name, as_text(deep / "x.zip").rpartition("/")[2])
    assert sorted(judged) == sorted([(good.name, "taken"), *((name, "refused") for name in refused)])
    assert "move it to a shorter one" in Intake.objects.get(source__startswith=str(deep)[:100]).message
    assert look(2) == []
    assert Product.objects.get().status == "INCOMPLETE"


def test_a_product_that_is_replaced_is_told_and_not_taken(look, made, folder: Path) -> None:
    path = folder / made(zipped=True).path.name
    shutil.copyfile(made(zipped=True).path, path)
    look(2)
    shutil.copyfile(made(baseline="05.10", zipped=True).path, path)
    # Another product under the name of the first: it is taken for what it says inside.
    assert look(2) == [(path.name, "taken")]
    shutil.copyfile(made(zipped=True).path, path)
    assert look(2) == [(path.name, "known")]
    assert Product.objects.count() == 2


def test_a_run_that_failed_is_not_asked_for_again_and_again(look, made, folder: Path, monkeypatch) -> None:
    broken = replace(get_job("products.ingest"), work="mpc.products.work:not_there")
    monkeypatch.setitem(_JOBS, "products.ingest", broken)
    shutil.copyfile(made(zipped=True).path, folder / "x.zip")
    assert look(4) == []
    assert [run.state for run in Run.objects.all()] == ["failed"]
