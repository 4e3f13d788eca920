"""What is done to accounts: each step asks the policy, keeps the centre administrable and writes to the audit."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from allauth.account.forms import ResetPasswordForm
from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from knox.settings import knox_settings

from mpc.accounts import audit
from mpc.accounts.models import ApiToken, Organisation, RoleGrant, User
from mpc.accounts.policy import require
from mpc.accounts.roles import Role

TOKEN_DAYS_MAX = 90
PERSON_FIELDS = ("display_name", "email", "organisation", "is_active")
ORGANISATION_FIELDS = ("name", "short_name", "kind", "country", "active")


def administrators() -> QuerySet[User]:
    """Active administrators who can sign in; the account of local commands is none of them."""
    return (
        User.objects.filter(Q(is_superuser=True) | Q(role_grants__role=Role.ADMINISTRATOR), is_active=True)
        .exclude(username=settings.LOCAL_ACTOR)
        .exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX)
        .distinct()
    )


def end_sessions(person: User) -> None:
    """Every session of the account ends with its next request."""
    User.objects.filter(pk=person.pk).update(session_epoch=F("session_epoch") + 1)
    person.refresh_from_db(fields=["session_epoch"])


@transaction.atomic
def create_person(
    username: str,
    *,
    actor: User,
    roles: Iterable[Role] = (),
    email: str = "",
    organisation: Organisation | None = None,
    display_name: str = "",
    password: str | None = None,
) -> User:
    """Make an account; without a password nobody can sign in until one is set through the e-mailed link.

    Raises PermissionDenied, or ValidationError with what is wrong with which value.
    """
    require(actor, "accounts.manage")
    if username.casefold() == settings.LOCAL_ACTOR.casefold():
        raise ValidationError({"username": f"The name “{username}” is kept for the account of the commands."})
    person = User(
        username=User.normalize_username(username),
        email=User.objects.normalize_email(email),
        organisation=organisation,
        display_name=display_name,
    )
    person.set_password(password)
    person.full_clean(exclude=["password"])
    if password is not None:
        validate_password(password, person)
    person.save()
    audit.record(actor, "accounts.create", person, after=_person_facts(person))
    set_roles(person, roles, actor=actor)
    return person


@transaction.atomic
def update_person(person: User, *, actor: User, **changes: Any) -> bool:
    """Change what ``PERSON_FIELDS`` names; returns whether anything changed.

    An account made inactive loses its sessions. Raises PermissionDenied or ValidationError.
    """
    require(actor, "accounts.manage")
    unknown = changes.keys() - set(PERSON_FIELDS)
    if unknown:
        raise TypeError(f"cannot change {', '.join(sorted(unknown))} of an account")
    kept = User.objects.select_for_update().get(pk=person.pk)
    _refuse_local(kept)
    before = _person_facts(kept)
    for field, value in changes.items():
        setattr(kept, field, value)
    kept.full_clean(exclude=["password"])
    after = _person_facts(kept)
    if before == after:
        return False
    if before["is_active"] and not after["is_active"]:
        _keep_an_administrator(kept, actor)
    kept.save(update_fields=list(changes))
    if before["email"].casefold() != after["email"].casefold():
        # The sign-in package remembers addresses of its own; an old one must no longer open the account.
        EmailAddress.objects.filter(user=kept).delete()
    audit.record(actor, "accounts.change", kept, **_difference(before, after))
    if before["is_active"] != after["is_active"]:
        end_sessions(kept)
    person.refresh_from_db()
    return True


@transaction.atomic
def set_roles(person: User, roles: Iterable[Role], *, actor: User) -> bool:
    """Let the person hold exactly these roles; returns whether anything changed.

    A change ends the person's sessions. Raises PermissionDenied, or ValidationError when it would leave nobody who can
    administrate.
    """
    require(actor, "accounts.manage")
    wanted = {Role(role) for role in roles}
    User.objects.select_for_update().get(pk=person.pk)
    held = {Role(role) for role in person.role_grants.values_list("role", flat=True)}
    if wanted == held:
        return False
    _refuse_local(person)
    if Role.ADMINISTRATOR in held - wanted and not person.is_superuser:
        _keep_an_administrator(person, actor)
    person.role_grants.filter(role__in=held - wanted).delete()
    RoleGrant.objects.bulk_create(
        RoleGrant(user=person, role=role, granted_by=actor) for role in Role if role in wanted - held
    )
    audit.record(actor, "accounts.roles", person, before={"roles": _values(held)}, after={"roles": _values(wanted)})
    end_sessions(person)
    person.forget_roles()
    return True


def send_password_link(person: User, *, actor: User, request: HttpRequest) -> None:
    """Send the person an e-mail with the link that sets a new password. Raises ValidationError without an address."""
    require(actor, "accounts.manage")
    if not person.email:
        raise ValidationError("This account has no e-mail address to send a link to.")
    if not person.is_active:
        raise ValidationError("This account is not active.")
    form = ResetPasswordForm({"email": person.email})
    if not form.is_valid():
        raise ValidationError(form.errors.get("email", ["The e-mail address is not usable."]))
    audit.record(actor, "accounts.password_link", person, request=request)
    form.save(request)


def make_token(person: User, name: str, days: int) -> tuple[ApiToken, str]:
    """Make an API token of the person that ends after so many days (1 to 90).

    Hands back the row and the token itself, which is kept nowhere: show it once. Raises ValidationError.
    """
    require(person, "accounts.self")
    name = name.strip()
    if not name:
        raise ValidationError({"name": "Name the token after what will use it."})
    if not 1 <= days <= TOKEN_DAYS_MAX:
        raise ValidationError({"days": f"A token lasts from 1 to {TOKEN_DAYS_MAX} days."})
    limit = knox_settings.TOKEN_LIMIT_PER_USER
    with transaction.atomic():
        if limit and ApiToken.objects.filter(user=person).count() >= limit:
            raise ValidationError(f"An account holds at most {limit} tokens; revoke one that is not used any more.")
        token, secret = ApiToken.objects.create(person, expiry=timedelta(days=days), name=name)
        audit.record(person, "accounts.token_make", person, after={"name": name, "expires": token.expiry})
    return token, secret


@transaction.atomic
def revoke_token(token: ApiToken, *, actor: User) -> None:
    """End a token: one's own, or anybody's for who manages accounts."""
    require(actor, "accounts.self" if token.user_id == actor.pk else "accounts.manage")
    audit.record(actor, "accounts.token_revoke", token.user, before={"name": token.name, "expires": token.expiry})
    token.delete()


@transaction.atomic
def save_organisation(organisation: Organisation, *, actor: User) -> None:
    """Keep a new or changed organisation. Raises PermissionDenied or ValidationError."""
    require(actor, "accounts.manage")
    organisation.country = organisation.country.upper()
    organisation.full_clean()
    kept = Organisation.objects.filter(pk=organisation.pk).first()
    before = _organisation_facts(kept) if kept else None
    after = _organisation_facts(organisation)
    if before == after:
        return
    organisation.save()
    if before is None:
        audit.record(actor, "accounts.organisation_create", organisation, after=after)
    else:
        audit.record(actor, "accounts.organisation_change", organisation, **_difference(before, after))


def _keep_an_administrator(leaving: User, actor: User) -> None:
    # The rows are locked, so that two administrators cannot remove each other at the same moment.
    list(RoleGrant.objects.select_for_update().filter(role=Role.ADMINISTRATOR).values_list("pk"))
    if not administrators().exclude(pk=leaving.pk).exists():
        raise ValidationError(f"{leaving} is the last administrator who can sign in; make another administrator first.")


def _refuse_local(person: User) -> None:
    if person.for_commands:
        raise ValidationError(f"The account “{person.username}” belongs to the commands and is not changed here.")


def _values(roles: Iterable[Role]) -> list[str]:
    return sorted(role.value for role in roles)


def _person_facts(person: User) -> dict[str, Any]:
    return {
        "username": person.username,
        "display_name": person.display_name,
        "email": person.email,
        "organisation": person.organisation.short_name if person.organisation else None,
        "is_active": person.is_active,
    }


def _organisation_facts(organisation: Organisation) -> dict[str, Any]:
    return {field: getattr(organisation, field) for field in ORGANISATION_FIELDS}


def _difference(before: dict[str, Any], after: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Only what changed, as the arguments of ``audit.record``."""
    changed = [key for key in after if before[key] != after[key]]
    return {"before": {key: before[key] for key in changed}, "after": {key: after[key] for key in changed}}
