"""Goes over every address of the site: each declares who may use it, and each keeps to that.

Nothing is listed here by hand. Adding an address without a policy makes this fail and says what to do; what everybody
may reach is named in ``mpc.accounts.declarations.PUBLIC_VIEWS``. Which role has which action is written out in
``tests.accounts.test_policy.TABLE``.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from mpc.accounts import declarations, policy
from mpc.accounts.policy import Role
from tests import factories
from tests.accounts.test_policy import TABLE
from tests.policy.conftest import Mission, undone
from tests.policy.walking import Address, addresses, closed_addresses, declared

# Actions that only look. Nothing that changes anything may be declared as one of them.
LOOKING = frozenset(action for action in policy.ACTIONS if action.endswith((".view", ".docs")))
HTMX = {"HX-Request": "true"}


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


def test_nothing_that_changes_anything_is_declared_as_looking():
    wrong = [
        f"{method.upper()} {address.route} is declared as {declared(address).action_for(method)}"
        for address in closed_addresses()
        for method in address.methods
        if method != "get" and declared(address).action_for(method) in LOOKING
    ]
    assert not wrong, "\n".join(wrong)


def test_the_walk_sees_the_whole_site():
    seen = {address.view_name for address in addresses()}
    assert {"home", "account_login", "accounts:people", "accounts:audit", "api:me", "runs:artifact", "schema"} <= seen
    assert all(address.view_name.rpartition(":")[2] for address in addresses()), "an address has no name"
    assert sum(address.is_list for address in addresses()) >= 10


def test_only_the_sign_in_and_its_like_are_public():
    public = {address.view_name for address in addresses() if declared(address).public}
    assert public <= declarations.PUBLIC_VIEWS
    assert {name for name in public if not name.startswith("account_")} <= {"health"}


@pytest.mark.django_db
def test_what_is_not_used_is_not_there():
    client = factories.client(Role.ADMINISTRATOR)
    unused = [address for address in addresses() if declared(address).unused]
    assert "account_email" in {address.view_name for address in unused}
    for address in unused:
        assert client.get(address.example()).status_code == 404, address.view_name


# --- Who gets in -----------------------------------------------------------------------------------------------------
def ways(address: Address, mission: Mission) -> list[tuple[str, str, dict[str, Any]]]:
    """Every way to use an address: method, place, headers. Lists have exports, pages have parts."""
    place = address.example(mission.known(address.view_name))
    found: list[tuple[str, str, dict[str, Any]]] = [(method, place, {}) for method in address.methods]
    if "get" in address.methods:
        found.append(("head", place, {}))
        if not declared(address).by_api:
            found.append(("get", place, HTMX | {"HX-Target": "results"}))
    if address.is_list:
        found += [("get", f"{place}?format={kind}", {}) for kind in ("csv", "json")]
    if address.view_name == "runs:artifact":
        found.append(("get", f"{place}?inline", {}))
    return found


def ask(client: Client, method: str, place: str, headers: dict[str, Any]) -> Any:
    answer = getattr(client, method)(place, headers=headers)
    if answer.streaming:
        b"".join(answer.streaming_content)
    return answer


def action_of(address: Address, method: str) -> str:
    return declared(address).action_for(method)


@pytest.mark.django_db
def test_nobody_gets_in_without_an_account(client, mission):
    """Visitors are led to the sign-in, or refused by the API, at every closed address and in every way."""
    open_doors = []
    for address in closed_addresses():
        for method, place, headers in ways(address, mission):
            answer = ask(client, method, place, headers)
            led = answer.status_code == 302 and answer["Location"].startswith(reverse("account_login"))
            if (answer.status_code != 401) if headers or declared(address).by_api else not led:
                open_doors.append(f"{method.upper()} {place} ({address.view_name}) answered {answer.status_code}")
    assert not open_doors, "\n".join(open_doors)


@pytest.mark.django_db
def test_an_account_without_roles_gets_only_to_itself(mission):
    check(factories.client(password=factories.PASSWORD), frozenset(), mission)


@pytest.mark.django_db
@pytest.mark.parametrize("role", Role)
def test_every_role_gets_exactly_what_the_table_gives_it(mission, role):
    # Between the least and the most the roles differ in what they may, not in the ways, nor in what all may look at.
    check(factories.client(role, password=factories.PASSWORD), frozenset({role}), mission, all_ways=role in ENDS)


ENDS = (Role.VIEWER, Role.ADMINISTRATOR)


def check(client: Client, roles: frozenset[Role], mission: Mission, *, all_ways: bool = True) -> None:
    """Every way to every address: refused with 403 exactly where the table does not give it to the roles."""
    wrong = []
    for address in closed_addresses():
        for method, place, headers in ways(address, mission):
            action = action_of(address, method)
            if not all_ways and (headers or method == "head" or (method == "get" and Role.VIEWER in TABLE[action])):
                continue
            with undone():
                status = ask(client, method, place, headers).status_code
            of_some = bool(roles & policy.FOR_SOME_OBJECTS.get(action, frozenset()))
            if action == "accounts.self" or roles & TABLE[action]:
                # What belongs to another is another matter: their filter, their token.
                fits = status < 500 and status != 401 and (status != 403 or address.view_name in OF_ONE_S_OWN)
            else:
                fits = status == 403 or (of_some and status < 500)
            if not fits:
                wrong.append(f"{method.upper()} {place} ({address.view_name}, {action}) answered {status}")
    assert not wrong, "\n".join(wrong)


OF_ONE_S_OWN = frozenset({"filter-delete", "accounts:token-revoke"})


@pytest.mark.django_db
def test_what_leads_to_rows_leads_to_these(mission):
    """The walk would prove little if every address led to nothing: as administrator everything is found."""
    client = factories.client(Role.ADMINISTRATOR)
    missed = []
    for address in closed_addresses():
        if "get" in address.methods and not address.view_name.startswith("account_"):
            place = address.example(mission.known(address.view_name))
            status = client.get(place).status_code
            if status not in (200, 302) and address.view_name not in OF_WHO_BEGAN_IT:
                missed.append(f"{place} ({address.view_name}) answered {status}")
    assert not missed, "\n".join(missed)


# Nobody else sees it, whatever their role.
OF_WHO_BEGAN_IT = frozenset({"api:upload-detail", "bulk-confirm", "monitoring:subscription"})


@pytest.mark.django_db
def test_a_token_opens_what_its_account_may_and_no_more(mission):
    """The same door for tokens: a viewer's token looks and does nothing."""
    _, secret = factories.token(factories.person(Role.VIEWER))
    client, headers = Client(), {"Authorization": f"Token {secret}"}
    for address in closed_addresses():
        if not declared(address).by_api:
            continue
        for method in address.methods:
            with undone():
                status = getattr(client, method)(address.example(mission.known(address.view_name)), headers=headers)
            may = Role.VIEWER in TABLE[action_of(address, method)] | policy.FOR_SOME_OBJECTS.get(
                action_of(address, method), frozenset()
            )
            assert may or status.status_code == 403, f"{method} {address.view_name} answered {status.status_code}"
            assert status.status_code != 401


@pytest.mark.django_db
def test_pages_take_no_token(mission):
    """A token is for the API: a page that took one would take it without the form's own token."""
    _, secret = factories.token(factories.person(Role.ADMINISTRATOR))
    for address in closed_addresses():
        if not declared(address).by_api and "get" in address.methods:
            place = address.example(mission.known(address.view_name))
            assert Client().get(place, headers={"Authorization": f"Token {secret}"}).status_code == 302, place
