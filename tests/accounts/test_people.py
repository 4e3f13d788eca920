"""What administrators do to people and organisations, and the pages for it."""

from __future__ import annotations

import json
import re

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.test import Client

from mpc.accounts import policy, services
from mpc.accounts.actors import local_actor
from mpc.accounts.models import AuditEntry, Organisation, User
from mpc.accounts.roles import Role

from .conftest import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(administrator) -> Client:
    """A browser in which the administrator is signed in."""
    client = Client()
    client.force_login(administrator)
    return client


def last() -> AuditEntry:
    return AuditEntry.objects.order_by("-pk")[0]


# --- Services --------------------------------------------------------------------------------------------------------
def test_names_and_addresses_are_one_person_s_in_any_case(person):
    person("ann")
    for name, email in (("Ann", ""), ("bob", "ANN@example.org")):
        with pytest.raises(IntegrityError), transaction.atomic():
            User.objects.create_user(name, email=email)
    User.objects.create_user("carl")
    User.objects.create_user("dora")  # two accounts without an address are no clash


def test_a_grant_is_written_with_who_gave_it(person, administrator):
    ann = person("ann", Role.VIEWER)
    assert services.set_roles(ann, [Role.QC_ENGINEER, Role.ESL_EXPERT], actor=administrator)
    assert ann.roles == [Role.QC_ENGINEER, Role.ESL_EXPERT]
    assert {grant.granted_by for grant in ann.role_grants.all()} == {administrator}
    entry = last()
    assert (entry.actor, entry.action, entry.object_id) == (administrator, "accounts.roles", str(ann.pk))
    assert (entry.before, entry.after) == ({"roles": ["viewer"]}, {"roles": ["esl_expert", "qc_engineer"]})


def test_only_administrators_manage_accounts(person):
    ann, operator = person("ann", Role.VIEWER), person("olga", Role.OPERATOR)
    for attempt in (
        lambda: services.set_roles(ann, [Role.OPERATOR], actor=operator),
        lambda: services.update_person(ann, actor=operator, is_active=False),
        lambda: services.create_person("eve", actor=operator),
        lambda: services.save_organisation(Organisation(name="X", short_name="X"), actor=operator),
        lambda: services.set_roles(operator, list(Role), actor=operator),
    ):
        with pytest.raises(PermissionDenied, match="Administrator"):
            attempt()
    assert policy.roles_of(ann) == {Role.VIEWER}


def test_the_last_administrator_stays(administrator, person):
    local_actor()  # is an administrator too, but nobody can sign in with it
    person("idle", Role.ADMINISTRATOR, is_active=False)
    with pytest.raises(ValidationError, match="last administrator"):
        services.set_roles(administrator, [Role.VIEWER], actor=administrator)
    with pytest.raises(ValidationError, match="last administrator"):
        services.update_person(administrator, actor=administrator, is_active=False)
    other = person("other", Role.ADMINISTRATOR)
    assert services.set_roles(administrator, [Role.VIEWER], actor=other)
    assert administrator.roles == [Role.VIEWER]


def test_the_account_of_commands_is_not_changed_by_hand(administrator):
    local = local_actor()
    for attempt in (
        lambda: services.set_roles(local, [], actor=administrator),
        lambda: services.update_person(local, actor=administrator, email="me@example.org"),
    ):
        with pytest.raises(ValidationError, match="belongs to the commands"):
            attempt()
    assert local_actor().pk == local.pk
    with pytest.raises(ValidationError, match="kept for the account of the commands"):
        services.create_person("Local", actor=administrator)
    assert policy.allowed(local_actor(), "runs.start", "calibration.dark")


def test_a_change_is_written_with_what_changed_only(person, administrator):
    ann = person("ann")
    esa = Organisation.objects.create(name="European Space Agency", short_name="ESA")
    assert services.update_person(ann, actor=administrator, organisation=esa, display_name="Ann Lee", is_active=True)
    assert (ann.organisation, str(ann)) == (esa, "Ann Lee")
    entry = last()
    assert entry.before == {"display_name": "", "organisation": None}
    assert entry.after == {"display_name": "Ann Lee", "organisation": "ESA"}
    assert not services.update_person(ann, actor=administrator, display_name="Ann Lee")
    assert last() == entry


