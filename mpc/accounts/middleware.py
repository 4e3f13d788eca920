"""What every request passes: an id to quote, and the door that knows who may come in."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest, ImproperlyConfigured, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import resolve_url

from mpc.accounts import audit, declarations, policy


class RequestIdMiddleware:
    """Gives each request an id, says it in the answer, and lets the audit know it and the address.

    The id is always made here: one that came with the request would let its sender choose what the audit says.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.request_id = str(uuid.uuid4())
        token = audit.current_origin.set(audit.origin_of(request))
        try:
            response = self.get_response(request)
        finally:
            audit.current_origin.reset(token)
        response["X-Request-ID"] = request.request_id
        return response


class NoNulMiddleware:
    """Refuses addresses with a NUL character: no text of ours holds one, and PostgreSQL fails on it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\x00" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            raise BadRequest("the address holds a NUL character")
        return self.get_response(request)


class PolicyMiddleware:
    """Lets nobody to a view that the policy does not open to them; a view that declares no policy opens to nobody."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view_func: Callable, view_args: tuple, view_kwargs: dict
    ) -> HttpResponse | None:
        match = request.resolver_match
        try:
            declared = declarations.declaration_of(view_func, match.view_name)
        except declarations.Undeclared as error:
            if settings.DEBUG or settings.TESTING:
                raise ImproperlyConfigured(str(error)) from None
            raise PermissionDenied("No policy is declared for this address, so nobody may use it.") from None
        if declared.unused:
            raise Http404("This address is not used here.")
        if declared.public or declared.by_api:
            return None
        try:
            action = declared.action_for(request.method)
        except declarations.MethodUndeclared:
            return HttpResponseNotAllowed(sorted(declared.by_method))
        if not request.user.is_authenticated:
            return _to_sign_in(request)
        if not policy.could(request.user, action):
            raise PermissionDenied(policy.reason(request.user, action))
        return None


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    """Send the visitor to the sign-in and back; a fragment sends the whole page there, not itself."""
    place = resolve_url(settings.LOGIN_URL)
    if request.headers.get("HX-Request") != "true":
        return redirect_to_login(request.get_full_path(), place)
    page = urlsplit(request.headers.get("HX-Current-URL", ""))
    back = page._replace(scheme="", netloc="", fragment="").geturl() or "/"
    answer = HttpResponse(status=401)
    answer["HX-Redirect"] = redirect_to_login(back, place).url
    return answer
