"""The list page: filter form, chips, saved filters, column choice, sorting, paging and exports of one queryset."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.core.exceptions import BadRequest
from django.core.paginator import EmptyPage
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django_filters.views import FilterView
from django_tables2 import SingleTableMixin, Table

from mpc.ui import access, bulk, export, filters
from mpc.ui.models import SavedFilter
from mpc.ui.paging import KeysFirstPaginator
from mpc.ui.tables import PickColumn
from mpc.ui.views.base import PolicyMixin

RESULTS_ID = "results"
_NOT_A_FILTER = ("page", "per_page", "format", "all")


@dataclass(frozen=True)
class ListColumn:
    """A column in the menu of columns."""

    name: str
    title: str
    shown: bool


@dataclass(frozen=True)
class BulkButton:
    """One thing that can be done to many rows; ``why`` says why this person may not."""

    action: bulk.BulkAction
    why: str


class ListPage(PolicyMixin, SingleTableMixin, FilterView):
    """A list of one model.

    ::

        class ProductList(ListPage):
            policy_action = "products.view"
            title = "Products"
            queryset = Product.objects.select_related("datatake")
            filterset_class = ProductFilter
            table_class = ProductTable
            primary_filters = ("q", "unit", "level")
            columns_off = ("checksum",)
            empty_text = "Products appear here when they are uploaded, ingested or found in the inbox."
            empty_action = ("Upload products", "products:upload")

    A page costs a fixed number of SQL queries: those of the session and the user, the saved filters, the count, the
    rows (and what ``prefetch_related`` adds).
    """

    template_name = "ui/list.html"
    results_template = "ui/results.html"
    title = ""
    subtitle = ""
    list_name = ""
    paginate_by = 50
    page_sizes = (25, 50, 100, 200)
    primary_filters: tuple[str, ...] = ("q",)
    columns_off: tuple[str, ...] = ()
    default_query = ""
    empty_text = "Nothing has arrived here yet."
    empty_action: tuple[str, str] | None = None
    export_limit = export.EXPORT_LIMIT
    export_by_run = True
    """Whether a run may write what is too long to be streamed; False where ``get_table_data`` hands back a part."""
    bulk_kind = ""
    """What can be done to many rows at once (``mpc.ui.bulk``): the kind under which it is registered."""
    context_table_name = "table"

    # --- What a child may say ---------------------------------------------------------------------------------------
    def get_title(self) -> str:
        return self.title

    def get_subtitle(self) -> str:
        return self.subtitle

    def get_list_name(self) -> str:
        """The name under which saved filters and the choice of columns are kept."""
        return self.list_name or f"{type(self).__module__.split('.views')[0]}.{type(self).__name__}"

    # --- Answering --------------------------------------------------------------------------------------------------
    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if self.default_query and not request.GET:
            return HttpResponseRedirect(f"{request.path}?{self.default_query}")
        file_format = request.GET.get("format", "")
        if file_format and file_format not in ("csv", "json"):
            raise BadRequest(f"format={file_format}: csv and json are known")
        response = super().get(request, *args, **kwargs)
        # One address answers with the page or with its results alone; no cache may give one for the other.
        patch_vary_headers(response, ["HX-Request", "HX-Target"])
        return response

    def get_filterset_kwargs(self, filterset_class: Any) -> dict[str, Any]:
        return {**super().get_filterset_kwargs(filterset_class), "data": self.request.GET or None}

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponseBase:
        file_format = self.request.GET.get("format")
        if file_format:
            return self.export(context[self.context_table_name], file_format)
        htmx = getattr(self.request, "htmx", None)
        if htmx and htmx.target == RESULTS_ID:
            return self.response_class(
                request=self.request, template=[self.results_template], context=context, using=self.template_engine
            )
        return super().render_to_response(context, **kwargs)

    def export(self, table: Table, file_format: str) -> HttpResponseBase:
        """Stream the filtered rows; a filter that matches more than an export holds is refused, never cut."""
        rows = table.data.data
        count = rows.count() if isinstance(rows, QuerySet) else len(rows)
        if count > self.export_limit:
            told = {
                "count": count,
                "limit": self.export_limit,
                "page_title": self.get_title(),
                "address": self.request.get_full_path() if self.export_by_run else "",
                "long_export": export.long_export(),
            }
            return render(self.request, "ui/export_too_large.html", told, status=413)
        return export.export_response(table, file_format, self.export_name)

    @property
    def export_name(self) -> str:
        """Of the file, without its ending."""
        return self.get_list_name().rpartition(".")[2].lower()

    def whole_table(self) -> Table:
        """All rows that fit the address, for work outside a request. Raises ValueError when a filter cannot be read."""
        self.filterset = self.get_filterset(self.get_filterset_class())
        if self.filterset.is_bound and not self.filterset.is_valid():
            raise ValueError("A filter of the list could not be read; set it again.")
        self.object_list = self.filterset.qs
        return self.get_table(**self.get_table_kwargs())

    # --- Table ------------------------------------------------------------------------------------------------------
    @cached_property
    def bulk_buttons(self) -> list[BulkButton]:
        """What can be done to many rows, each with the reason why this person may not."""
        of = bulk.bulk_list(self.bulk_kind) if self.bulk_kind else None
        user = self.request.user
        found = []
        for action in of.actions if of else ():
            may = access.could(user, action.policy)
            found.append(BulkButton(action, "" if may else access.reason(user, action.policy)))
        return found

    @property
    def pickable(self) -> bool:
        return any(not button.why for button in self.bulk_buttons)

    def get_table(self, **kwargs: Any) -> Table:
        if self.pickable and not self.request.GET.get("format"):
            kwargs |= {"extra_columns": [("pick", PickColumn())], "sequence": ("pick", "...")}
        table = self.get_table_class()(data=self.get_table_data(), **kwargs)
        table.request = self.request
        ordering = self.request.GET.getlist(table.prefixed_order_by_field)
        if ordering:
            table.order_by = ordering
        _settle_ties(table)
        if self.request.GET.get("format"):
            return table
        # Set before the first length is asked for: only a table with a paginator counts in SQL, others load all rows.
        paginator = table.paginator = KeysFirstPaginator(table.rows, self.get_per_page())
        try:
            table.page = paginator.page(max(1, _whole(self.request.GET.get("page"), 1)))
        except EmptyPage:
            table.page = paginator.page(paginator.num_pages)
        return table

    def get_table_kwargs(self) -> dict[str, Any]:
        if self.request.GET.get("format"):
            return super().get_table_kwargs()
        hidden = tuple(column.name for column in self.list_columns if not column.shown)
        return {**super().get_table_kwargs(), "exclude": hidden}

    def get_paginate_by(self, queryset: Any) -> None:
        """The table pages; Django's own paging of the list view would count the rows a second time."""
        return None

    def get_per_page(self) -> int:
        wanted = _whole(self.request.GET.get("per_page"), self.paginate_by)
        return wanted if wanted in self.page_sizes else self.paginate_by

    @cached_property
    def list_columns(self) -> list[ListColumn]:
        """The columns that a person can choose from; what they chose is kept in their session for each list."""
        chosen = self.request.session.get("list_columns", {}).get(self.get_list_name())
        columns = [bound for bound in self.get_table_class()([]).columns.iterall() if bound.column.visible]
        found: list[ListColumn] = []
        for bound in columns:
            shown = bound.name in chosen if chosen is not None else bound.name not in self.columns_off
            found.append(ListColumn(bound.name, str(bound.header), shown))
        if not any(column.shown for column in found):  # columns were renamed since the choice: show the usual ones
            found = [ListColumn(c.name, c.title, c.name not in self.columns_off) for c in found]
        return found

    # --- Context ----------------------------------------------------------------------------------------------------
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        if self.request.GET.get("format"):
            return context
        kept = self.kept_query()
        form = self.filterset.form
        context.update(
            page_title=self.get_title(),
            page_subtitle=self.get_subtitle(),
            list_name=self.get_list_name(),
            list_columns=self.list_columns,
            saved_filters=list(SavedFilter.seen_by(self.request.user, self.get_list_name())),
            chips=filters.chips_of(self.filterset, self.request.GET),
            clear_query="all=1" if self.default_query else "",
            kept_query=kept.urlencode(),
            page_sizes=self.page_sizes,
            per_page=self.get_per_page(),
            sort=self.request.GET.getlist("sort"),
            primary_fields=[form[name] for name in self.primary_filters if name in form.fields],
            other_fields=[form[name] for name in form.fields if name not in self.primary_filters],
            empty_text=self.empty_text,
            empty_action=(self.empty_action[0], reverse(self.empty_action[1])) if self.empty_action else None,
            results_id=RESULTS_ID,
            bulk_kind=self.bulk_kind,
            bulk_buttons=self.bulk_buttons,
            pickable=self.pickable,
            place=self.request.get_full_path(),
        )
        return context

    def kept_query(self) -> QueryDict:
        """The part of the address that says what is shown: filters and order, without page and format."""
        kept = QueryDict(mutable=True)
        for name, values in self.request.GET.lists():
            filled = [value for value in values if value != ""]
            if filled and name not in _NOT_A_FILTER:
                kept.setlist(name, filled)
        return kept


def _settle_ties(table: Table) -> None:
    """Rows that are equal in what they are sorted by follow their key: else a row may stand on two pages or on none."""
    rows = table.data.data
    if not isinstance(rows, QuerySet) or rows.query.is_sliced:
        return
    order = list(rows.query.order_by or rows.model._meta.ordering)
    names = [str(part).removeprefix("-") for part in order]
    if "pk" not in names and rows.model._meta.pk.name not in names:
        sign = "-" if order and str(order[-1]).startswith("-") else ""
        table.data.data = rows.order_by(*order, f"{sign}pk")


def _whole(text: str | None, otherwise: int) -> int:
    try:
        return int(text or "")
    except ValueError:
        return otherwise
