"""Who contributes to the digest. A higher room adds its section in ``AppConfig.ready``::

    register_section(25, "checks", "Checks that failed", checks_of_the_day)

where ``checks_of_the_day(day) -> Section`` reads what happened on that UTC day.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from mpc.monitoring.digests.content import Day, Section

logger = logging.getLogger(__name__)

Gather = Callable[[Day], Section]


@dataclass(frozen=True)
class _Entry:
    order: int
    key: str
    title: str
    gather: Gather


_sections: dict[str, _Entry] = {}


def register_section(order: int, key: str, title: str, gather: Gather) -> None:
    """Add a section; the same key again replaces it."""
    _sections[key] = _Entry(order, key, title, gather)


def gather_all(day: Day) -> list[Section]:
    """Every section of the day. One that cannot be gathered says so with an id; the log holds the cause."""
    return [_gathered(entry, day) for entry in sorted(_sections.values(), key=lambda e: (e.order, e.key))]


def _gathered(entry: _Entry, day: Day) -> Section:
    try:
        return entry.gather(day)
    except Exception:
        error_id = uuid.uuid4().hex[:12]
        logger.exception("digest of %s: section %s could not be gathered, id %s", day.date, entry.key, error_id)
        gap = f"This could not be gathered; the centre's log says why under {error_id}."
        return Section(entry.key, entry.title, "error", "could not be gathered", gaps=(gap,))
