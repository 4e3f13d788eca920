"""Writes to the audit what the sign-in announces."""

from __future__ import annotations

from typing import Any

from allauth.account import signals as account_signals
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from mpc.accounts import audit
from mpc.accounts.models import User


@receiver(user_logged_in, dispatch_uid="accounts.audit")
def signed_in(request: HttpRequest | None, user: User, **_: Any) -> None:
    audit.record(user, "accounts.sign_in", user, request=request)


@receiver(user_logged_out, dispatch_uid="accounts.audit")
def signed_out(request: HttpRequest | None, user: User | None, **_: Any) -> None:
    if user is not None:
        audit.record(user, "accounts.sign_out", user, request=request)


@receiver(user_login_failed, dispatch_uid="accounts.audit")
def sign_in_failed(credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    account = audit.account_named(credentials)
    label = "" if account else "no such account"
    audit.record(None, "accounts.sign_in_failed", account, request=request, label=label)


@receiver([account_signals.password_changed, account_signals.password_set], dispatch_uid="accounts.audit")
def password_changed(request: HttpRequest, user: User, **_: Any) -> None:
    audit.record(user, "accounts.password_change", user, request=request)


@receiver(account_signals.password_reset, dispatch_uid="accounts.audit")
def password_reset(request: HttpRequest, user: User, **_: Any) -> None:
    audit.record(user, "accounts.password_reset", user, request=request)
