"""For every page: whether anybody works, and can."""

from __future__ import annotations

from typing import Any

from django.db import DatabaseError
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from mpc.runs import services


def worker_banner(request: HttpRequest) -> dict[str, Any]:
    """``no_worker``: why nothing would be worked on, or "". Asks the database only where a template shows it."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"no_worker": ""}

    def reason() -> str:
        try:
            return services.trouble()
        except DatabaseError:
            return ""  # an error page must come out even when the database is the error

    return {"no_worker": SimpleLazyObject(reason)}
