"""Visitors whom the API refuses are slowed down: the REST framework itself counts only whom it has let in."""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated, Throttled
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import exception_handler as usual_handler

from mpc.accounts import audit


class RefusedRateThrottle(SimpleRateThrottle):
    """Counts refused requests by address, at the rate of visitors; who guesses tokens soon has to wait."""

    scope = "anon"

    def get_cache_key(self, request: Request, view: Any) -> str:
        address = audit.origin_of(request._request).address
        return self.cache_format % {"scope": "refused", "ident": address or "nowhere"}


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """The usual answer to an exception; 429 in place of 401 where one address is refused too often."""
    if isinstance(exc, NotAuthenticated | AuthenticationFailed):
        throttle = RefusedRateThrottle()
        if not throttle.allow_request(context["request"], context["view"]):
            exc = Throttled(throttle.wait())
    return usual_handler(exc, context)
