"""Tokens of the API: shown once, kept as a digest, ended by their day or by hand."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.utils import timezone

from mpc.accounts import services
from mpc.accounts.models import ApiToken, AuditEntry
from mpc.accounts.roles import Role

pytestmark = pytest.mark.django_db
ME = "/api/v1/me/"


def ask(secret: str):
    return Client().get(ME, headers={"Authorization": f"Token {secret}"})


def test_a_token_speaks_for_its_account(person):
    ann = person("ann", Role.QC_ENGINEER)
    _, secret = services.make_token(ann, "nightly", 30)
    assert secret.startswith("mpc_")
    answer = ask(secret)
    assert answer.status_code == 200
    assert answer.json()["username"] == "ann"
    assert answer.json()["roles"] == ["qc_engineer"]
    assert "products.upload" in answer.json()["actions"]
    assert "accounts.manage" not in answer.json()["actions"]


def test_only_a_digest_is_kept(person):
    token, secret = services.make_token(person("ann"), "nightly", 30)
    kept = " ".join(str(value) for row in ApiToken.objects.values_list() for value in row)
    written = " ".join(str(value) for row in AuditEntry.objects.values_list() for value in row)
    assert secret not in kept + written
    assert secret[len(token.token_key) :] not in kept + written
    assert len(token.digest) == 128


def test_a_token_ends_with_its_day(person):
    token, secret = services.make_token(person("ann", Role.VIEWER), "nightly", 1)
    assert timedelta(hours=23) < token.expiry - timezone.now() <= timedelta(days=1)
    ApiToken.objects.filter(pk=token.pk).update(expiry=timezone.now() - timedelta(seconds=1))
    assert ask(secret).status_code == 401


def test_a_revoked_token_is_refused(person):
    ann = person("ann", Role.VIEWER)
    token, secret = services.make_token(ann, "nightly", 30)
    services.revoke_token(token, actor=ann)
    assert ask(secret).status_code == 401
    assert AuditEntry.objects.get(action="accounts.token_revoke").before["name"] == "nightly"


def test_a_token_follows_the_roles_and_the_state_of_its_account(person, administrator):
    ann = person("ann", Role.OPERATOR)
    _, secret = services.make_token(ann, "nightly", 30)
    services.set_roles(ann, [Role.VIEWER], actor=administrator)
    assert ask(secret).json()["roles"] == ["viewer"]
    services.update_person(ann, actor=administrator, is_active=False)
    assert ask(secret).status_code == 401


def test_only_its_owner_or_an_administrator_revokes_a_token(person, administrator):
    token, _ = services.make_token(person("ann"), "nightly", 30)
    with pytest.raises(PermissionDenied):
        services.revoke_token(token, actor=person("bob", Role.OPERATOR))
    services.revoke_token(token, actor=administrator)
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize(("name", "days"), [("", 30), ("  ", 30), ("nightly", 0), ("nightly", 91), ("nightly", -1)])
def test_a_token_needs_a_name_and_an_end_within_90_days(person, name, days):
    with pytest.raises(ValidationError):
        services.make_token(person("ann"), name, days)
    assert not ApiToken.objects.exists()


def test_an_account_holds_twenty_tokens_at_most(person):
    ann = person("ann")
    for number in range(20):
        services.make_token(ann, f"script {number}", 30)
    with pytest.raises(ValidationError, match="at most 20"):
        services.make_token(ann, "one more", 30)


@pytest.mark.parametrize("secret", ["", "mpc_" + "0" * 64, "x", "a b"])
def test_no_token_or_a_wrong_one_is_401(secret):
    assert ask(secret).status_code == 401
    assert Client().get(ME).status_code == 401


def test_the_profile_shows_a_new_token_once(person):
    client = Client()
    client.force_login(person("ann", Role.VIEWER))
    page = client.post("/people/me/tokens/", {"name": "nightly", "days": "7"})
    secret = page.context["secret"]
    assert secret in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    again = client.get("/people/me/").content.decode()
    assert "nightly" in again
    assert secret not in again
    assert ask(secret).status_code == 200
    token = ApiToken.objects.get()
    response = client.post(f"/people/tokens/{token.handle}/revoke/")
    assert response["Location"] == "/people/me/"
    assert ask(secret).status_code == 401


def test_the_profile_says_what_is_wrong_with_a_token_form(person):
    client = Client()
    client.force_login(person("ann", Role.VIEWER))
    page = client.post("/people/me/tokens/", {"name": "nightly", "days": "91"})
    assert page.status_code == 422
    assert "less than or equal to 90" in page.content.decode()


def test_another_person_s_token_is_not_revoked_by_address(person):
    token, secret = services.make_token(person("ann", Role.VIEWER), "nightly", 30)
    client = Client()
    client.force_login(person("bob", Role.OPERATOR))
    assert client.post(f"/people/tokens/{token.handle}/revoke/").status_code == 403
    assert client.post(f"/people/tokens/{token.handle[:8]}/revoke/").status_code == 404
    assert ask(secret).status_code == 200
