"""A POST that is sent again does its work once: the header ``Idempotency-Key``.

The first request with a key is claimed by a row before its view runs, and its answer is kept in that row for a day. The
same request with the same key gets that answer again, marked ``Idempotency-Replayed: true``; another request with the
same key gets 422; a second one while the first is under way gets 409. Keys belong to the account that sent them.

Kept are answers that tell what was done or why it never will be. Not kept, so that trying again does try again: faults
of the server, refusals for want of rights, and "not now" (409, 429). See the IETF draft "The Idempotency-Key HTTP
Header Field" (draft-ietf-httpapi-idempotency-key-header).
"""

from __future__ import annotations

import hashlib
import json
import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from mpc.accounts import declarations, policy
from mpc.accounts.models import IdempotencyRecord
from mpc.jobs import every

logger = logging.getLogger(__name__)

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
KEY_LENGTH = 255
KEPT = timedelta(hours=24)
# A first request that has not ended by then lost its process; whoever asks again may do the work.
ABANDONED = timedelta(minutes=10)
LONGEST_BODY = 256 * 1024
LONGEST_READ = 1024 * 1024
CHUNK = 1000
KEPT_REFUSALS = frozenset({400, 404, 405, 410, 413, 415, 422})
KEPT_HEADERS = (
    "Content-Type", "Location", "ETag", "HX-Location", "HX-Push-Url", "HX-Redirect", "HX-Refresh", "HX-Trigger",
    "Upload-Offset", "Upload-Length",
)  # fmt: skip
# What says which part of a file a request carries, where its content is too long to be read twice.
PART_HEADERS = ("Content-Length", "Content-Range", "Content-Disposition", "Digest", "Upload-Offset", "Upload-Length")
FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")


@dataclass(frozen=True)
class Claim:
    """This request's right to answer for its key."""

    pk: int
    token: uuid.UUID


