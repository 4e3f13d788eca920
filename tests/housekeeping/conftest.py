"""Centres of their own, filled once and copied."""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests.housekeeping.place import Place

NewPlace = Callable[..., Place]


@pytest.fixture(scope="session")
def new_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NewPlace]:
    """``new_place("sqlite")`` or ``new_place("postgres")``: a folder and a database with nothing in them.

    With a second word, the name of another database on the server, PostgreSQL copies that one.
    """
    made: list[str] = []

    def make(vendor: str, template: str = "template1") -> Place:
        folder = tmp_path_factory.mktemp("centre")
        if vendor == "sqlite":
            return Place(folder)
        url = os.environ.get("MPC_TEST_POSTGRES")
        if not url:
            pytest.skip("no PostgreSQL server: set MPC_TEST_POSTGRES=postgres://user@host/database")
        made.append(f"mpc_test_{uuid.uuid4().hex[:10]}")
        on_server(url, f"create database {made[-1]} template {template}")
        return Place(folder, urlunsplit(urlsplit(url)._replace(path=f"/{made[-1]}")))

    yield make
    for name in made:
        on_server(os.environ["MPC_TEST_POSTGRES"], f"drop database if exists {name} with (force)")


def on_server(url: str, sql: str) -> None:
    import psycopg2

    with contextlib.closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        connection.cursor().execute(sql)


@pytest.fixture(scope="session")
def filled(new_place: NewPlace, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Place]:
    """A centre with something of everything, made once for each database: look, do not touch."""
    made: dict[str, Place] = {}

    def fill(vendor: str) -> Place:
        if vendor not in made:
            place = new_place(vendor)
            done = place.python("-m", "tests.housekeeping.fill", str(tmp_path_factory.mktemp("products")))
            assert done.returncode == 0, done.stderr
            made[vendor] = place
        return made[vendor]

    return fill


@pytest.fixture(scope="session")
def backups(filled: Callable[[str], Place], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A backup of each filled centre, made once."""
    made: dict[str, Path] = {}

    def back_up(vendor: str) -> Path:
        if vendor not in made:
            path = tmp_path_factory.mktemp("backups") / f"{vendor}.tar.gz"
            done = filled(vendor).manage("backup", str(path))
            assert done.returncode == 0, done.stderr
            made[vendor] = path
        return made[vendor]

    return back_up


@pytest.fixture
def copy_of(filled: Callable[[str], Place], new_place: NewPlace) -> Callable[..., Place]:
    """The filled centre as a copy that may be touched."""

    def copy(vendor: str = "sqlite") -> Place:
        source = filled(vendor)
        place = new_place(vendor, urlsplit(source.database_url).path.lstrip("/"))
        shutil.copytree(source.folder, place.folder, dirs_exist_ok=True)
        return place

    return copy
