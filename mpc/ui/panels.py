"""Registry of panels: what other apps add to the page of an object, found by the object's kind.

::

    register_panel("products.product", 20, "Quality control", "qc/panels/verdict.html", verdict_panel, action="qc.view")

The template is the inside of a card (its head with the title is drawn around it); the function takes the request and
the object and hands back the context, or None when the panel has nothing to say about this object. ``"head_link"`` in
the context, a pair (text, url), becomes the link at the right of the card's head.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.safestring import SafeString

from mpc.ui import access, parts

PanelContext = Callable[[HttpRequest, Any], dict[str, Any] | None]


@dataclass(frozen=True)
class Panel:
    kind: str
    order: int
    title: str
    template: str
    context: PanelContext
    action: str
    side: bool


@dataclass(frozen=True)
class DrawnPanel:
    """A panel ready for the page; ``side`` puts it in the narrow column."""

    title: str
    side: bool
    html: SafeString


_panels: dict[tuple[str, str], Panel] = {}


def register_panel(
    kind: str,
    order: int,
    title: str,
    template: str,
    context_function: PanelContext,
    action: str = "products.view",
    side: bool = False,
) -> None:
    """Add a panel to the pages of a kind ("products.product"); the same template again replaces it."""
    _panels[(kind, template)] = Panel(kind, order, title, template, context_function, action, side)


def panels_for(request: HttpRequest, kind: str, obj: Any) -> list[DrawnPanel]:
    """The panels that one person sees on the page of ``obj``, drawn, in order."""
    drawn: list[DrawnPanel] = []
    of_kind = [panel for panel in _panels.values() if panel.kind == kind]
    for panel in sorted(of_kind, key=lambda p: (p.order, p.title)):
        if not access.allowed(request.user, panel.action, obj):
            continue
        html = parts.draw(
            panel.title,
            "partials/panel.html",
            lambda panel=panel: _context(panel, request, obj),
            request,
        )
        if html is not None:
            drawn.append(DrawnPanel(panel.title, panel.side, html))
    return drawn


def _context(panel: Panel, request: HttpRequest, obj: Any) -> dict[str, Any] | None:
    values = panel.context(request, obj)
    return None if values is None else {"object": obj, "panel_template": panel.template, **values, "title": panel.title}
