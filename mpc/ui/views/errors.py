"""The page for what broke: it says so, keeps an id to quote, and logs the same id."""

from __future__ import annotations

import logging
import uuid

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import loader

logger = logging.getLogger(__name__)


def server_error(request: HttpRequest, template_name: str = "500.html") -> HttpResponse:
    """Answer 500 without asking the database or the session: either may be what broke.

    The API gets JSON. ``request_id`` is the request's own number where a middleware gave one, else a new one.
    """
    request_id = str(getattr(request, "request_id", "") or uuid.uuid4().hex[:12])
    logger.error("request %s failed: %s %s", request_id, request.method, request.path)
    if request.path.startswith("/api/"):
        body = {"detail": "The server failed on this request. The log holds the cause.", "request_id": request_id}
        return JsonResponse(body, status=500)
    page = loader.get_template(template_name).render({"request_id": request_id, "path": request.path})
    return HttpResponse(page, status=500)
