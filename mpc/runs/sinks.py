"""Where higher rooms hang on to take what finished runs found out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mpc.jobs import Outcome

Sink = Callable[[Any, Outcome], None]
_sinks: list[Sink] = []


def register_sink(sink: Sink) -> Sink:
    """Call ``sink(run, outcome)`` in the transaction that closes each successful run, after the job's ``finish``.

    What it raises undoes the whole transaction and fails the run. It does no input or output beside the database.
    """
    if sink not in _sinks:
        _sinks.append(sink)
    return sink


def all_sinks() -> tuple[Sink, ...]:
    return tuple(_sinks)
