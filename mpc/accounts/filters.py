"""Filters of the accounts' lists."""

from __future__ import annotations

import django_filters

from mpc.accounts.models import AuditEntry, Organisation, User
from mpc.accounts.roles import Role
from mpc.ui.filters import ChipFilter, DayFromFilter, DayToFilter, SearchFilter

STATES = (("1", "active"), ("0", "inactive"))


class PersonFilter(django_filters.FilterSet):
    q = SearchFilter(
        fields=("username", "display_name", "email", "organisation__short_name", "organisation__name"),
        placeholder="Name, e-mail, organisation",
    )
    role = ChipFilter(field_name="role_grants__role", choices=Role.choices(), label="Role", distinct=True)
    active = django_filters.ChoiceFilter(field_name="is_active", choices=STATES, label="State")

    class Meta:
        model = User
        fields: list[str] = []


class OrganisationFilter(django_filters.FilterSet):
    q = SearchFilter(fields=("name", "short_name", "country"), placeholder="Name or country")
    kind = ChipFilter(choices=Organisation.Kind.choices, label="Kind")
    active = django_filters.ChoiceFilter(choices=STATES, label="State")

    class Meta:
        model = Organisation
        fields: list[str] = []


class AuditFilter(django_filters.FilterSet):
    """Who, what, on which object, when."""

    q = SearchFilter(fields=("actor_name", "action", "object_label", "object_id"), placeholder="Anything in a line")
    actor = django_filters.CharFilter(field_name="actor_name", lookup_expr="iexact", label="Who")
    action = django_filters.CharFilter(lookup_expr="istartswith", label="Action begins with")
    kind = django_filters.CharFilter(field_name="object_kind", lookup_expr="iexact", label="Kind of object")
    object = django_filters.CharFilter(field_name="object_id", lookup_expr="exact", label="Id of the object")
    since = DayFromFilter(field_name="at", label="From")
    until = DayToFilter(field_name="at", label="To")
    request = django_filters.CharFilter(field_name="request_id", lookup_expr="exact", label="Request id")

    class Meta:
        model = AuditEntry
        fields: list[str] = []
