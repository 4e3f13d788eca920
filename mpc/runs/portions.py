"""Work that a supervisor does itself: many small changes of rows, each portion a transaction behind the run's fence.

Every portion first says that the attempt lives, in its own transaction: when the run is not ours any more nothing of
the portion becomes true. How far the work is (``keep``) is written with the portion, so that a further attempt neither
leaves out nor does twice what an earlier one did.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from django.db import transaction

from mpc.runs import files, queue
from mpc.runs.models import ErrorKind
from mpc.runs.queue import NOT_MINE, Ending, Fence, Late
from mpc.runs.texts import clean_json
from mpc.runs.wire import Line

KEPT = "so far"
"""Under this name the run's facts hold what was kept."""


class Interrupted(Exception):
    """The work was asked to stop, or took too long."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending.text)
        self.ending = ending


class DatabasePortions:
    """What work in the database sees of the world outside (``mpc.jobs.Portions``)."""

    def __init__(self, fence: Fence, kept: dict[str, Any], *, deadline: float, stopping: threading.Event) -> None:
        self.kept = dict(kept)
        self.unsaid: list[Line] = []
        self._fence = fence
        self._deadline = deadline
        self._stopping = stopping
        self._progress: tuple[float, str] | None = None

    @cached_property
    def workdir(self) -> Path:
        return files.make_folder(self._fence)

    @contextmanager
    def portion(self) -> Iterator[None]:
        """One transaction. Raises Interrupted before it when a stop was asked for, Late when the run is not ours."""
        self._heed()
        said = len(self.unsaid)
        with transaction.atomic():
            if not queue.beat(self._fence, progress=self._progress, lines=self.unsaid):
                raise Late(NOT_MINE)
            yield
        self.unsaid = self.unsaid[said:]

    def keep(self, facts: dict[str, Any]) -> None:
        self.kept = {**self.kept, **facts}
        self._fence.row().update(facts={KEPT: clean_json(self.kept)})

    def progress(self, fraction: float, message: str = "") -> None:
        self._progress = (min(max(float(fraction), 0.0), 1.0), message)

    def log(self, message: str, level: str = "info") -> None:
        self.unsaid.append(Line(time.time(), level, message))

    def _heed(self) -> None:
        standing = queue.look(self._fence)
        if not standing.mine:
            raise Late(NOT_MINE)
        if standing.cancel:
            raise Interrupted(Ending(ErrorKind.CANCELLED, "cancelled"))
        if self._stopping.is_set():
            text = "Handed back by a worker that was told to stop."
            raise Interrupted(Ending(ErrorKind.RELEASED, text, again=True))
        if time.monotonic() > self._deadline:
            raise Interrupted(Ending(ErrorKind.TIMEOUT, "Took longer than its time limit."))