def test_two_accounts_do_not_get_one_address(person, administrator):
    person("ann")
    with pytest.raises(ValidationError, match="e-mail address exists already"):
        services.update_person(person("bob"), actor=administrator, email="Ann@example.org")


@pytest.mark.parametrize("password", ["short", "password1234", "31415926535897", "annannannann"])
def test_a_weak_password_makes_no_account(administrator, password):
    with pytest.raises(ValidationError):
        services.create_person("annannannann", actor=administrator, password=password)
    assert not User.objects.filter(username="annannannann").exists()


# --- Pages -----------------------------------------------------------------------------------------------------------
def test_an_administrator_adds_a_person_who_then_sets_the_password(desk, mailoutbox):
    Organisation.objects.create(name="European Space Agency", short_name="ESA")
    form = {"username": "ann", "email": "ann@example.org", "organisation": "esa", "roles": ["viewer", "qc_engineer"]}
    response = desk.post("/people/add/", form)
    ann = User.objects.get(username="ann")
    assert response["Location"] == f"/people/{ann.pk}/"
    assert (ann.organisation.short_name, ann.roles) == ("ESA", [Role.VIEWER, Role.QC_ENGINEER])
    assert not ann.has_usable_password()
    link = re.search(r"http://testserver(/account/password/reset/key/\S+)", mailoutbox[0].body)[1]
    visitor = Client()
    form = visitor.get(link, follow=True).request["PATH_INFO"]
    assert visitor.post(form, {"password1": PASSWORD, "password2": PASSWORD}).status_code == 302
    assert visitor.post("/account/login/", {"login": "ann", "password": PASSWORD}).status_code == 302


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"username": "root"}, "already exists"),
        ({"username": "Root"}, "exists already"),
        ({"username": "a b"}, "valid username"),
        ({"email": "root@example.org"}, "e-mail address exists already"),
        ({"email": ""}, "required"),
        ({"organisation": "NASA"}, "No organisation “NASA”"),
        ({"roles": ["boss"]}, "not one of the available choices"),
    ],
)
def test_a_wrong_form_says_what_is_wrong_and_makes_nobody(desk, change, complaint):
    response = desk.post("/people/add/", {"username": "ann", "email": "ann@example.org", **change})
    assert response.status_code == 422
    assert complaint in response.content.decode()
    assert User.objects.count() == 1


def test_an_administrator_changes_a_person(desk, person):
    ann = person("ann", Role.VIEWER)
    page = desk.get(f"/people/{ann.pk}/")
    assert page.status_code == 200
    assert 'value="viewer"' in page.content.decode()
    form = {"display_name": "Ann Lee", "email": ann.email, "is_active": "on", "roles": ["operator"]}
    assert desk.post(f"/people/{ann.pk}/", form).status_code == 302
    ann.refresh_from_db()
    assert (str(ann), ann.roles, ann.is_active) == ("Ann Lee", [Role.OPERATOR], True)
    assert "accounts.roles" in desk.get(f"/people/{ann.pk}/").content.decode()


def test_half_a_change_is_no_change(desk, administrator):
    form = {"display_name": "Renamed", "email": administrator.email, "is_active": "on", "roles": ["viewer"]}
    response = desk.post(f"/people/{administrator.pk}/", form)
    assert response.status_code == 422
    assert "last administrator" in response.content.decode()
    administrator.refresh_from_db()
    assert administrator.display_name == ""


def test_one_s_own_session_outlives_one_s_own_change(desk, administrator, person):
    person("other", Role.ADMINISTRATOR)
    form = {"email": administrator.email, "is_active": "on", "roles": ["administrator", "operator"]}
    assert desk.post(f"/people/{administrator.pk}/", form).status_code == 302
    assert desk.get("/people/").status_code == 200


