"""Every command of the centre is called by a test, and those that no other test calls are called here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import get_commands

from mpc.accounts.models import User
from mpc.products.models import Product
from mpc.runs.models import Run

pytestmark = pytest.mark.django_db
TESTS = Path(__file__).resolve().parents[1]

OURS = {
    "backup", "bench", "compliance", "create_demo_user", "create_user", "demo", "digest", "drill",
    "fill_measurements", "find_events", "health", "housekeep", "import_events", "ingest", "load_requirements",
    "measurements", "prepare", "report", "restore", "roll_up", "run", "sweeper", "worker",
}  # fmt: skip


def our_commands() -> set[str]:
    local = {config.name for config in apps.get_app_configs() if not config.path.count("site-packages")}
    return {name for name, app in get_commands().items() if app in local}


def test_the_commands_are_those_that_are_declared() -> None:
    assert our_commands() == OURS


@pytest.mark.parametrize("name", sorted(OURS))
def test_each_is_called_by_a_test(name: str) -> None:
    called = re.compile(rf"[(\[]\s*\"{name}[\" ]")
    assert [p for p in TESTS.rglob("test_*.py") if called.search(p.read_text())]


@pytest.mark.parametrize("name", sorted(OURS))
def test_each_says_what_it_does_and_refuses_what_it_does_not_know(manage, capsys, name: str) -> None:
    assert manage(name, "--help").status == 0
    assert len(capsys.readouterr().out) > 100
    called = manage(name, "--frobnicate")
    assert (called.status, called.out) == (2, "")


def test_benchmarks_are_listed_and_unknown_ones_refused(manage) -> None:
    listed = manage("bench")
    assert listed.status == 0
    assert len(listed.out.split()) >= 3
    unknown = manage("bench", "no-such")
    assert (unknown.status, unknown.out) == (2, "")
    assert listed.out.split()[0] in unknown.err


def test_preparing_twice_changes_nothing(manage, settings, tmp_path: Path, made, tiny_mission) -> None:
    settings.STATIC_ROOT = tmp_path / "static"
    first = manage("prepare", "--products", made().path)
    assert first.status == 0
    assert "Sign in" in first.out
    count = Product.objects.count()
    assert count > 20

    def state() -> list[object]:
        return [
            list(model.objects.order_by("pk").values()) for model in (Product, Run, User)
        ] + [sorted((str(p), p.stat().st_mtime_ns) for p in tmp_path.rglob("*"))]  # fmt: skip

    before = state()
    again = manage("prepare")
    assert again.status == 0
    assert "password" not in again.out
    assert state() == before


def test_one_turn_of_the_sweeper(manage) -> None:
    called = manage("sweeper", "--once")
    assert called.status == 0
    assert "0 runs" in called.out


@pytest.mark.parametrize(("what", "status"), [("site", 0), ("worker", 1), ("sweeper", 1)])
def test_health_of_a_machine_without_worker_and_sweeper(manage, what: str, status: int) -> None:
    assert manage("health", what).status == status
