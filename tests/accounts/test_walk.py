"""Goes over every address of the site: each declares who may use it, and each keeps to that.

Nothing is listed here by hand. Adding an address without a policy makes this fail and says what to do; what everybody
may reach is named in ``mpc.accounts.declarations.PUBLIC_VIEWS``.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, resolve, reverse
from django.utils.regex_helper import normalize

from mpc.accounts import declarations, policy

# Values for the parts of an address; the first that fits its pattern is taken.
SAMPLES = ("1", "x", "0" * 32, str(uuid.UUID(int=1)), "2026-01-01", "S2A", "B02", "csv", "1-x")
ASKED = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Address:
    """One pattern of the site: ``names`` are the namespaces and the name, ``parts`` what its address takes."""

    route: str
    view_name: str
    view: Callable
    parts: tuple[str, ...]

    @property
    def methods(self) -> tuple[str, ...]:
        """The HTTP methods that the view answers."""
        actions = getattr(self.view, "actions", None)
        if actions:
            return tuple(method for method in ASKED if method in actions)
        view_class = getattr(self.view, "cls", None) or getattr(self.view, "view_class", None)
        if view_class is None:
            return ("get", "post")
        return tuple(m for m in ASKED if m in view_class.http_method_names and hasattr(view_class, m))

    def example(self) -> str:
        """An address that leads to the view."""
        for values in itertools.product(SAMPLES, repeat=len(self.parts)):
            try:
                found = reverse(self.view_name, kwargs=dict(zip(self.parts, values, strict=True)))
            except NoReverseMatch:
                continue
            if resolve(found).func is self.view:
                return found
        raise AssertionError(f"no example address for {self.route} ({self.view_name}): add a value to SAMPLES")


def addresses(patterns: list | None = None, route: str = "", names: tuple[str, ...] = ()) -> Iterator[Address]:
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        here = route + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inside = (*names, pattern.namespace) if pattern.namespace else names
            yield from addresses(pattern.url_patterns, here, inside)
        elif isinstance(pattern, URLPattern):
            parts = tuple(normalize(str(pattern.pattern.regex.pattern).replace(r"\Z", "$"))[0][1])
            yield Address(here, ":".join((*names, pattern.name or "")), pattern.callback, parts)


def declared(address: Address) -> declarations.Declaration:
    return declarations.declaration_of(address.view, address.view_name)


def closed_addresses() -> list[Address]:
    return [address for address in addresses() if not (declared(address).public or declared(address).unused)]


def test_every_address_declares_who_may_use_it():
    missing = []
    for address in addresses():
        try:
            declaration = declared(address)
        except declarations.Undeclared as error:
            missing.append(f"{address.route}: {error}")
            continue
        for method in () if declaration.public or declaration.unused else address.methods:
            try:
                declaration.action_for(method)
            except declarations.MethodUndeclared:
                missing.append(
                    f"{address.route} ({address.view_name}) answers {method.upper()} without an action for it"
                )
    assert not missing, "\n".join(["addresses without a policy:", *missing])


def test_the_walk_sees_the_whole_site():
    seen = {address.view_name for address in addresses()}
    assert {"home", "account_login", "accounts:people", "accounts:audit", "api:me"} <= seen
    assert all(address.view_name.rpartition(":")[2] for address in addresses()), "an address has no name"


def test_only_the_sign_in_and_its_like_are_public():
    public = {address.view_name for address in addresses() if declared(address).public}
    assert public <= declarations.PUBLIC_VIEWS
    assert {name for name in public if not name.startswith("account_")} <= {"health"}


@pytest.mark.django_db
def test_what_is_not_used_is_not_there(administrator):
    client = Client()
    client.force_login(administrator)
    unused = [address for address in addresses() if declared(address).unused]
    assert "account_email" in {address.view_name for address in unused}
    for address in unused:
        assert client.get(address.example()).status_code == 404, address.view_name


@pytest.mark.django_db
def test_nobody_gets_in_without_an_account(client):
    """Visitors are led to the sign-in, or refused by the API, at every closed address and for every method."""
    open_doors = []
    for address in closed_addresses():
        place = address.example()
        for method in address.methods:
            response = getattr(client, method)(place)
            led = response.status_code == 302 and response["Location"].startswith(reverse("account_login"))
            if not led and response.status_code not in (401, 403):
                open_doors.append(f"{method.upper()} {place} ({address.view_name}) answered {response.status_code}")
    assert not open_doors, "\n".join(open_doors)


@pytest.mark.django_db
def test_an_account_without_roles_gets_only_to_itself(person):
    client = Client(raise_request_exception=False)
    client.force_login(person("new"))
    open_doors = []
    for address in closed_addresses():
        place = address.example()
        for method in address.methods:
            if declared(address).action_for(method) == "accounts.self":
                continue
            status = getattr(client, method)(place).status_code
            if status != 403:
                open_doors.append(f"{method.upper()} {place} ({address.view_name}) answered {status}")
    assert not open_doors, "\n".join(open_doors)


@pytest.mark.django_db
@pytest.mark.parametrize("role", [role for role in policy.Role if role is not policy.Role.ADMINISTRATOR])
def test_every_role_is_kept_out_of_what_the_table_does_not_give_it(person, role):
    client = Client(raise_request_exception=False)
    user = person("ann", role)
    client.force_login(user)
    open_doors = []
    for address in closed_addresses():
        place = address.example()
        for method in address.methods:
            if not policy.could(user, declared(address).action_for(method)):
                status = getattr(client, method)(place).status_code
                if status != 403:
                    open_doors.append(f"{method.upper()} {place} ({address.view_name}) answered {status}")
    assert not open_doors, "\n".join(open_doors)
