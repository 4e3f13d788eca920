"""People of each role, and a way to put addresses of our own under the site's door."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.cache import cache

from mpc.accounts.models import RoleGrant, User
from mpc.accounts.roles import Role

PASSWORD = "a long enough pass phrase"


@pytest.fixture(autouse=True)
def _no_attempts_counted() -> None:
    """The limits of the sign-in count in the cache; no test inherits another's attempts."""
    cache.clear()


@pytest.fixture
def person(db) -> Callable[..., User]:
    """Makes an account that holds these roles: ``person("ann", Role.VIEWER)``."""

    def make(name: str, *roles: Role, **values: object) -> User:
        values.setdefault("email", f"{name}@example.org")
        user = User.objects.create_user(name, password=PASSWORD, **values)
        RoleGrant.objects.bulk_create(RoleGrant(user=user, role=role) for role in roles)
        return user

    return make


@pytest.fixture
def administrator(person) -> User:
    return person("root", Role.ADMINISTRATOR)
