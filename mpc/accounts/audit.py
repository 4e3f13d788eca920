"""The audit: who did what to what, when and from where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_ipv46_address
from django.db import models
from django.http import HttpRequest

from mpc.accounts.models import AuditEntry, User


@dataclass(frozen=True)
class Origin:
    """Where an action comes from; empty outside of a request."""

    request_id: str = ""
    address: str | None = None


NOWHERE = Origin()

# Set by RequestIdMiddleware for the length of a request, so that services need not be handed the request.
current_origin: ContextVar[Origin] = ContextVar("current_origin", default=NOWHERE)


def origin_of(request: HttpRequest) -> Origin:
    """Id and address of a request.

    ``X-Forwarded-For`` counts only as far as the centre's own proxies wrote it (ALLAUTH_TRUSTED_PROXY_COUNT, the
    setting that the sign-in's limits use as well); what a client puts before that is its own claim.
    """
    address = request.META.get("REMOTE_ADDR", "")
    proxies = getattr(settings, "ALLAUTH_TRUSTED_PROXY_COUNT", 0)
    forwarded = [part.strip() for part in request.headers.get("x-forwarded-for", "").split(",") if part.strip()]
    if proxies and len(forwarded) >= proxies:
        address = forwarded[-proxies]
    try:
        validate_ipv46_address(address)
    except ValidationError:
        address = ""
    return Origin(getattr(request, "request_id", ""), address or None)


def record(
    actor: Any,
    action: str,
    obj: models.Model | None = None,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    request: HttpRequest | None = None,
    label: str = "",
) -> AuditEntry:
    """Append an entry. ``actor`` is None where nobody is signed in (a failed sign-in).

    ``before`` and ``after`` hold what changed, as values that JSON can hold; never a password or a token. The entry is
    part of the caller's transaction: what is rolled back was not done.
    """
    origin = origin_of(request) if request is not None else current_origin.get()
    entry = _entry(actor, action, obj, before, after, origin, label)
    entry.save(force_insert=True)
    return entry


def record_many(actor: Any, action: str, changes: Iterable[tuple[models.Model, Mapping[str, Any]]]) -> None:
    """Append an entry for each object with what it is ``after``; part of the caller's transaction too."""
    origin = current_origin.get()
    AuditEntry.objects.bulk_create(
        [_entry(actor, action, obj, None, after, origin) for obj, after in changes], batch_size=500
    )


def _entry(
    actor: Any,
    action: str,
    obj: models.Model | None,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    origin: Origin,
    label: str = "",
) -> AuditEntry:
    known = actor is not None and actor.pk is not None
    return AuditEntry(
        actor_id=actor.pk if known else None,
        actor_name=actor.get_username() if known else "",
        action=action,
        object_kind=obj._meta.label_lower if obj is not None else "",
        object_id=str(obj.pk) if obj is not None else "",
        object_label=(label or (str(obj) if obj is not None else ""))[:250],
        before=dict(before) if before is not None else None,
        after=dict(after) if after is not None else None,
        address=origin.address,
        request_id=origin.request_id,
    )


def account_named(credentials: Mapping[str, Any]) -> User | None:
    """The account that somebody tried to sign in to; None when there is none.

    What was typed is not kept then: people type their password into the wrong field.
    """
    name = next((str(credentials[key]) for key in ("username", "email", "login") if credentials.get(key)), "")
    if not name:
        return None
    return User.objects.filter(models.Q(username__iexact=name) | models.Q(email__iexact=name)).first()
