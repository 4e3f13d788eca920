"""Registry of the cards on the home page ("Today").

An app registers in ``AppConfig.ready``::

    register_card(20, "runs/cards/running.html", running_card, action="runs.view", title="Running", width="third")

The template is a whole ``<section class="card">``; its function takes the request and hands back the context, or None
when there is nothing to show.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.safestring import SafeString

from mpc.ui import access, parts

# Two thirds open two columns: they and the next of their kind on the left, smaller ones after them on the right.
WIDTHS = ("third", "half", "two-thirds", "full")
CardContext = Callable[[HttpRequest], dict[str, Any] | None]


@dataclass(frozen=True)
class Card:
    order: int
    template: str
    context: CardContext
    action: str
    title: str
    width: str


@dataclass(frozen=True)
class DrawnCard:
    """A card ready for the page: its share of the width, its HTML, and its place where all stand in one column."""

    width: str
    html: SafeString
    place: int = 0


@dataclass(frozen=True)
class CardBlock:
    """A stretch of the home page: ``cards`` side by side, or two columns ``main`` and ``side``."""

    cards: tuple[DrawnCard, ...] = ()
    main: tuple[DrawnCard, ...] = ()
    side: tuple[DrawnCard, ...] = ()


_cards: dict[str, Card] = {}


def register_card(
    order: int,
    template: str,
    context_function: CardContext,
    action: str = "products.view",
    title: str = "",
    width: str = "third",
) -> None:
    """Put a card on the home page of those who may do ``action``; the same template again replaces it."""
    if width not in WIDTHS:
        raise ValueError(f"card {template}: width {width!r} is none of {', '.join(WIDTHS)}")
    _cards[template] = Card(order, template, context_function, action, title, width)


def cards_for(request: HttpRequest) -> list[DrawnCard]:
    """The cards of one person, drawn, in order."""
    drawn: list[DrawnCard] = []
    for card in sorted(_cards.values(), key=lambda c: (c.order, c.template)):
        if not access.allowed(request.user, card.action):
            continue
        html = parts.draw(card.title or card.template, card.template, lambda card=card: card.context(request), request)
        if html is not None:
            drawn.append(DrawnCard(card.width, html, len(drawn)))
    return drawn


def blocks_of(drawn: list[DrawnCard]) -> list[CardBlock]:
    """Cards in the order given, laid out in stretches without holes."""
    blocks: list[CardBlock] = []
    row: list[DrawnCard] = []
    main: list[DrawnCard] = []
    side: list[DrawnCard] = []

    def close() -> None:
        if row:
            blocks.append(CardBlock(cards=tuple(row)))
        if main:
            blocks.append(CardBlock(main=tuple(main), side=tuple(side)))
        for part in (row, main, side):
            part.clear()

    for card in drawn:
        if card.width == "two-thirds":
            if row:
                close()
            main.append(card)
        elif card.width in ("third", "half") and main:
            side.append(card)
        else:
            if main:
                close()
            row.append(card)
    close()
    return blocks
