"""What a person keeps about lists: saved filters and the choice of columns."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404
from django.utils.http import url_has_allowed_host_and_scheme
from django.views import View

from mpc.ui import access
from mpc.ui.models import SavedFilter
from mpc.ui.views.base import PolicyMixin

LONGEST_QUERY = 4000


def _back(request: HttpRequest, query: str | None = None) -> HttpResponse:
    """To the list that the form came from; an address outside the site leads home."""
    place = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(
        place, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        place = "/"
    if query is not None:
        place = f"{place.partition('?')[0]}?{query}"
    return HttpResponseRedirect(place)


class SaveFilter(PolicyMixin, View):
    """Keep the filters of a list under a name; the same name again replaces them."""

    policy_action = "accounts.self"
    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        list_name = request.POST.get("list_name", "")[:80]
        name = " ".join(request.POST.get("name", "").split())[:80]
        query = QueryDict(request.POST.get("query", "")).urlencode()
        if not list_name or not name or len(query) > LONGEST_QUERY or "\x00" in f"{list_name}{name}" or "%00" in query:
            raise BadRequest("a saved filter needs a list, a name and a query of at most 4000 characters")
        kept = {"query": query, "shared": bool(request.POST.get("shared"))}
        with transaction.atomic():
            saved, _ = SavedFilter.objects.update_or_create(
                user=request.user, list_name=list_name, name=name, defaults=kept
            )
            access.record(request.user, "ui.filter_save", saved, after={"list": list_name, **kept})
        messages.success(request, f"Filter “{name}” saved.")
        return _back(request, query)


class DeleteFilter(PolicyMixin, View):
    """Drop a saved filter; only its owner may."""

    policy_action = "accounts.self"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        found = get_object_or_404(SavedFilter, pk=pk)
        if found.user_id != request.user.pk:
            raise PermissionDenied(f"The filter “{found.name}” belongs to {found.user}; only they can delete it.")
        with transaction.atomic():
            kept = {"list": found.list_name, "query": found.query, "shared": found.shared}
            access.record(request.user, "ui.filter_delete", found, before=kept)
            found.delete()
        messages.success(request, f"Filter “{found.name}” deleted.")
        return _back(request)


class ChooseColumns(PolicyMixin, View):
    """Remember in the session which columns of a list to show; none ticked brings back the usual ones."""

    policy_action = "accounts.self"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, *args: Any) -> HttpResponse:
        list_name = request.POST.get("list_name", "")[:80]
        chosen = request.session.get("list_columns", {})
        names = [name[:80] for name in request.POST.getlist("column")][:100]
        if names and "usual" not in request.POST:
            chosen[list_name] = names
        else:
            chosen.pop(list_name, None)
        request.session["list_columns"] = chosen
        return _back(request)
