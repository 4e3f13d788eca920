"""System checks of the registries: a wrong entry is found when the site starts, not when somebody opens a page."""

from __future__ import annotations

from typing import Any

from django.core.checks import Error, register
from django.urls import NoReverseMatch, reverse

from mpc.ui import navigation


@register()
def navigation_leads_somewhere(app_configs: Any, **kwargs: Any) -> list[Error]:
    """Every entry of the navigation names an address that exists and needs no arguments (ui.E002)."""
    found: list[Error] = []
    for entry in navigation.entries():
        try:
            reverse(entry.url_name)
        except NoReverseMatch as problem:
            found.append(Error(f"navigation entry {entry.title!r}: {problem}", id="ui.E002"))
    return found
