"""Registry of what the home page says of each satellite, the units side by side.

An app registers in ``AppConfig.ready``::

    register_unit_part(10, arrivals_of_units, action="products.view")

where ``arrivals_of_units(request)`` hands back a :class:`UnitPart` by the name of the unit; "" stands for what concerns
all of them. A card shows the gravest sign of all parts in its head, then the figures, then the lines in their order.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.http import HttpRequest

from mpc.ui import access

logger = logging.getLogger(__name__)

# How grave a sign is: the gravest stands in the head of the card.
CALM, UNKNOWN, WAITING, WATCH, WRONG, GRAVE = range(6)


@dataclass(frozen=True)
class UnitText:
    """Some words; ``url`` leads to what they speak of."""

    text: str
    url: str = ""


@dataclass(frozen=True)
class UnitSign:
    """A status word with its label; ``grave`` is one of the constants of this module."""

    grave: int
    word: str
    label: str
    url: str = ""


@dataclass(frozen=True)
class UnitFigure:
    """A large number and what it counts."""

    number: int
    words: str
    url: str = ""


@dataclass(frozen=True)
class UnitLine:
    title: str
    parts: tuple[UnitText, ...]


@dataclass(frozen=True)
class UnitPart:
    """What one app says of one unit."""

    sign: UnitSign | None = None
    figure: UnitFigure | None = None
    lines: tuple[UnitLine, ...] = ()


@dataclass(frozen=True)
class UnitCard:
    """All that is said of one unit; ``unit`` is empty for what concerns all."""

    unit: str
    sign: UnitSign | None
    figures: tuple[UnitFigure, ...]
    lines: tuple[UnitLine, ...]


Parts = Callable[[HttpRequest], Mapping[str, UnitPart]]


@dataclass(frozen=True)
class _Entry:
    order: int
    parts: Parts
    action: str


_parts: dict[str, _Entry] = {}


def register_unit_part(order: int, parts: Parts, action: str = "products.view") -> None:
    """Say something of each unit to those who may do ``action``; the same function again replaces it."""
    _parts[f"{parts.__module__}.{parts.__qualname__}"] = _Entry(order, parts, action)


def unit_cards(request: HttpRequest) -> tuple[list[UnitCard], list[str]]:
    """The cards of one person, what concerns all units last; and an id for each part that could not be drawn."""
    said: list[Mapping[str, UnitPart]] = []
    broken: list[str] = []
    for entry in sorted(_parts.values(), key=lambda e: e.order):
        if not access.allowed(request.user, entry.action):
            continue
        try:
            said.append(entry.parts(request))
        except Exception:
            error_id = uuid.uuid4().hex[:12]
            logger.exception("units on the home page: %s failed, id %s", entry.parts.__qualname__, error_id)
            broken.append(error_id)
    units = sorted({unit for parts in said for unit in parts}, key=lambda unit: (not unit, unit))
    return [_card(unit, [parts[unit] for parts in said if unit in parts]) for unit in units], broken


def _card(unit: str, parts: list[UnitPart]) -> UnitCard:
    signs = [part.sign for part in parts if part.sign is not None]
    return UnitCard(
        unit=unit,
        sign=max(signs, key=lambda sign: sign.grave, default=None),
        figures=tuple(part.figure for part in parts if part.figure is not None),
        lines=tuple(line for part in parts for line in part.lines),
    )


def units_card(request: HttpRequest) -> dict[str, object] | None:
    """On the home page; None where nobody says anything of any unit."""
    cards, broken = unit_cards(request)
    return {"cards": cards, "broken": broken} if cards or broken else None
