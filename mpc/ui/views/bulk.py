"""Doing something to many rows of a list: what was ticked or filtered is stored, counted, confirmed and done."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import transaction
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views import View

from mpc.jobs import request_work
from mpc.ui import access, bulk
from mpc.ui.filters import chips_of
from mpc.ui.models import BulkRequest
from mpc.ui.views.base import Page, PolicyMixin
from mpc.ui.views.personal import LONGEST_QUERY, _back

SHOWN = 8
"""Objects that the page of the question names."""


class AskBulk(PolicyMixin, View):
    """Takes what a list sends: an action, and ticked rows or ``whole`` with the list's filter."""

    policy_action = "accounts.self"
    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        of = bulk.bulk_list(request.POST.get("kind", ""))
        action = of.action(request.POST.get("action", "")) if of else None
        if of is None or action is None:
            raise BadRequest("no list of that kind, or it has no such action")
        _require(request.user, action)
        asked = self.stored(request, of, action)
        if asked is None:
            messages.warning(request, "Tick some rows first, or choose all that match.")
            return _back(request)
        if asked.keys and not action.needs_values:
            return _do_ticked(request, asked, of, action)
        return HttpResponseRedirect(reverse("bulk-confirm", args=[asked.pk]))

    def stored(self, request: HttpRequest, of: bulk.BulkList, action: bulk.BulkAction) -> BulkRequest | None:
        whole = bool(request.POST.get("whole"))
        keys = [] if whole else sorted({int(k) for k in request.POST.getlist("key") if k.isdecimal() and len(k) < 19})
        query = QueryDict(request.POST.get("query", "")).urlencode() if whole else ""
        if len(query) > LONGEST_QUERY or "%00" in query:
            raise BadRequest("a filter has at most 4000 characters and holds no NUL")
        if not whole and not keys:
            return None
        if len(keys) > bulk.TICKED_MAX:
            raise BadRequest(f"at most {bulk.TICKED_MAX} rows can be ticked; choose all that match")
        newest = bulk.newest_key(of, request.user) if whole else 0
        return BulkRequest.objects.create(
            user=request.user, kind=of.kind, action=action.name, query=query, keys=keys, newest=newest
        )


class ConfirmBulk(Page):
    """Asks before it is done: how many, which, with what."""

    policy_action = "accounts.self"
    template_name = "ui/bulk_confirm.html"
    http_method_names = ["get", "head", "post"]

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.form: Form | None = None
        self.note = ""

    def load(self) -> None:
        self.asked = get_object_or_404(BulkRequest, pk=self.kwargs["pk"], user=self.request.user)
        of = bulk.bulk_list(self.asked.kind)
        action = of.action(self.asked.action) if of else None
        if of is None or action is None:
            raise Http404("this version does not know what was asked for")
        self.of, self.action = of, action
        _require(self.request.user, action)
        try:
            self.rows = bulk.meant(self.asked, of)
        except bulk.UnfitFilter as why:
            raise BadRequest(str(why)) from why

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.load()
        return super().get(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.load()
        form = self.form = self.action.form(request.POST)
        count = self.rows.count()
        if request.POST.get("count") != str(count):
            self.note = f"It is {count} now. Look again before you confirm."
        if not form.is_valid() or self.note or not count:
            return self.render_to_response(self.get_context_data(**kwargs), status=422)
        values = dict(form.cleaned_data)
        with transaction.atomic():
            fresh = BulkRequest.objects.filter(pk=self.asked.pk, confirmed_at=None)
            if not fresh.update(confirmed_at=timezone.now(), values=values, count=count):
                messages.info(request, "That was confirmed before; it is not done a second time.")
                return HttpResponseRedirect(reverse(self.of.url_name))
            self.asked.refresh_from_db()
            _record(request.user, self.asked, count)
            if not self.asked.keys:
                run = request_work(
                    self.asked.kind, actor=request.user, params={"request": self.asked.pk}, trigger="user"
                )
        if self.asked.keys:
            return _told(request, bulk.do_now(self.asked, self.of, self.action), self.of, self.action, self.asked)
        return HttpResponseRedirect(run.get_absolute_url())

    def get_title(self) -> str:
        return f"{self.action.title.rstrip('…')}: {self.rows.count()} {self.of.title}?"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        count = self.rows.count()
        filterset = self.of.filterset_class(
            self.asked.params(), queryset=self.rows.model._default_manager.none(),
            **self.of.filter_kwargs(self.request.user),
        )  # fmt: skip
        query = self.asked.query
        return super().get_context_data(
            asked=self.asked,
            of=self.of,
            action=self.action,
            word=self.action.title.rstrip("…"),
            count=count,
            examples=list(self.rows[:SHOWN]),
            more=max(count - SHOWN, 0),
            chips=chips_of(filterset, self.asked.params()) if query else [],
            form=self.form or self.action.form(),
            note=self.note,
            back=f"{reverse(self.of.url_name)}?{query}" if query else reverse(self.of.url_name),
            **kwargs,
        )


def _require(user: Any, action: bulk.BulkAction) -> None:
    if not access.could(user, action.policy):
        raise PermissionDenied(access.reason(user, action.policy))


def _record(user: Any, asked: BulkRequest, count: int) -> None:
    meant = {"keys": asked.keys} if asked.keys else {"filter": asked.query}
    access.record(user, "ui.bulk", asked, after={"list": asked.kind, "count": count, "values": asked.values, **meant})


def _do_ticked(request: HttpRequest, asked: BulkRequest, of: bulk.BulkList, action: bulk.BulkAction) -> HttpResponse:
    with transaction.atomic():
        asked.confirmed_at, asked.count = timezone.now(), len(asked.keys)
        asked.save(update_fields=["confirmed_at", "count"])
        _record(request.user, asked, asked.count)
    return _told(request, bulk.do_now(asked, of, action), of, action, asked, stay=True)


def _told(
    request: HttpRequest, tally: bulk.Tally, of: bulk.BulkList, action: bulk.BulkAction, asked: BulkRequest, *,
    stay: bool = False,
) -> HttpResponse:  # fmt: skip
    if tally.done:
        messages.success(request, f"{action.title.rstrip('…')}: {tally.done} {of.title} done.")
    for reason in tally.reasons[:5]:
        messages.warning(request, reason)
    if tally.refused > 5:
        messages.warning(request, f"… and {tally.refused - 5} more were not done.")
    return _back(request) if stay else HttpResponseRedirect(reverse(of.url_name))
