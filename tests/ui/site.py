"""Pages of the tests: a list and a detail page over a model of this app, and pages that break."""

from __future__ import annotations

import django_filters
import django_tables2
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from mpc.ui import filters, tables
from mpc.ui.models import SavedFilter
from mpc.ui.views import DetailPage, ListPage

handler500 = "mpc.ui.views.errors.server_error"


class KeptFilter(django_filters.FilterSet):
    q = filters.SearchFilter(fields=("name", "query"))
    list_name = filters.ChipFilter(choices=[("a", "List A"), ("b", "List B")], label="List")
    shared = django_filters.BooleanFilter()
    made_from = filters.DayFromFilter(field_name="created", label="Made from")

    class Meta:
        model = SavedFilter
        fields = ()


class KeptTable(tables.Table):
    name = tables.IdColumn(linkify=("kept", {"pk": tables.tables.A("pk")}))
    list_name = django_tables2.Column(verbose_name="List")
    user = django_tables2.Column(accessor="user__username", verbose_name="User")
    created = tables.UtcColumn()
    query = tables.WhyColumn()

    class Meta(tables.Table.Meta):
        model = SavedFilter
        fields = ("name", "list_name", "user", "created", "query")
        order_by = "name"


class KeptList(ListPage):
    policy_action = "accounts.self"
    title = "Kept"
    queryset = SavedFilter.objects.select_related("user")
    filterset_class = KeptFilter
    table_class = KeptTable
    primary_filters = ("q", "list_name")
    columns_off = ("query",)
    empty_text = "Filters appear here when somebody keeps one."
    empty_action = ("To Today", "home")


class SmallExport(KeptList):
    export_limit = 2


class OpensOnA(KeptList):
    default_query = "list_name=a"


class KeptPage(DetailPage):
    policy_action = "accounts.self"
    model = SavedFilter

    def get_status(self) -> str:
        return "PASSED"


def breaks(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a secret of the inside")


def forbids(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied("To cancel runs takes the role Operator.")


breaks.policy_action = forbids.policy_action = "accounts.self"

urlpatterns = [
    path("", include("mpc.ui.urls")),
    path("account/", include("allauth.account.urls")),
    path("kept/", KeptList.as_view(), name="kept-list"),
    path("few/", SmallExport.as_view(), name="few"),
    path("a-first/", OpensOnA.as_view(), name="a-first"),
    path("kept/<int:pk>/", KeptPage.as_view(), name="kept"),
    path("breaks/", breaks, name="breaks"),
    path("api/v1/breaks/", breaks, name="api-breaks"),
    path("forbids/", forbids, name="forbids"),
]
