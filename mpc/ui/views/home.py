"""Today (the home page) and the search page."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from mpc.ui import cards, headlines
from mpc.ui.search import search
from mpc.ui.views.base import Page


class HomePage(Page):
    """What happened of late: the cards that the apps registered, and one line that sums it up."""

    policy_action = "accounts.self"
    template_name = "ui/home.html"
    title = "Today"

    def get_subtitle(self) -> str:
        return headlines.headline_for(self.request)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        drawn = cards.cards_for(self.request)
        return super().get_context_data(
            blocks=cards.blocks_of(drawn), buttons=headlines.buttons_for(self.request), **kwargs
        )


class SearchPage(Page):
    """Everything that matches ``q``, by kind; the full name of one thing leads straight to it."""

    policy_action = "accounts.self"
    template_name = "ui/search.html"
    title = "Search"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        query = request.GET.get("q", "").strip()
        groups = search(request.user, query)
        hits = [hit for group in groups for hit in group.hits]
        if len(hits) == 1 and hits[0].title.casefold() == query.casefold():
            return HttpResponseRedirect(hits[0].url)
        return self.render_to_response(self.get_context_data(query=query, groups=groups, count=len(hits)))
