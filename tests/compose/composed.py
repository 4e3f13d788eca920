"""docker-compose.yml and Dockerfile as their engine would understand them: merged, with variables filled in."""

from __future__ import annotations

import fnmatch
import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
_VARIABLE = re.compile(r"\$\{([A-Z_][A-Z0-9_]*)(?:(:[-?])((?:[^{}]|\$\{[^{}]*\})*))?\}")


class MissingVariable(LookupError):
    """A variable that has to be given."""


def composition(environment: Mapping[str, str]) -> dict[str, Any]:
    """The file with the variables of this environment. Raises MissingVariable."""
    return _filled(yaml.safe_load((ROOT / "docker-compose.yml").read_text()), environment)


def _filled(value: Any, environment: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(item, environment) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, environment) for item in value]
    return fill(value, environment) if isinstance(value, str) else value


def fill(text: str, environment: Mapping[str, str]) -> str:
    """``${NAME}``, ``${NAME:-default}`` and ``${NAME:?what to do}``, which may stand in each other's defaults."""

    def found(match: re.Match[str]) -> str:
        name, sign, rest = match.groups()
        if environment.get(name):
            return environment[name]
        if sign == ":?":
            raise MissingVariable(rest)
        return fill(rest or "", environment)

    return _VARIABLE.sub(found, text)


# --- Dockerfile ------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Stage:
    """One stage of the Dockerfile: its base, its name and its instructions as (word, rest)."""

    base: str
    name: str
    instructions: tuple[tuple[str, str], ...]

    def all(self, word: str) -> list[str]:
        return [rest for found, rest in self.instructions if found == word]

    def last(self, word: str) -> str:
        return self.all(word)[-1]

    def environment(self) -> dict[str, str]:
        return dict(pair.split("=", 1) for rest in self.all("ENV") for pair in shlex.split(rest))

    def listed(self, word: str) -> list[str]:
        """The words of CMD, or of the command of HEALTHCHECK, which must be written as a list."""
        rest = self.last(word)
        return json.loads(rest[rest.index("[") :])


def dockerfile() -> tuple[dict[str, str], dict[str, Stage]]:
    """The arguments before the first stage, and the stages by name."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n", "", text).splitlines()
    arguments: dict[str, str] = {}
    stages: dict[str, Stage] = {}
    for line in filter(str.strip, lines):
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            stages[name] = Stage(fill(base, arguments), name, ())
        elif not stages:
            name, _, value = rest.partition("=")
            arguments[name] = value
        else:
            stage = stages.popitem()[1]
            stages[stage.name] = Stage(stage.base, stage.name, (*stage.instructions, (word, rest.strip())))
    return arguments, stages


def left_out(path: str) -> bool:
    """Whether .dockerignore keeps a file of the repository out of the images."""
    out = False
    if path == ".":
        return out
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        undo, pattern = pattern.startswith("!"), pattern.lstrip("!")
        parts = path.split("/")
        heads = ["/".join(parts[: n + 1]) for n in range(len(parts))]
        if pattern.startswith("**/"):
            matches = any(fnmatch.fnmatchcase(part, pattern[3:]) for part in parts)
        else:
            # Without a leading **/ a pattern is about the top; * does not cross a slash.
            level = [head for head in heads if head.count("/") == pattern.count("/")]
            matches = any(fnmatch.fnmatchcase(head, pattern) for head in level)
        if matches:
            out = not undo
    return out
