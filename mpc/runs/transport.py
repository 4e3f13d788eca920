"""The bell on files: a kombu transport for one machine, without any service.

    <folder>/<queue>/<time>-<unique>.msg     one message a file; a listing in order of names is in order of time

Kombu's own filesystem transport shows a file before it is written, and a file that is empty, torn or no message then
raises out of the worker's loop and stops it. Its names count from the boot, so that messages of today may sort before
those of yesterday. Here a message is written aside and renamed, whoever removes its file first has it, and what cannot
be read is removed and logged.

A worker that dies between removing a file and doing what it says loses a ring; the sweeper rings again.
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
import uuid
from pathlib import Path
from queue import Empty
from typing import Any
from urllib.parse import quote

from kombu.transport import virtual
from kombu.utils.json import dumps, loads

logger = logging.getLogger(__name__)

SUFFIX = ".msg"
# A queue that holds so many rings already needs no further one: each wakes a worker that then takes all there is.
RINGS_ENOUGH = 64


class Channel(virtual.Channel):
    @property
    def folder(self) -> Path:
        return Path(self.connection.client.transport_options["folder"])

    def _place(self, queue: str) -> Path:
        return self.folder / quote(queue, safe="")

    def _names(self, queue: str) -> list[str]:
        try:
            return sorted(name for name in os.listdir(self._place(queue)) if name.endswith(SUFFIX))
        except FileNotFoundError:
            return []

    def _put(self, queue: str, message: dict[str, Any], **_: Any) -> None:
        headers = message.get("headers") or {}
        if "mpc-bell" in headers and len(self._names(queue)) >= RINGS_ENOUGH:
            return
        place = self._place(queue)
        place.mkdir(parents=True, exist_ok=True)
        name = f"{time.time_ns():020d}-{uuid.uuid4().hex}"
        aside = place / f"{name}.aside"
        aside.write_text(dumps(message), encoding="utf-8")
        aside.rename(place / f"{name}{SUFFIX}")

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        for name in self._names(queue):
            message = self._take(self._place(queue) / name)
            if message is not None:
                return message
        raise Empty

    def _take(self, path: Path) -> dict[str, Any] | None:
        """The message of a file that is ours now; None when another took it or it is no message."""
        try:
            text = path.read_bytes()
            path.unlink()
        except FileNotFoundError:
            return None
        except OSError as error:
            logger.warning("bell: %s cannot be read (%s) and is left where it is", path.name, error)
            return None
        try:
            message = loads(text.decode("utf-8"))
            # The worker's loop builds this object from the message and would end on what it cannot build.
            self.Message(message, channel=self)
        except Exception as error:
            logger.warning("bell: %s is no message (%s: %s) and was removed", path.name, type(error).__name__, error)
            return None
        return message

    def _size(self, queue: str) -> int:
        return len(self._names(queue))

    def _purge(self, queue: str) -> int:
        removed = 0
        for name in self._names(queue):
            with contextlib.suppress(FileNotFoundError):
                (self._place(queue) / name).unlink()
                removed += 1
        return removed

    def _delete(self, queue: str, *_: Any, **__: Any) -> None:
        self._purge(queue)

    def _has_queue(self, queue: str, **_: Any) -> bool:
        return True


class Transport(virtual.Transport):
    Channel = Channel

    polling_interval = 0.1
    default_port = 0
    driver_type = "mpcfiles"
    driver_name = "mpcfiles"
    # Queues are folders and bindings are the same in every process, so they may live in each process's memory.
    global_state = virtual.BrokerState()

    def __init__(self, client: Any, **options: Any) -> None:
        super().__init__(client, **options)
        self.state = self.global_state

    def driver_version(self) -> str:
        return "1"
