"""The policy's table: every role and every action."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied

from mpc.accounts import policy
from mpc.accounts.roles import Role

V, Q, E, O, A = Role.VIEWER, Role.QC_ENGINEER, Role.ESL_EXPERT, Role.OPERATOR, Role.ADMINISTRATOR  # noqa: E741

# Written out by hand: a change of the policy is a change of this table too.
TABLE = {
    "accounts.self": {V, Q, E, O, A},
    "accounts.manage": {A},
    "audit.view": {A},
    "api.docs": {V, Q, E, O, A},
    "products.view": {V, Q, E, O, A},
    "products.ingest": {O, A},
    "products.upload": {Q, E, O, A},
    "products.withdraw": {O, A},
    "runs.view": {V, Q, E, O, A},
    "runs.export": {V, Q, E, O, A},
    "runs.start": {Q, E, O, A},
    "runs.cancel": {O, A},
    "runs.retry": {O, A},
    "runs.manage_queues": {O, A},
    "qc.view": {V, Q, E, O, A},
    "monitoring.view": {V, Q, E, O, A},
    "monitoring.requirements": {E, O, A},
    "monitoring.waive": {E, O, A},
    "monitoring.events": {Q, E, O, A},
    "monitoring.digest": {O, A},
    "monitoring.catalogue": {Q, E, O, A},
    "monitoring.triage": {Q, E, O, A},
    "monitoring.set_detectors": {Q, E, O, A},
    "monitoring.subscribe": {V, Q, E, O, A},
    "site.run": {O, A},
    "site.maintain": {A},
}


def run_of(user: object, kind: str = "qc.product") -> SimpleNamespace:
    return SimpleNamespace(kind=kind, requested_by_id=user.pk)


def test_the_table_names_every_action():
    assert TABLE.keys() == policy.ACTIONS.keys() == policy.TITLES.keys()


@pytest.mark.django_db
@pytest.mark.parametrize("role", Role)
def test_every_role_may_do_exactly_what_the_table_says(person, role):
    user = person("ann", role)
    assert {action for action in policy.ACTIONS if policy.allowed(user, action)} == {
        action for action, roles in TABLE.items() if role in roles
    }


@pytest.mark.django_db
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(
    ("kind", "roles"),
    [
        ("qc.product", {Q, E, O, A}),
        ("monitoring.detect", {Q, E, O, A}),
        ("products.ingest", {O, A}),
        ("calibration.dark", {O, A}),
        ("qcx", {O, A}),
    ],
)
def test_which_kind_of_run_a_role_may_start(person, role, kind, roles):
    assert policy.allowed(person("ann", role), "runs.start", kind) is (role in roles)


@pytest.mark.django_db
@pytest.mark.parametrize("role", Role)
def test_who_asked_for_a_run_may_cancel_it_and_retry_what_they_may_start(person, role):
    mine, other = person("ann", role), person("bob", Role.OPERATOR)
    operator = role in {O, A}
    assert policy.allowed(mine, "runs.cancel", run_of(mine))
    assert policy.allowed(mine, "runs.cancel", run_of(other)) is operator
    assert policy.allowed(mine, "runs.retry", run_of(mine)) is (role != V)
    assert policy.allowed(mine, "runs.retry", run_of(mine, "calibration.dark")) is operator
    assert policy.allowed(mine, "runs.retry", run_of(other)) is operator
    assert policy.could(mine, "runs.cancel")
    assert policy.could(mine, "runs.retry") is (role != V)
    assert policy.could(mine, "runs.start") is (role != V)


@pytest.mark.django_db
def test_roles_add_up(person):
    user = person("ann", Role.VIEWER, Role.OPERATOR)
    assert policy.roles_of(user) == {V, O}
    assert policy.allowed(user, "products.ingest")


@pytest.mark.django_db
def test_an_account_without_roles_has_only_itself(person):
    user = person("ann")
    assert {action for action in policy.ACTIONS if policy.could(user, action)} == {"accounts.self"}
    assert not policy.allowed(user, "runs.cancel", run_of(user))


@pytest.mark.django_db
@pytest.mark.parametrize("action", TABLE)
def test_nobody_and_the_inactive_may_do_nothing(person, action):
    inactive = person("ann", *Role, is_active=False)
    for user in (None, AnonymousUser(), inactive):
        assert not policy.allowed(user, action)
        assert not policy.could(user, action)
        assert policy.reason(user, action)
    assert policy.roles_of(inactive) == frozenset()


@pytest.mark.django_db
def test_a_superuser_is_an_administrator(person):
    user = person("ann", is_superuser=True)
    assert policy.roles_of(user) == {A}
    assert policy.allowed(user, "accounts.manage")


@pytest.mark.django_db
def test_an_unknown_action_raises_for_everybody(administrator):
    for user in (administrator, AnonymousUser(), None):
        for ask in (policy.allowed, policy.could, policy.reason, policy.require):
            with pytest.raises(policy.UnknownAction, match=r"runs\.strat"):
                ask(user, "runs.strat")


@pytest.mark.django_db
def test_reasons_say_what_it_takes(person):
    viewer, engineer = person("vic", Role.VIEWER), person("quinn", Role.QC_ENGINEER)
    assert policy.reason(AnonymousUser(), "products.view") == "Sign in to see products."
    assert policy.reason(viewer, "products.view") == ""
    assert policy.reason(viewer, "products.ingest") == (
        "To take in products from the centre's disks takes the role Operator or Administrator; this account is Viewer."
    )
    assert policy.reason(engineer, "runs.start", "calibration.dark") == (
        "To start runs of kind calibration.dark takes the role Operator or Administrator; this account is QC engineer."
    )
    assert "has no role" in policy.reason(person("new"), "products.view")
    with pytest.raises(PermissionDenied, match="Administrator"):
        policy.require(viewer, "accounts.manage")


@pytest.mark.django_db
def test_roles_are_read_once_for_a_person_and_never_for_nobody(person, django_assert_num_queries):
    person("ann", Role.VIEWER)
    user = type(person("bob")).objects.get(username="ann")
    with django_assert_num_queries(1):
        for action in policy.ACTIONS:
            policy.allowed(user, action)
            policy.could(user, action)
    with django_assert_num_queries(0):
        assert not policy.allowed(AnonymousUser(), "products.view")
    user.role_grants.create(role=Role.OPERATOR)
    user.refresh_from_db()
    assert policy.roles_of(user) == {V, O}


@pytest.mark.parametrize(
    ("text", "role"),
    [("viewer", V), ("QC engineer", Q), ("esl-expert", E), (" Operator ", O), ("ADMINISTRATOR", A)],
)
def test_a_role_is_found_by_value_or_label(text, role):
    assert Role.named(text) is role


def test_an_unknown_role_names_the_known():
    with pytest.raises(ValueError, match=r"no role “boss”.*viewer, qc_engineer"):
        Role.named("boss")
