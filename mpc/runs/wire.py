"""How a supervisor and its child talk: pickled messages over two pipes, each behind its length. No Django here.

    supervisor -> child    Order
    child -> supervisor    Progress, Line, then one of Done, Failed, Stopped

Pickle is safe here: both ends are our own processes and nobody else holds the pipes.
"""

from __future__ import annotations

import pickle
import struct
from dataclasses import dataclass, field
from typing import Any

from mpc.jobs.job import Inputs

_LENGTH = struct.Struct(">Q")


@dataclass(frozen=True)
class Usage:
    """What an attempt took: CPU seconds of the child and its own children, peak resident memory in MB."""

    cpu_s: float | None = None
    peak_rss_mb: float | None = None


@dataclass(frozen=True)
class Order:
    """Do this. ``work`` is ``package.module:function``; files go below ``workdir``."""

    work: str
    params: Any
    inputs: Inputs
    workdir: str


@dataclass(frozen=True)
class Progress:
    fraction: float
    message: str


@dataclass(frozen=True)
class Line:
    at: float
    level: str
    text: str


@dataclass(frozen=True)
class KeptFile:
    """An artifact that is on the disk for good; ``path`` is relative to the attempt's folder, ``size`` in bytes."""

    name: str
    path: str
    media_type: str
    title: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Done:
    """``outcome`` is a pickled Outcome, so that one that cannot be read spoils nothing but itself."""

    outcome: bytes
    files: tuple[KeptFile, ...]
    usage: Usage


@dataclass(frozen=True)
class Failed:
    """``kind`` is hopeless, passing, error, memory or results; ``text`` is for people, ``trace`` for the log."""

    kind: str
    text: str
    trace: str
    usage: Usage


@dataclass(frozen=True)
class Stopped:
    """The work heeded the stop sign."""

    usage: Usage


Message = Order | Progress | Line | Done | Failed | Stopped


def pack(message: Message) -> bytes:
    body = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(body)) + body


def unpack(body: bytes) -> Any:
    return pickle.loads(body)  # noqa: S301 - see the module's text


@dataclass
class Inbox:
    """Puts messages together from whatever pieces a pipe gives; a torn last piece stays inside and harms nobody."""

    buffer: bytearray = field(default_factory=bytearray)

    def feed(self, piece: bytes) -> list[bytes]:
        """Add what was read; hands back the bodies that are complete now."""
        self.buffer += piece
        bodies = []
        start = 0
        while len(self.buffer) - start >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self.buffer, start)
            end = start + _LENGTH.size + length
            if len(self.buffer) < end:
                break
            bodies.append(bytes(self.buffer[start + _LENGTH.size : end]))
            start = end
        if start:
            del self.buffer[:start]
        return bodies
