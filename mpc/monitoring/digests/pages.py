"""Pages of the daily digests."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import django_filters
import django_tables2 as columns
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views import View

from mpc.monitoring.digests import making
from mpc.monitoring.digests.content import from_json
from mpc.monitoring.models import Digest
from mpc.ui.filters import DayInput
from mpc.ui.tables import Table, UtcColumn
from mpc.ui.templatetags import mpc as tags
from mpc.ui.views import ListPage, Page, PolicyMixin


class DigestFilter(django_filters.FilterSet):
    since = django_filters.DateFilter(field_name="day", lookup_expr="gte", label="From", widget=DayInput)
    until = django_filters.DateFilter(field_name="day", lookup_expr="lte", label="To", widget=DayInput)

    class Meta:
        model = Digest
        fields: list[str] = []


class HeadColumn(columns.Column):
    """Sign and summary of one section."""

    def __init__(self, key: str, **kwargs: Any) -> None:
        super().__init__(accessor="heads", order_by=(f"heads__{key}__0",), attrs={"td": {"class": "prose"}}, **kwargs)
        self.key = key

    def head(self, record: Digest) -> tuple[str, str]:
        sign, summary = record.heads.get(self.key, ("idle", "not in this digest"))
        return sign, summary

    def render(self, record: Digest) -> SafeString:
        sign, summary = self.head(record)
        return tags.tag(sign, label=summary)

    def value(self, record: Digest) -> str:
        return self.head(record)[1]


class DigestTable(Table):
    day = columns.Column(linkify=True, attrs={"td": {"class": "time"}}, initial_sort_descending=True)
    missing = HeadColumn("missing", verbose_name="Not run or arrived")
    found = HeadColumn("found", verbose_name="Found")
    ran = HeadColumn("ran", verbose_name="Ran")
    little = HeadColumn("little", verbose_name="Too little data")
    ahead = HeadColumn("ahead", verbose_name="Ahead")
    made_at = UtcColumn(verbose_name="Made", style="min")
    mailed_at = UtcColumn(verbose_name="Mailed", style="min")

    class Meta(Table.Meta):
        model = Digest
        fields: tuple[str, ...] = ()
        order_by = ("-day",)

    def render_day(self, value: date) -> str:
        return f"{value:%Y-%m-%d}"


class DigestList(ListPage):
    policy_action = "monitoring.view"
    title = "Daily digests"
    subtitle = "Proof that somebody looked: what ran, what was found, what was missing, day by day"
    queryset = Digest.objects.defer("content")
    filterset_class = DigestFilter
    table_class = DigestTable
    template_name = "monitoring/digests/list.html"
    primary_filters = ("since", "until")
    columns_off = ("little", "ahead", "made_at")
    empty_text = (
        "A digest is made by itself soon after each midnight (UTC), from the day of the first product or run on: what "
        "ran, on how many products, what was found, what had too little data, and what did not run or arrive."
    )
    empty_action = ("See today so far", "monitoring:digest-today")


class DigestPage(Page):
    """One day's digest; ``?format=json`` gives it as it is kept."""

    policy_action = "monitoring.view"
    template_name = "monitoring/digests/digest.html"

    def digest(self) -> Digest:
        day = _day(self.kwargs["day"])
        found = Digest.objects.filter(day=day).first() if day else None
        if found is None:
            raise Http404("There is no digest of this day.")
        return found

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        digest = self.digest()
        asked = request.GET.get("format", "")
        if asked not in ("", "json"):
            raise BadRequest(f"format={asked}: json is known")
        if asked:
            return JsonResponse(as_dict(digest))
        return self.render_to_response(self.get_context_data(digest=digest))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        digest: Digest = kwargs["digest"]
        sections = from_json(digest.content)
        days = Digest.objects.order_by("day").values_list("day", flat=True)
        return super().get_context_data(
            **kwargs,
            page_title=f"Digest of {digest.day:%Y-%m-%d}",
            sections=sections,
            so_far=digest.pk is None,
            previous=days.filter(day__lt=digest.day).last(),
            next=days.filter(day__gt=digest.day).first(),
        )


class LatestDigest(PolicyMixin, View):
    """To the newest digest; to today so far where there is none yet."""

    policy_action = "monitoring.view"
    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        newest = Digest.objects.defer("content").order_by("-day").first()
        return HttpResponseRedirect(newest.get_absolute_url() if newest else reverse("monitoring:digest-today"))


class DigestSoFar(DigestPage):
    """What today's digest would say now; nothing is kept."""

    def digest(self) -> Digest:
        return making.draft(making.today())


class MakeDigest(PolicyMixin, View):
    """Make the digest of a day that has none."""

    policy_action = "monitoring.digest"
    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        day = _day(request.POST.get("day", "")) or making.today() - timedelta(days=1)
        try:
            digest, created = making.make_for(request.user, day)
        except making.NotOver as reason:
            raise BadRequest(str(reason)) from None
        messages.success(request, f"The digest of {day:%Y-%m-%d} {'is made' if created else 'was there already'}.")
        return HttpResponseRedirect(digest.get_absolute_url())


def as_dict(digest: Digest) -> dict[str, Any]:
    """The digest for machines."""
    return {
        "day": digest.day.isoformat(),
        "made_at": digest.made_at.isoformat(),
        "mailed_at": digest.mailed_at.isoformat() if digest.mailed_at else None,
        **digest.content,
    }


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == len("2026-01-01") else None
    except ValueError:
        return None
