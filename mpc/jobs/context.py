"""The only thing that a working job sees of the world outside: progress, log lines, a folder, a stop sign."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol


class PassingError(Exception):
    """The work failed for a cause that may pass (a file not yet there, a mount away): worth another attempt."""


class HopelessError(Exception):
    """The work cannot succeed with these inputs; another attempt would fail the same way. The text is for people."""


class Context(Protocol):
    """Given to every job. Calls are cheap; they may be made from the thread that does the work only."""

    workdir: Path

    def progress(self, fraction: float, message: str = "") -> None:
        """Say how far the work is (0 to 1) and what it does now."""

    def log(self, message: str, level: str = "info") -> None:
        """Add a line to the run's log; ``level`` is debug, info, warning or error."""


class Portions(Protocol):
    """Given to work that is done in the database: one short transaction after the other, until told to stop.

    ::

        for keys in chunks(after=portions.kept.get("after", 0)):
            with portions.portion():
                ...change rows...
                portions.keep({"after": keys[-1]})

    What was kept is true with its portion: a further attempt finds it in ``kept`` and goes on behind it.
    """

    kept: dict[str, Any]

    @property
    def workdir(self) -> Path:
        """A folder for files that the work leaves (``Outcome.artifacts``), made when it is first asked for."""

    def portion(self) -> AbstractContextManager[None]:
        """One transaction; before it begins a stop that was asked for ends the work."""

    def keep(self, facts: dict[str, Any]) -> None:
        """Remember how far the work is; inside a portion."""

    def progress(self, fraction: float, message: str = "") -> None:
        """Say how far the work is (0 to 1) and what it does now."""

    def log(self, message: str, level: str = "info") -> None:
        """Add a line to the run's log."""


class RecordingContext:
    """A context for notebooks, tests and in-place work: keeps what it is told."""

    def __init__(self, workdir: Path) -> None:
        self.workdir = workdir
        self.lines: list[tuple[str, str]] = []
        self.fractions: list[tuple[float, str]] = []

    def progress(self, fraction: float, message: str = "") -> None:
        self.fractions.append((fraction, message))

    def log(self, message: str, level: str = "info") -> None:
        self.lines.append((level, message))
