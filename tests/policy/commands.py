"""Our own management commands, found as Django finds them."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand

ROOT = Path(__file__).resolve().parents[2]


def own_commands() -> dict[str, BaseCommand]:
    """Every command that lies in this repository, by name."""
    found = {}
    for name, app in sorted(get_commands().items()):
        package = apps.get_app_config(app).name if app in apps.app_configs else app
        place = Path(importlib.import_module(package).__file__ or "").resolve()
        if place.is_relative_to(ROOT) and ".venv" not in place.parts:
            found[name] = load_command_class(app, name)
    return found


def any_arguments(command: BaseCommand, name: str) -> list[str]:
    """Arguments that its parser takes: what it requires, with any value that fits."""
    parser = command.create_parser("manage.py", name)
    given = []
    for action in parser._actions:
        value = str(next(iter(action.choices))) if action.choices else "1"
        if not action.option_strings and action.nargs not in (argparse.OPTIONAL, argparse.ZERO_OR_MORE):
            given.append(value)
        elif action.required and action.option_strings:
            given += [action.option_strings[0], value]
    return given


def execute(command: BaseCommand, name: str, *arguments: str) -> Any:
    """As ``manage.py`` does. Raises CommandError."""
    options = vars(command.create_parser("manage.py", name).parse_args(arguments))
    return command.execute(*options.pop("args", ()), **options)