def test_an_unreachable_mail_server_is_said_and_loses_nothing(desk, monkeypatch):
    def refuse(*args: object, **kwargs: object) -> None:
        raise ConnectionRefusedError("no mail server")

    monkeypatch.setattr("django.core.mail.message.EmailMessage.send", refuse)
    response = desk.post("/people/add/", {"username": "ann", "email": "ann@example.org"}, follow=True)
    assert "could not be mailed: no mail server" in response.content.decode()
    assert User.objects.filter(username="ann").exists()


def test_organisations_are_added_and_changed(desk):
    form = {"name": "Expert Laboratory", "short_name": "LAB", "kind": "esl", "country": "fr", "active": "on"}
    assert desk.post("/people/organisations/add/", form).status_code == 302
    lab = Organisation.objects.get(short_name="LAB")
    assert (lab.country, last().action) == ("FR", "accounts.organisation_create")
    assert desk.post(f"/people/organisations/{lab.pk}/", {**form, "active": ""}).status_code == 302
    assert (last().before, last().after) == ({"active": True}, {"active": False})
    assert desk.post("/people/organisations/add/", form).status_code == 422
    assert "LAB" in desk.get("/people/organisations/?q=laboratory").content.decode()


def test_the_list_of_people_is_filtered_and_costs_the_same_for_many(desk, person, django_assert_max_num_queries):
    def asked() -> tuple[int, str]:
        # What the frame of the page asks (badges, the workers' state) belongs to other apps and may grow.
        with django_assert_max_num_queries(12) as context:
            page = desk.get("/people/?role=viewer&role=operator").content.decode()
        return len(context), page

    for number in range(3):
        person(f"viewer{number}", Role.VIEWER, Role.OPERATOR)
    few, page = asked()
    assert page.count('class="id"') == 3
    assert f'href="/people/{desk.session["_auth_user_id"]}/"' not in page, "an administrator among viewers"
    for number in range(3, 20):
        person(f"viewer{number}", Role.VIEWER)
    many, page = asked()
    assert page.count('class="id"') == 20
    assert many == few


def test_people_are_filtered_by_state(desk, person):
    person("gone", is_active=False)
    assert "gone@example.org" not in desk.get("/people/?active=1").content.decode()
    assert "gone@example.org" in desk.get("/people/?active=0").content.decode()
    assert "root@example.org" not in desk.get("/people/?active=0").content.decode()


def test_the_audit_list_is_filtered_and_exported(desk, administrator, person):
    ann = person("ann", Role.VIEWER)
    services.set_roles(ann, [Role.OPERATOR], actor=administrator)
    page = desk.get(f"/people/audit/?kind=accounts.user&object={ann.pk}&action=accounts.ro").content.decode()
    assert "roles: viewer → operator" in page
    rows = json.loads(b"".join(desk.get("/people/audit/?action=accounts.roles&format=json").streaming_content))
    [row] = rows if isinstance(rows, list) else rows["rows"]
    assert row["actor_name"] == "root"
    table = b"".join(desk.get("/people/audit/?actor=ROOT&format=csv").streaming_content).decode()
    assert "accounts.roles" in table
    assert "accounts.roles" not in desk.get("/people/audit/?actor=ann").content.decode()
    assert "accounts.roles" not in desk.get("/people/audit/?until=2000-01-01").content.decode()


def test_text_of_people_is_shown_as_text(desk, person):
    ann = person("ann", Role.VIEWER, display_name="<script>alert(1)</script>")
    services.update_person(ann, actor=User.objects.get(username="root"), display_name="<b>Ann</b>")
    for place in ("/people/", f"/people/{ann.pk}/", "/people/audit/"):
        page = desk.get(place).content.decode()
        assert "<b>Ann</b>" not in page
        assert "alert(1)</script>" not in page


def test_the_profile_says_who_one_is_and_what_one_may(person):
    client = Client()
    client.force_login(person("ann", Role.QC_ENGINEER))
    page = client.get("/people/me/").content.decode()
    assert "QC engineer" in page
    assert policy.TITLES["products.upload"] in page
    assert "/account/password/change/" in page
