"""What the tests of the engine share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mpc.accounts.actors import local_actor
from mpc.runs import services
from mpc.runs.children import Nursery
from mpc.runs.models import Run
from tests.runs import declared


@pytest.fixture(scope="session", autouse=True)
def _declared() -> None:
    declared.declare()


@pytest.fixture(autouse=True)
def _own_folders(settings: Any, tmp_path: Path) -> None:
    settings.MPC_RUNS_DIR = tmp_path / "runs"
    settings.MPC_RETRY_BACKOFF_S = 0.05
    settings.MPC_CANCEL_GRACE_S = 0.5


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Warm children for all tests, so that each need not load numba again."""
    nursery = Nursery(threads=1)
    yield nursery
    nursery.close()


@pytest.fixture
def ask(db: None) -> Any:
    """``ask("echo", text="hi")`` queues a run of a test job as the local account."""

    def request(name: str, **params: Any) -> Run:
        run, _ = services.request_run(f"test.{name}", actor=local_actor(), params=params, trigger="command")
        return run

    return request


@pytest.fixture
def do(ask: Any, nursery: Nursery) -> Any:
    """``do("echo", text="hi")`` asks for a run and does it here; hands back the run when it is over."""

    def request_and_work(name: str, **params: Any) -> Run:
        return services.work_in_place(ask(name, **params), nursery=nursery)

    return request_and_work
