"""On whose behalf a command acts."""

from __future__ import annotations

import os

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.management.base import CommandError
from django.db import transaction

from mpc.accounts import audit
from mpc.accounts.models import RoleGrant, User
from mpc.accounts.roles import Role


def local_actor() -> User:
    """The account that commands, schedules and the watched folder act as.

    Made when first needed. It is an administrator, for whoever runs commands on the machine owns the database anyway;
    and nobody can sign in with it: it has neither password nor e-mail address.
    """
    found = User.objects.filter(username=settings.LOCAL_ACTOR, role_grants__role=Role.ADMINISTRATOR).first()
    if found is not None:
        return found
    with transaction.atomic():
        user, _ = User.objects.get_or_create(
            username=settings.LOCAL_ACTOR,
            defaults={"display_name": "Local commands", "password": make_password(None)},
        )
        _, granted = RoleGrant.objects.get_or_create(user=user, role=Role.ADMINISTRATOR)
        if granted:
            audit.record(user, "accounts.local_actor", user, after={"roles": [Role.ADMINISTRATOR.value]})
    return user


def actor_from_option(username: str | None = None) -> User:
    """Who a command acts as: ``--user``, else the environment's MPC_USER, else the local account.

    Raises CommandError (exit status 2) for a name that no active account has.
    """
    name = username or os.environ.get("MPC_USER", "").strip()
    if not name or name == settings.LOCAL_ACTOR:
        return local_actor()
    user = User.objects.filter(username__iexact=name).first()
    if user is None:
        raise CommandError(
            f"no account “{name}”; make one with: manage.py create_user {name} --role viewer", returncode=2
        )
    if not user.is_active:
        raise CommandError(f"the account “{name}” is not active", returncode=2)
    return user
