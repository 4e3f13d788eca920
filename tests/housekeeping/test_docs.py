"""docs/operations.md says what the software does."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command, get_commands, load_command_class

from tests.compose.composed import composition

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/operations.md").read_text()
COMMANDS = re.findall(r"^    manage\.py (\S+)(.*)$", PAGE, re.MULTILINE)


def test_the_page_names_the_commands_of_the_housekeeping() -> None:
    assert {name for name, _ in COMMANDS} == {"backup", "restore", "housekeep", "health"}


@pytest.mark.parametrize(("name", "rest"), COMMANDS)
def test_every_command_is_one_and_takes_these_arguments(name: str, rest: str) -> None:
    command = load_command_class(get_commands()[name], name)
    words = rest.replace("[", "").replace("]", "").split()
    command.create_parser("manage.py", name).parse_args(words)


@pytest.mark.django_db
def test_the_harmless_ones_run(settings: Any, tmp_path: Path) -> None:
    settings.MPC_DATA_DIR = tmp_path
    settings.MPC_RUNS_DIR, settings.MPC_UPLOADS_DIR = tmp_path / "runs", tmp_path / "uploads"
    for words in (["housekeep", "--dry-run"], ["housekeep"], ["health", "site"]):
        out = StringIO()
        call_command(*words, stdout=out)
        assert out.getvalue()


def test_the_days_are_those_of_the_settings() -> None:
    rows = re.findall(r"^\| `(MPC_KEEP_\w+)` \| .* \| (\d+) \|$", PAGE, re.MULTILINE)
    named = {name: int(days) for name, days in rows}
    assert named == {name: getattr(settings, name) for name in dir(settings) if name.startswith("MPC_KEEP_")}
    assert f"`MPC_MIN_FREE_MB` ({settings.MPC_MIN_FREE_MB})" in PAGE


def test_the_services_are_those_of_the_composition() -> None:
    named = {
        name.strip() for row in re.findall(r"^\| ([a-z, -]+) \| ", PAGE, re.MULTILINE) for name in row.split(",")
    } - {"service", "setting"}
    composed = composition({"MPC_SECRET_KEY": "k", "POSTGRES_PASSWORD": "p"})
    assert named == set(composed["services"])
    for variable in re.findall(r"`(MPC_[A-Z_]+)` and `(MPC_[A-Z_]+)`", PAGE):
        assert all(f"${{{name}" in (ROOT / "docker-compose.yml").read_text() for name in variable), variable
