"""Registry of what stands under the title of the home page: since when, how much came, what waits.

An app registers in ``AppConfig.ready``::

    register_headline(10, arrivals_headline, action="products.view")

where ``arrivals_headline(request)`` hands back a few words, "" for nothing to say. They stand in one line.
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


_headlines: dict[str, _Headline] = {}


def register_headline(order: int, words: Words, action: str = "products.view") -> None:
    """Add words to the line under "Today" for those who may do ``action``; the same function again replaces it."""
    _headlines[f"{words.__module__}.{words.__qualname__}"] = _Headline(order, words, action)


def headline_for(request: HttpRequest) -> str:
    """The line of one person."""
    own = sorted((h for h in _headlines.values() if access.allowed(request.user, h.action)), key=lambda h: h.order)
    return " · ".join(text for text in (headline.words(request) for headline in own) if text)
