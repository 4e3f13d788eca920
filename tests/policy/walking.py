"""Goes over every address of the site: what it is called, what it answers, and an example that leads to it."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, resolve, reverse
from django.utils.regex_helper import normalize

from mpc.accounts import declarations
from mpc.ui.views import ListPage

# Values for the parts of an address; the first that fits its pattern is taken.
SAMPLES = ("1", "x", "0" * 32, str(uuid.UUID(int=1)), "2026-01-01", "S2A", "B02", "csv", "1-x")
NOTHING_KNOWN: Mapping[str, Any] = {}
ASKED = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Address:
    """One pattern of the site: ``names`` are the namespaces and the name, ``parts`` what its address takes."""

    route: str
    view_name: str
    view: Callable
    parts: tuple[str, ...]

    @property
    def view_class(self) -> type | None:
        return getattr(self.view, "cls", None) or getattr(self.view, "view_class", None)

    @property
    def is_list(self) -> bool:
        """Whether it exports CSV and JSON."""
        return self.view_class is not None and issubclass(self.view_class, ListPage)

    @property
    def methods(self) -> tuple[str, ...]:
        """The HTTP methods that the view answers."""
        actions = getattr(self.view, "actions", None)
        if actions:
            return tuple(method for method in ASKED if method in actions)
        view_class = self.view_class
        if view_class is None:
            return ("get", "post")
        return tuple(m for m in ASKED if m in view_class.http_method_names and hasattr(view_class, m))

    def example(self, known: Mapping[str, Any] = NOTHING_KNOWN) -> str:
        """An address that leads to the view; ``known`` gives values of its parts where there are rows."""
        choices = [(known[part],) if part in known else SAMPLES for part in self.parts]
        for values in itertools.product(*choices):
            try:
                found = reverse(self.view_name, kwargs=dict(zip(self.parts, values, strict=True)))
            except NoReverseMatch:
                continue
            if resolve(found).func is self.view:
                return found
        raise AssertionError(f"no example address for {self.route} ({self.view_name}): add a value to SAMPLES")


def addresses(patterns: list | None = None, route: str = "", names: tuple[str, ...] = ()) -> Iterator[Address]:
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        here = route + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inside = (*names, pattern.namespace) if pattern.namespace else names
            yield from addresses(pattern.url_patterns, here, inside)
        elif isinstance(pattern, URLPattern):
            parts = tuple(normalize(str(pattern.pattern.regex.pattern).replace(r"\Z", "$"))[0][1])
            yield Address(here, ":".join((*names, pattern.name or "")), pattern.callback, parts)


def declared(address: Address) -> declarations.Declaration:
    return declarations.declaration_of(address.view, address.view_name)


def closed_addresses() -> list[Address]:
    return [address for address in addresses() if not (declared(address).public or declared(address).unused)]
