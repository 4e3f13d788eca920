"""Whatever happens to the bytes of a product: it is taken in, known, or refused, and a judged one has a verdict."""

from __future__ import annotations

import os
import shutil
import zipfile
from pathlib import Path

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given
from hypothesis import settings as options
from hypothesis import strategies as st

from mpc.accounts.actors import local_actor
from mpc.products import services
from mpc.products.models import Intake, Product
from mpc.runs.models import Run, State
from tests.road.conftest import call, nothing_half_made

pytestmark = pytest.mark.django_db

MORE = int(os.environ.get("MPC_TEST_EXAMPLES", "1"))
"""Multiplies the examples of each property, for a long search by hand."""

relaxed = options(
    deadline=None,
    derandomize=MORE == 1,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
places = st.floats(0, 1, exclude_max=True)
changes = st.one_of(
    st.tuples(st.just("flip"), places, st.integers(1, 255)),
    st.tuples(st.just("cut"), places, st.just(0)),
    st.tuples(st.just("zero"), places, st.integers(1, 5000)),
    st.tuples(st.just("drop"), places, st.integers(1, 5000)),
    st.tuples(st.just("double"), places, st.integers(1, 5000)),
)
Change = tuple[str, float, int]


def hurt(data: bytes, change: Change) -> bytes:
    kind, part, amount = change
    place = int(part * len(data))
    match kind:
        case "flip":
            return data[:place] + bytes([data[place] ^ amount]) + data[place + 1 :] if data else data
        case "cut":
            return data[:place]
        case "zero":
            return data[:place] + bytes(len(data[place : place + amount])) + data[place + amount :]
        case "drop":
            return data[:place] + data[place + amount :]
        case _:
            return data[: place + amount] + data[place:]


@pytest.fixture(params=["05.11", "02.06"])
def archive(request: pytest.FixtureRequest, made) -> Path:  # type: ignore[no-untyped-def]
    unit = "S2A" if request.param == "02.06" else "S2B"
    return made(unit=unit, baseline=request.param, zipped=True).path


def rewrite(archive: Path, target: Path, pick: float, changes: list[Change], kinds: tuple[str, ...]) -> None:
    """A sound zip in which one member of some kinds is hurt."""
    with zipfile.ZipFile(archive) as source, zipfile.ZipFile(target, "w") as copy:
        names = sorted(n for n in source.namelist() if n.lower().endswith(kinds))
        hurt_one = names[int(pick * len(names))]
        for info in source.infolist():
            data = source.read(info)
            if info.filename == hurt_one:
                for change in changes:
                    data = hurt(data, change)
            copy.writestr(info, data)


def take_in_and_check(path: Path) -> None:
    with transaction.atomic():
        taken = services.take_in(str(path), actor=local_actor())
        assert taken.result in Intake.Result.values
        assert taken.intake.message or taken.result == Intake.Result.TAKEN
        assert "broke the centre's own software" not in taken.intake.message
        assert (taken.product is not None) == (taken.result == Intake.Result.TAKEN)
        assert Product.objects.count() == Run.objects.count() == (taken.product is not None)
        transaction.set_rollback(True)


def judge_and_check(path: Path, runs_dir: Path) -> None:
    with transaction.atomic():
        called = call("ingest", path, "--wait")
        assert called.status in (0, 1)
        if called.line["result"] == "taken":
            run = Run.objects.get()
            assert run.state == State.SUCCEEDED, (run.error, [line.text for line in run.log_lines.all()])
            report = call("report", called.line["product"], "--json").json
            assert report["verdict"] in ("PASSED", "FAILED", "INCOMPLETE")
            assert [c for c in report["checks"] if c["status"] == "error"] == []
        nothing_half_made(runs_dir)
        transaction.set_rollback(True)
    shutil.rmtree(runs_dir, ignore_errors=True)


@options(relaxed, max_examples=20 * MORE)
@given(hurts=st.lists(changes, min_size=1, max_size=3))
@example(hurts=[("cut", 0.999999, 0)])
def test_any_damage_to_an_archive_is_taken_or_refused(archive: Path, tmp_path: Path, hurts: list[Change]) -> None:
    data = archive.read_bytes()
    for change in hurts:
        data = hurt(data, change)
    (tmp_path / archive.name).write_bytes(data)
    take_in_and_check(tmp_path / archive.name)


@options(relaxed, max_examples=20 * MORE)
@given(pick=places, hurts=st.lists(changes, min_size=1, max_size=3))
def test_any_damage_to_a_document_is_taken_in(archive: Path, tmp_path: Path, pick: float, hurts: list[Change]) -> None:
    rewrite(archive, tmp_path / archive.name, pick, hurts, ("mtd_msil1c.xml", "mtd_tl.xml", "mtd_ds.xml"))
    take_in_and_check(tmp_path / archive.name)


@options(relaxed, max_examples=5 * MORE)
@given(pick=places, hurts=st.lists(changes, min_size=1, max_size=2))
def test_any_damage_to_a_member_comes_to_a_verdict(
    archive: Path, tmp_path: Path, manage, settings, pick: float, hurts: list[Change]
) -> None:  # type: ignore[no-untyped-def]
    rewrite(archive, tmp_path / archive.name, pick, hurts, (".xml", ".safe", ".jp2", ".gml"))
    judge_and_check(tmp_path / archive.name, Path(settings.MPC_RUNS_DIR))
