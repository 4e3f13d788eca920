"""The house's own checks, as far as they are cheap enough to stand in the suite."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from django.core.management import call_command

ROOT = Path(__file__).resolve().parents[2]


def committed() -> list[str]:
    done = subprocess.run(["git", "-C", str(ROOT), "ls-files"], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout")
    return done.stdout.splitlines()


@pytest.mark.django_db
def test_models_and_migrations_agree() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_requirements_are_pinned() -> None:
    for name in ("requirements.txt", "requirements-dev.txt", "requirements-production.txt"):
        lines = [line.strip() for line in (ROOT / name).read_text().splitlines()]
        packages = [line for line in lines if line and not line.startswith(("#", "-r"))]
        assert [line for line in packages if not re.fullmatch(r"[A-Za-z0-9_.\-]+==[\w.]+", line)] == []


def test_no_machine_path_is_committed() -> None:
    """Nothing that only holds on one machine: absolute paths of home folders or work folders."""
    wanted = re.compile(rb"/(?:home|root|work|Users)/[A-Za-z0-9_]+")
    found = []
    for name in committed():
        path = ROOT / name
        if path.suffix in {".png", ".svg", ".jp2"} or not path.is_file() or name == "tests/house/test_checks.py":
            continue
        found += [f"{name}: {hit.decode()}" for hit in wanted.findall(path.read_bytes())]
    assert found == []


def test_every_python_file_under_400_lines_or_named_here() -> None:
    """A file that outgrows about 400 lines becomes a package; tests and migrations may be long."""
    long = {
        name: count
        for name in committed()
        if name.endswith(".py") and "/migrations/" not in name and not name.startswith("tests/")
        if (ROOT / name).is_file() and (count := len((ROOT / name).read_text().splitlines())) > 420
    }
    assert long == {}
