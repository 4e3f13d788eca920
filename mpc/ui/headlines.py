"""Registry of what stands under the title of the home page: since when, how much came, what waits.

An app registers in ``AppConfig.ready``::

    register_headline(10, arrivals_headline, action="products.view")

where ``arrivals_headline(request)`` hands back a few words, "" for nothing to say. They stand in one line. Beside them
stand the buttons that lead on from there::

    register_home_button(10, triage_button, action="monitoring.view")

where ``triage_button(request)`` hands back a :class:`HomeButton`, or None for none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest

from mpc.ui import access

Words = Callable[[HttpRequest], str]


@dataclass(frozen=True)
class _Headline:
    order: int
    words: Words
    action: str


@dataclass(frozen=True)
class HomeButton:
    """A button at the head of the home page; ``key`` presses it. One of them all is the ``main`` one."""

    title: str
    url: str
    main: bool = False
    key: str = ""


Button = Callable[[HttpRequest], HomeButton | None]


@dataclass(frozen=True)
class _Button:
    order: int
    button: Button
    action: str


_headlines: dict[str, _Headline] = {}
_buttons: dict[str, _Button] = {}


def register_headline(order: int, words: Words, action: str = "products.view") -> None:
    """Add words to the line under "Today" for those who may do ``action``; the same function again replaces it."""
    _headlines[f"{words.__module__}.{words.__qualname__}"] = _Headline(order, words, action)


def headline_for(request: HttpRequest) -> str:
    """The line of one person."""
    own = sorted((h for h in _headlines.values() if access.allowed(request.user, h.action)), key=lambda h: h.order)
    return " · ".join(text for text in (headline.words(request) for headline in own) if text)


def register_home_button(order: int, button: Button, action: str = "products.view") -> None:
    """Offer a way on from the home page to those who may do ``action``; the same function again replaces it."""
    _buttons[f"{button.__module__}.{button.__qualname__}"] = _Button(order, button, action)


def buttons_for(request: HttpRequest) -> list[HomeButton]:
    """The buttons of one person, in order."""
    own = sorted((b for b in _buttons.values() if access.allowed(request.user, b.action)), key=lambda b: b.order)
    return [found for found in (b.button(request) for b in own) if found is not None]
