"""Signing in and out, the forgotten password, the limits, and when sessions end."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from mpc.accounts import services
from mpc.accounts.models import AuditEntry, User
from mpc.accounts.roles import Role

from .conftest import PASSWORD

pytestmark = pytest.mark.django_db
NEW = "another long pass phrase"
ME = "/api/v1/me/"


def sign_in(name: str, password: str = PASSWORD, client: Client | None = None, **headers: str):
    client = client or Client()
    response = client.post("/account/login/", {"login": name, "password": password}, **headers)
    return client, response


def signed_in(client: Client) -> bool:
    return client.get("/people/me/").status_code == 200


def actions() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))


@pytest.mark.parametrize("name", ["ann", "Ann", "ann@example.org", "ANN@Example.org"])
def test_sign_in_by_name_or_address_in_any_case(person, name):
    person("ann", Role.VIEWER)
    client, response = sign_in(name)
    assert (response.status_code, response["Location"]) == (302, "/")
    assert signed_in(client)
    entry = AuditEntry.objects.get(action="accounts.sign_in")
    assert (entry.actor_name, entry.address) == ("ann", "127.0.0.1")
    assert entry.request_id == response["X-Request-ID"]


@pytest.mark.parametrize(("name", "password"), [("ann", "wrong"), ("nobody", PASSWORD), ("gone", PASSWORD)])
def test_a_failed_sign_in_is_written_down_without_what_was_typed(person, name, password):
    person("ann", Role.VIEWER)
    person("gone", Role.VIEWER, is_active=False)
    client, _ = sign_in(name, password)
    assert not signed_in(client)
    entry = AuditEntry.objects.get(action="accounts.sign_in_failed")
    assert entry.actor is None
    assert entry.object_label == ("no such account" if name == "nobody" else name)
    assert password not in str(vars(entry))


def test_sign_out(person):
    person("ann", Role.VIEWER)
    client, _ = sign_in("ann")
    client.post("/account/logout/")
    assert not signed_in(client)
    assert actions()[-1] == "accounts.sign_out"


def test_nobody_can_sign_up(client):
    response = client.get("/account/signup/")
    assert 'name="password1"' not in response.content.decode()
    client.post("/account/signup/", {"username": "eve", "email": "e@example.org", "password1": NEW, "password2": NEW})
    assert not User.objects.filter(username="eve").exists()


def test_after_five_wrong_attempts_even_the_right_password_waits(person):
    person("ann", Role.VIEWER)
    person("bob", Role.VIEWER)
    for _ in range(5):
        sign_in("ann", "wrong")
    client, response = sign_in("ann")
    assert response.status_code == 200
    assert "Too many failed" in response.content.decode()
    assert not signed_in(client)
    assert actions() == ["accounts.sign_in_failed"] * 5 + ["accounts.sign_in_blocked"]
    other, _ = sign_in("bob")
    assert signed_in(other), "one account's wrong attempts shut another out"


def test_a_forgotten_password_is_set_anew_by_the_mailed_link(person, mailoutbox):
    person("ann", Role.VIEWER)
    before, _ = sign_in("ann")
    visitor = Client()
    assert visitor.post("/account/password/reset/", {"email": "Ann@example.org"}).status_code == 302
    [mail] = mailoutbox
    assert mail.to == ["ann@example.org"]
    link = re.search(r"http://testserver(/account/password/reset/key/\S+)", mail.body)[1]
    page = visitor.get(link, follow=True)
    form = page.request["PATH_INFO"]
    assert visitor.post(form, {"password1": "short", "password2": "short"}).status_code == 200
    assert visitor.post(form, {"password1": NEW, "password2": NEW}).status_code == 302
    assert not signed_in(before), "a session from before the reset goes on"
    assert not signed_in(sign_in("ann")[0])
    assert signed_in(sign_in("ann", NEW)[0])
    assert "accounts.password_reset" in actions()
    again = Client()
    assert again.post(again.get(link, follow=True).request["PATH_INFO"], {"password1": PASSWORD, "password2": PASSWORD})
    assert signed_in(sign_in("ann", NEW)[0]), "a used link worked twice"


def test_asking_for_an_unknown_address_tells_nothing(client, person, mailoutbox):
    person("ann", Role.VIEWER)
    known = client.post("/account/password/reset/", {"email": "ann@example.org"})
    unknown = client.post("/account/password/reset/", {"email": "eve@example.org"})
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    assert [mail.to for mail in mailoutbox].count(["ann@example.org"]) == 1


def test_a_changed_password_ends_the_other_sessions(person):
    person("ann", Role.VIEWER)
    here, _ = sign_in("ann")
    elsewhere, _ = sign_in("ann")
    response = here.post("/account/password/change/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})
    assert response.status_code == 302
    assert signed_in(here)
    assert not signed_in(elsewhere)
    assert actions()[-1] == "accounts.password_change"


def test_a_changed_role_ends_the_sessions(person, administrator):
    ann = person("ann", Role.VIEWER)
    client, _ = sign_in("ann")
    services.set_roles(ann, [Role.VIEWER], actor=administrator)
    assert signed_in(client), "nothing changed, and yet the session ended"
    services.set_roles(ann, [Role.OPERATOR], actor=administrator)
    assert not signed_in(client)
    assert sign_in("ann", client=client)[0].get(ME).json()["roles"] == ["operator"]


def test_an_account_made_inactive_is_out_at_once(person, administrator):
    ann = person("ann", Role.VIEWER)
    client, _ = sign_in("ann")
    services.update_person(ann, actor=administrator, is_active=False)
    assert not signed_in(client)
    services.update_person(ann, actor=administrator, is_active=True)
    assert not signed_in(client), "the old session came back to life"


def test_an_old_address_opens_nothing_after_a_change(person, administrator, mailoutbox):
    ann = person("ann", Role.VIEWER)
    client, _ = sign_in("ann@example.org")
    services.update_person(ann, actor=administrator, email="new@example.org")
    assert not signed_in(sign_in("ann@example.org")[0])
    Client().post("/account/password/reset/", {"email": "ann@example.org"})
    assert not any("/password/reset/key/" in mail.body for mail in mailoutbox)
    assert signed_in(sign_in("new@example.org")[0])
