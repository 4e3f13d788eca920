"""Registry of the site's navigation: one column with the sections Watch, Act and Tell, the top entries above them.

An app registers its pages in ``AppConfig.ready``::

    register_nav("Watch", "Products", "products:list", order=10, action="products.view", key="p")
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from mpc.ui import access

logger = logging.getLogger(__name__)

SECTIONS = ("top", "Watch", "Act", "Tell")
Badge = Callable[[HttpRequest], int | None]


@dataclass(frozen=True)
class NavEntry:
    """A page in the navigation; ``key`` is the letter that follows ``g`` on the keyboard."""

    section: str
    title: str
    url_name: str
    order: int
    action: str
    key: str = ""
    badge: Badge | None = None
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class NavLink:
    """An entry as one person sees it on one page."""

    title: str
    url: str
    key: str
    badge: int | None
    current: bool


@dataclass(frozen=True)
class NavSection:
    """A heading of the column ("" for the entries on top) and its links."""

    title: str
    links: tuple[NavLink, ...]


_entries: dict[tuple[str, str], NavEntry] = {}


def register_nav(
    section: str,
    title: str,
    url_name: str,
    order: int = 100,
    action: str = "products.view",
    key: str = "",
    badge: Badge | None = None,
    also: tuple[str, ...] = (),
) -> None:
    """Show a page in the navigation to those who may do ``action``.

    ``badge(request)`` gives the small number beside the title (None or 0: no number); it runs on every page and may
    ask the database once. ``also`` names pages that belong to it and stand elsewhere among the addresses.
    Registering the same page again replaces it. Raises ValueError for an unknown section or a
    letter that another page has taken.
    """
    if section not in SECTIONS:
        raise ValueError(f"{title}: section {section!r} is none of {', '.join(SECTIONS)}")
    for other in _entries.values():
        if key and other.key == key and (other.section, other.url_name) != (section, url_name):
            raise ValueError(f"{title}: the letter {key!r} already leads to {other.title}")
    _entries[(section, url_name)] = NavEntry(section, title, url_name, order, action, key, badge, also)


def entries() -> list[NavEntry]:
    """All registered entries, in the order of the column."""
    return sorted(_entries.values(), key=lambda e: (SECTIONS.index(e.section), e.order, e.title))


def sections_for(request: HttpRequest) -> list[NavSection]:
    """The column of one person: entries that they may open, the deepest one that holds this page marked current."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return []
    open_to_user: list[tuple[NavEntry, str]] = []
    places: dict[str, str] = {}
    for entry in entries():
        if not access.allowed(user, entry.action):
            continue
        try:
            url = reverse(entry.url_name)
            places |= dict.fromkeys((url, *map(reverse, entry.also)), url)
            open_to_user.append((entry, url))
        except NoReverseMatch:  # the system check ui.E002 reports it; a wrong entry must not take every page down
            logger.error("navigation entry %r: no address named %r", entry.title, entry.url_name)
    here = places.get(_deepest(list(places), request.path) or "")
    found: list[NavSection] = []
    for section in SECTIONS:
        links = tuple(
            NavLink(e.title, url, e.key, e.badge(request) if e.badge else None, url == here)
            for e, url in open_to_user
            if e.section == section
        )
        if links:
            found.append(NavSection("" if section == "top" else section, links))
    return found


def _deepest(urls: list[str], path: str) -> str | None:
    holding = [url for url in urls if path == url or (url != "/" and path.startswith(url.rstrip("/") + "/"))]
    return max(holding, key=len, default=None)
