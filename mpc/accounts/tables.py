"""Tables of the accounts' lists."""

from __future__ import annotations

import json
from typing import Any

import django_tables2 as tables
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from mpc.accounts.models import AuditEntry, Organisation, User
from mpc.accounts.roles import Role
from mpc.ui.tables import IdColumn, NumberColumn, Table, TagColumn, UtcColumn


class PersonTable(Table):
    username = IdColumn(verbose_name="User name", linkify=("accounts:person", {"pk": tables.A("pk")}))
    display_name = tables.Column(verbose_name="Name")
    organisation = tables.Column(accessor="organisation__short_name", verbose_name="Organisation")
    # Not from User.roles, which asks the database for each person; the list has prefetched the grants.
    roles = tables.Column(accessor="pk", orderable=False)
    is_active = TagColumn(verbose_name="State")
    last_login = UtcColumn(verbose_name="Last sign-in", style="min")
    email = tables.Column(verbose_name="E-mail")

    class Meta(Table.Meta):
        model = User
        fields = ("username", "display_name", "organisation", "roles", "is_active", "last_login", "email")
        order_by = "username"

    def render_roles(self, record: User) -> str:
        return self.value_roles(record) or "no role"

    def value_roles(self, record: User, value: Any = None) -> str:
        held = {grant.role for grant in record.role_grants.all()}
        return ", ".join(role.label for role in Role if role in held)

    def render_is_active(self, value: bool) -> str | SafeString:
        return self.columns["is_active"].column.render("active" if value else "inactive")

    def value_is_active(self, value: bool, record: Any = None) -> str:
        return "active" if value else "inactive"


class OrganisationTable(Table):
    short_name = IdColumn(verbose_name="Short name", linkify=("accounts:organisation", {"pk": tables.A("pk")}))
    name = tables.Column()
    kind = tables.Column(accessor="get_kind_display", order_by="kind")
    country = tables.Column()
    people = NumberColumn(accessor="people_count", order_by="people_count")
    active = tables.BooleanColumn(yesno="yes,no")

    class Meta(Table.Meta):
        model = Organisation
        fields = ("short_name", "name", "kind", "country", "people", "active")
        order_by = "name"


class AuditTable(Table):
    at = UtcColumn(verbose_name="When")
    actor_name = tables.Column(verbose_name="Who")
    action = IdColumn(linkify=False)
    object_label = tables.Column(verbose_name="What")
    object_kind = tables.Column(verbose_name="Kind")
    object_id = tables.Column(verbose_name="Id")
    change = tables.Column(empty_values=(), orderable=False, verbose_name="Change")
    address = tables.Column()
    request_id = IdColumn(linkify=False, verbose_name="Request")

    class Meta(Table.Meta):
        model = AuditEntry
        fields = (
            "at", "actor_name", "action", "object_label", "object_kind", "object_id", "change", "address", "request_id",
        )  # fmt: skip
        order_by = "-at"

    def render_change(self, record: AuditEntry) -> SafeString | str:
        before, after = record.before or {}, record.after or {}
        if before:
            lines = [f"{name}: {_words(before.get(name))} → {_words(after.get(name))}" for name in {**before, **after}]
        else:
            lines = [f"{name}: {_words(value)}" for name, value in after.items() if value not in (None, "", [])]
        return format_html_join(SafeString("<br>"), "{}", ((line,) for line in lines))

    def value_change(self, record: AuditEntry, value: Any = None) -> str:
        if record.before is None and record.after is None:
            return ""
        return json.dumps({"before": record.before, "after": record.after}, ensure_ascii=False, sort_keys=True)


def _words(value: Any) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, list):
        return ", ".join(str(item) for item in value) or "–"
    return str(value)
