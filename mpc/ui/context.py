"""Context processor of the layout: everything that ``base.html`` shows, worked out only when it is shown."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.http import HttpRequest

from mpc.ui import access, navigation, search


class Layout:
    """What the frame of a page needs to know about the person who looks at it."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @cached_property
    def signed_in(self) -> bool:
        user = getattr(self._request, "user", None)
        return bool(user is not None and user.is_authenticated)

    @cached_property
    def sections(self) -> list[navigation.NavSection]:
        return navigation.sections_for(self._request)

    @cached_property
    def search_hint(self) -> str:
        titles = [title.lower() for title in search.search_titles(self._request.user)] if self.signed_in else []
        return f"Search {', '.join(titles)}" if titles else "Search"

    @cached_property
    def user_name(self) -> str:
        user = self._request.user
        return user.get_full_name() or user.get_username()

    @cached_property
    def roles(self) -> list[str]:
        return access.roles(self._request.user)

    @cached_property
    def request_id(self) -> str:
        """The id to quote when something went wrong; "" when no middleware numbers the requests."""
        return str(getattr(self._request, "request_id", ""))


def layout(request: HttpRequest) -> dict[str, Any]:
    return {"layout": Layout(request)}
