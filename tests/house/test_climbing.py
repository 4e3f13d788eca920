"""Climbing that imports do not show: foreign keys by name, reverse accessors, migrations, templates and addresses.

import-linter keeps imports on their floors; what reaches upwards by a string is found here.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from django.apps import apps
from django.db.migrations.loader import MigrationLoader

ROOT = Path(__file__).resolve().parents[2]
# Lower floors first, as DESIGN has them; apps on one floor do not know each other, but for accounts, whose pages stand
# on the parts of ui.
FLOORS = {"ui": 0, "accounts": 1, "products": 2, "runs": 3, "monitoring": 4, "qc": 5, "processors": 5}
FOLDERS = {
    "ui": "mpc/ui",
    "accounts": "mpc/accounts",
    "products": "mpc/products",
    "runs": "mpc/runs",
    "monitoring": "mpc/monitoring",
    "qc": "qc",
    "processors": "processors",
}
URL = re.compile(r"""{%\s*url\s+['"]([a-z_]+):""")
LOADED = re.compile(r"""{%\s*(?:include|extends)\s+['"]([^'"]+)['"]""")


def may_know(lower: str, other: str) -> bool:
    return lower == other or FLOORS[other] < FLOORS[lower]


def ours() -> list:
    return [model for model in apps.get_models() if model._meta.app_label in FLOORS]


def test_every_app_of_ours_has_a_floor() -> None:
    own = [c for c in apps.get_app_configs() if Path(c.path).is_relative_to(ROOT) and "site-packages" not in c.path]
    # The site itself and its housekeeping stand on top and may know everything.
    assert {config.label for config in own} - {"site", "housekeeping"} == set(FLOORS)


def test_foreign_keys_point_down() -> None:
    climbing = [
        f"{model._meta.label}.{field.name} -> {field.related_model._meta.label}"
        for model in ours()
        for field in model._meta.get_fields(include_hidden=False)
        if field.is_relation and field.concrete and field.related_model is not None
        if field.related_model._meta.app_label in FLOORS
        if not may_know(model._meta.app_label, field.related_model._meta.app_label)
        # Who did it and whose it is: any row may name an account.
        if field.related_model._meta.app_label != "accounts"
    ]
    assert climbing == []


def test_migrations_depend_downwards() -> None:
    loader = MigrationLoader(None, load=False)
    loader.load_disk()
    graph = loader.disk_migrations
    climbing = [
        f"{app}.{name} needs {needed}"
        for (app, name), migration in graph.items()
        if app in FLOORS
        for needed, _ in migration.dependencies
        if needed in FLOORS and needed != "accounts" and not may_know(app, needed)
    ]
    assert climbing == []


def accessors_from_above(app: str) -> dict[str, str]:
    """Reverse accessors and query names on this app's models that belong to apps above: name -> whose."""
    found = {}
    for model in ours():
        if model._meta.app_label != app:
            continue
        for relation in model._meta.related_objects:
            owner = relation.related_model._meta.app_label
            if owner in FLOORS and not may_know(app, owner):
                found[relation.get_accessor_name() or relation.name] = f"{owner} on {model.__name__}"
    return found


@pytest.mark.parametrize("app", FOLDERS)
def test_code_reaches_no_reverse_accessor_of_a_higher_room(app: str) -> None:
    above = accessors_from_above(app)
    climbing = []
    for path in sorted((ROOT / FOLDERS[app]).rglob("*.py")):
        if "migrations" in path.parts or path.name == "apps.py":
            continue
        climbing += [
            f"{path.relative_to(ROOT)}:{node.lineno} .{node.attr} ({above[node.attr]})"
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Attribute) and node.attr in above and is_of_model(node)
        ]
    assert climbing == []


def is_of_model(node: ast.Attribute) -> bool:
    """An attribute of a variable named like an object (product.runs), not of a module or of self."""
    return isinstance(node.value, ast.Name) and node.value.id not in {"self", "cls", "urls", "settings", "policy"}


@pytest.mark.parametrize("app", FOLDERS)
def test_templates_name_only_lower_rooms(app: str) -> None:
    climbing = []
    for path in sorted((ROOT / "templates" / app).rglob("*.html")):
        text = path.read_text()
        rooms = [name for name in URL.findall(text) if name in FLOORS]
        rooms += [name.split("/")[0] for name in LOADED.findall(text) if name.split("/")[0] in FLOORS]
        climbing += [f"{path.relative_to(ROOT)}: {room}" for room in rooms if not may_know(app, room)]
    assert climbing == []
