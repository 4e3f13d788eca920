"""The whole road in one process: commands as they are called, products made for the occasion, work in warm children."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, get_commands, load_command_class

from mpc.products import jobs
from mpc.products.models import Intake, Product, ProductFacts
from mpc.runs import waiting
from mpc.runs.children import Nursery
from mpc.runs.models import ACTIVE, Run, RunArtifact
from processors.management.commands import demo
from processors.simulator.products import (
    DEMO_SEED,
    ProductSpec,
    WrittenProduct,
    demo_items,
    write_datastrip,
    write_product,
)

TINY = 60
"""Rows of the 10 m bands of most products here: all structure, hardly any pixels."""


# --- Commands --------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Called:
    """What a command did: its exit status, and what it wrote."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Standard output as JSON lines; fails when anything else stands there."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def line(self) -> dict[str, Any]:
        (line,) = self.lines
        return line

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Manage = Callable[..., Called]


def call(name: str, *arguments: object) -> Called:
    """Call a command as the shell does: the same parsing, the same exit status."""
    out, err = io.StringIO(), io.StringIO()
    command = load_command_class(get_commands()[name], name)
    command._called_from_command_line = True
    try:
        options = vars(command.create_parser("manage.py", name).parse_args([str(a) for a in arguments]))
        positional = options.pop("args", ())
        command.execute(*positional, **{**options, "stdout": out, "stderr": err})
        status = 0
    except CommandError as error:
        status = error.returncode
        err.write(f"CommandError: {error}")
    except SystemExit as ended:
        status = int(ended.code or 0)
    return Called(status, out.getvalue(), err.getvalue())


@pytest.fixture(scope="session")
def _nursery() -> Iterator[Nursery]:
    """Warm children for all tests, so that each need not load numba and GDAL again."""
    nursery = Nursery(threads=1)
    yield nursery
    nursery.close()


@pytest.fixture(autouse=True)
def _own_state(settings: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    state = tmp_path_factory.mktemp("state")
    settings.MPC_DATA_DIR = state
    settings.MPC_RUNS_DIR = state / "runs"
    settings.MPC_UPLOADS_DIR = state / "uploads"
    settings.MPC_INBOX = None
    settings.MPC_SCHEMA_DIR = None
    settings.MPC_RETRY_BACKOFF_S = 0.05
    jobs.forget_asked()


@pytest.fixture(scope="session")
def _warm_work(_nursery: Nursery) -> Iterator[None]:
    """Commands that work in place borrow the warm children and leave them warm."""

    class Lent:
        def __getattr__(self, name: str) -> Any:
            return getattr(_nursery, name)

        def close(self) -> None:
            pass

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(waiting, "Nursery", Lent)
        yield


@pytest.fixture
def manage(db: None, _warm_work: None) -> Manage:
    """``manage("ingest", path, "--wait")`` -> :class:`Called`. Work in place is done by warm children."""
    return call


@pytest.fixture
def schemas(settings: Any, realdata: Path) -> Path:
    """The schema sets of the real data, as ``MPC_SCHEMA_DIR`` names them."""
    settings.MPC_SCHEMA_DIR = realdata / "xsd"
    return realdata / "xsd"


# --- Products --------------------------------------------------------------------------------------------------------
Made = Callable[..., WrittenProduct]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """``made(baseline="02.06", zipped=True)``: a tiny product of that specification, written once. Never change it."""

    written: dict[tuple[str, bool], WrittenProduct] = {}

    def make(*, zipped: bool = False, **values: Any) -> WrittenProduct:
        spec = ProductSpec(**{"size_10m": TINY, **values})
        key = (repr(spec), zipped)
        if key not in written:
            written[key] = write_product(spec, tmp_path_factory.mktemp("made"), zipped=zipped)
        return written[key]

    return make


@pytest.fixture(scope="session")
def _written_mission(tmp_path_factory: pytest.TempPathFactory) -> list[WrittenProduct]:
    folder = tmp_path_factory.mktemp("mission")
    written = []
    for item in demo_items():
        spec = replace(item.spec, size_10m=TINY)
        if item.kind == "datastrip":
            written.append(write_datastrip(spec, folder))
        else:
            written.append(write_product(spec, folder, zipped=item.zipped))
    return written


@pytest.fixture
def tiny_mission(monkeypatch: pytest.MonkeyPatch, _written_mission: list[WrittenProduct]) -> None:
    """The demonstration mission has fewer pixels, and is written once for all tests."""

    def write(folder: Path, seed: int) -> list[WrittenProduct]:
        assert seed == DEMO_SEED
        for written in _written_mission:
            if written.path.is_dir():
                shutil.copytree(written.path, folder / written.path.name, dirs_exist_ok=True)
            else:
                shutil.copyfile(written.path, folder / written.path.name)
        return [replace(written, path=folder / written.path.name) for written in _written_mission]

    monkeypatch.setattr(demo, "demo_mission", write)


# --- What must hold after anything that comes ------------------------------------------------------------------------
def nothing_half_made(runs_dir: Path) -> None:
    """No product without facts and arrival, no run that hangs, no file that no row names."""
    for product in Product.objects.all():
        assert ProductFacts.objects.filter(product=product).exists(), f"{product} has no facts"
        assert product.intakes.filter(result=Intake.Result.TAKEN).count() == 1, f"{product} came never or twice"
    assert not Run.objects.filter(state__in=ACTIVE).exists(), list(Run.objects.filter(state__in=ACTIVE))
    named = {runs_dir / str(a.run_id) / str(a.attempt) / a.path for a in RunArtifact.objects.all()}
    found = {path for path in runs_dir.rglob("*") if path.is_file()} if runs_dir.exists() else set()
    assert found == named


@pytest.fixture
def clean_end(manage: Manage, settings: Any) -> Iterator[None]:
    """After the test nothing is half made."""
    yield
    nothing_half_made(Path(settings.MPC_RUNS_DIR))


@pytest.fixture
def next_is_good(clean_end: None, manage: Manage, made: Made) -> Iterator[None]:
    """After the test the same processes take in and judge the next good product without a fault."""
    yield
    good = made(unit="S2C", baseline="05.12", absolute_orbit=10_474, zipped=True)
    called = manage("ingest", good.path, "--wait")
    assert called.line["result"] == "taken", called
    assert called.line["status"] in ("PASSED", "INCOMPLETE"), called
    assert called.status == 0
