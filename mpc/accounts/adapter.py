"""How the sign-in package behaves here."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from mpc.accounts import audit


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are made by administrators; too many failed attempts are written to the audit."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError:
            audit.record(None, "accounts.sign_in_blocked", audit.account_named(credentials), request=request)
            raise
