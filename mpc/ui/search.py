"""Registry of what the search box looks through.

::

    register_search("Products", search_products, order=10, action="products.view")

where ``search_products(user, query, limit)`` hands back at most ``limit`` hits, best first, with a number of SQL
queries that does not depend on the hits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mpc.ui import access


@dataclass(frozen=True)
class SearchHit:
    """One thing found: ``title`` is its id or name, ``subtitle`` tells it from its neighbours, ``kind`` is its noun."""

    title: str
    subtitle: str
    url: str
    kind: str


@dataclass(frozen=True)
class SearchGroup:
    """The hits of one registered search; ``more`` when it found more than are shown."""

    title: str
    hits: tuple[SearchHit, ...]
    more: bool


SearchFunction = Callable[[Any, str, int], Sequence[SearchHit]]


@dataclass(frozen=True)
class _Search:
    title: str
    function: SearchFunction
    order: int
    action: str


_searches: dict[str, _Search] = {}


def register_search(title: str, function: SearchFunction, order: int = 100, action: str = "products.view") -> None:
    """Let the search box look through one more kind of thing; the same title again replaces it."""
    _searches[title] = _Search(title, function, order, action)


def search_titles(user: Any) -> list[str]:
    """What this person's search looks through, for the hint in the box."""
    return [s.title for s in _ordered() if access.allowed(user, s.action)]


def search(user: Any, query: str, limit: int = 20) -> list[SearchGroup]:
    """Ask every search that ``user`` may use; groups without a hit are left out."""
    text = query.strip()
    if not text:
        return []
    groups: list[SearchGroup] = []
    for entry in _ordered():
        if not access.allowed(user, entry.action):
            continue
        hits = list(entry.function(user, text, limit + 1))
        if hits:
            groups.append(SearchGroup(entry.title, tuple(hits[:limit]), len(hits) > limit))
    return groups


def _ordered() -> list[_Search]:
    return sorted(_searches.values(), key=lambda s: (s.order, s.title))