class IdempotencyMiddleware:
    """Answers a repeated POST with what the first one was answered. Stands behind the door that knows who may in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        claim = getattr(request, "_idempotency_claim", None)
        if claim is not None:
            try:
                _keep(claim, response)
            except DatabaseError:  # what was asked for is done; its answer counts more than its copy
                logger.exception("the answer to %s %s could not be kept for its key", request.method, request.path)
        return response

    def process_view(
        self, request: HttpRequest, view_func: Callable, view_args: tuple, view_kwargs: dict
    ) -> HttpResponse | None:
        key = request.headers.get(HEADER)
        if key is None or request.method != "POST":
            return None
        declared = declarations.declaration_of(view_func, request.resolver_match.view_name)
        if declared.public or declared.unused:
            return None
        user = _api_user(request, view_func) if declared.by_api else request.user
        if not _may_pass(user, declared):
            return None  # the view says so
        answer = _answer_for(request, key, user, api=declared.by_api)
        if answer is not None and declared.by_api and (wait := _throttled(request, view_func, user)) is not None:
            return wait
        return answer


def _may_pass(user: Any, declared: declarations.Declaration) -> bool:
    try:
        return user is not None and user.is_authenticated and policy.could(user, declared.action_for("POST"))
    except declarations.MethodUndeclared:
        return False


def _answer_for(request: HttpRequest, key: str, user: Any, *, api: bool) -> HttpResponse | None:
    """The answer to a request that does not reach its view; None for the one that does."""
    if not 0 < len(key) <= KEY_LENGTH or not key.isascii() or not key.isprintable():
        return _problem(api, 400, f"{HEADER} takes 1 to {KEY_LENGTH} printable ASCII characters, for example a UUID.")
    digest = digest_of(request)
    found = _claim(request, key, user, digest)
    if isinstance(found, Claim):
        request._idempotency_claim = found
        return None
    if found.digest != digest:
        first = f"{found.method} {found.path}"
        return _problem(
            api, 422, f"This {HEADER} was used for another request ({first}); a new request takes a new key."
        )
    if found.status is None:
        return _problem(
            api, 409, f"The first request with this {HEADER} is under way; ask again in a moment.", {"Retry-After": "1"}
        )
    if found.body is None:
        return _problem(
            api,
            409,
            f"This was done at {found.created:%Y-%m-%dT%H:%M:%SZ} (status {found.status}). Its answer holds a secret "
            "or is too long, so it was not kept; do not repeat it.",
        )
    return HttpResponse(
        bytes(found.body), status=found.status, headers={**found.headers, REPLAYED: "true"}, content_type=None
    )


def _problem(api: bool, status: int, text: str, headers: dict[str, str] | None = None) -> HttpResponse:
    if api:
        return JsonResponse({"detail": text}, status=status, headers=headers)
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8", headers=headers)


# --- The REST framework's part: who asks, and how often --------------------------------------------------------------
def _of_view(view_func: Any, name: str) -> Any:
    return getattr(view_func, "initkwargs", {}).get(name) or getattr(view_func.cls, name)


def _api_user(request: HttpRequest, view_func: Any) -> Any:
    """Who a token or session belongs to, asked as the view will ask; None where it is going to refuse."""
    authenticators = [known() for known in _of_view(view_func, "authentication_classes")]
    try:
        return Request(request, authenticators=authenticators).user
    except APIException:
        return None


def _throttled(request: HttpRequest, view_func: Any, user: Any) -> HttpResponse | None:
    """A repeated request counts towards the limits like any other."""
    asked = Request(request)
    asked._user = user
    for throttle in (known() for known in _of_view(view_func, "throttle_classes")):
        if not throttle.allow_request(asked, view_func.cls()):
            seconds = max(1, round(throttle.wait() or 1))
            return _problem(True, 429, f"Too many requests; ask again in {seconds} s.", {"Retry-After": str(seconds)})
    return None


# --- What makes two requests the same --------------------------------------------------------------------------------
def digest_of(request: HttpRequest) -> str:
    """SHA-256 of method, address and content, as hexadecimal text.

    Forms count by their values and files, not by their boundary or their form token; JSON by its values, not by its
    spaces. Other content of more than 1 MiB is not read: its length and the headers that say which part it is stand
    for it.
    """
    kind = request.content_type or ""
    if kind in FORMS:
        content: Any = [_fields_of(request), _files_of(request)]
    elif _length_of(request) > LONGEST_READ:
        content = [request.headers.get(name, "") for name in PART_HEADERS]
    else:
        content = _json_of(request.body) if kind.endswith("json") else hashlib.sha256(request.body).hexdigest()
    whole = json.dumps([request.method, request.get_full_path(), kind, content], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()


def _fields_of(request: HttpRequest) -> list[Any]:
    return sorted((name, values) for name, values in request.POST.lists() if name != "csrfmiddlewaretoken")


def _files_of(request: HttpRequest) -> list[Any]:
    found = []
    for name, files in sorted(request.FILES.lists()):
        for file in files:
            content = hashlib.sha256()
            for chunk in file.chunks(1 << 20):
                content.update(chunk)
            file.seek(0)
            found.append([name, file.name, file.size, content.hexdigest()])
    return found


def _json_of(body: bytes) -> Any:
    try:
        return ["json", json.loads(body)]
    except ValueError:  # the view says what is wrong with it
        return ["text", hashlib.sha256(body).hexdigest()]


def _length_of(request: HttpRequest) -> int:
    text = request.META.get("CONTENT_LENGTH") or "0"
    # Without a length (chunked) nobody knows before it is read.
    return int(text) if text.isdecimal() and "HTTP_TRANSFER_ENCODING" not in request.META else LONGEST_READ + 1


# --- The rows --------------------------------------------------------------------------------------------------------
def _claim(request: HttpRequest, key: str, user: Any, digest: str) -> Claim | IdempotencyRecord:
    """The right to answer for the key, or the row of who has it."""
    while True:
        try:
            with transaction.atomic():
                made = IdempotencyRecord.objects.create(
                    user_id=user.pk, key=key, method=request.method, path=request.get_full_path(), digest=digest
                )
            return Claim(made.pk, made.claim)
        except IntegrityError:
            found = IdempotencyRecord.objects.filter(user_id=user.pk, key=key).first()
        if found is not None and not _past(found):
            return found
        if found is not None:
            IdempotencyRecord.objects.filter(pk=found.pk, claim=found.claim).delete()


def _past(record: IdempotencyRecord) -> bool:
    return record.created < timezone.now() - (ABANDONED if record.status is None else KEPT)


def _keep(claim: Claim, response: HttpResponse) -> None:
    mine = IdempotencyRecord.objects.filter(pk=claim.pk, claim=claim.token, status=None)
    if not _worth_keeping(response):
        mine.delete()
        return
    lost = _holds_a_secret(response) or response.streaming or len(response.content) > LONGEST_BODY
    headers = {name: response[name] for name in KEPT_HEADERS if name in response}
    mine.update(status=response.status_code, headers=headers, body=None if lost else response.content)


def _holds_a_secret(response: HttpResponse) -> bool:
    """Whether nobody may keep a copy, as ``never_cache`` says; "no-store" alone says that it is soon out of date."""
    said = response.get("Cache-Control", "")
    return "no-store" in said and "private" in said


def _worth_keeping(response: HttpResponse) -> bool:
    if response.status_code < 400:
        return True
    # The page of a form that was refused holds tokens of its moment; it changed nothing and can be asked again.
    return response.status_code in KEPT_REFUSALS and "json" in response.get("Content-Type", "")


@every(3600.0, "accounts.idempotency")
def forget_old_keys() -> None:
    """Remove what is past, in steps short enough to keep no writer waiting."""
    now = timezone.now()
    old = IdempotencyRecord.objects.filter(created__lt=now - KEPT) | IdempotencyRecord.objects.filter(
        status=None, created__lt=now - ABANDONED
    )
    while some := list(old.order_by("created").values_list("pk", flat=True)[:CHUNK]):
        IdempotencyRecord.objects.filter(pk__in=some).delete()
