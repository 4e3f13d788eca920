"""A POST that is sent again with its key does its work once."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.test import Client
from django.urls import include, path
from django.utils import timezone
from django.views.decorators.cache import never_cache
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.response import Response
from rest_framework.throttling import UserRateThrottle
from rest_framework.views import APIView

from mpc.accounts import idempotency, services
from mpc.accounts.declarations import policy
from mpc.accounts.models import IdempotencyRecord
from mpc.accounts.roles import Role

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]
DONE: list[Any] = []
ANSWER: dict[str, Any] = {}


class Orders(APIView):
    """Does something once a request, or refuses, as a test says."""

    policy_actions = {"POST": "runs.start", "GET": "runs.view"}
    parser_classes = [JSONParser, FormParser, MultiPartParser]

    def get(self, request: Any) -> Response:
        return Response(DONE)

    def post(self, request: Any) -> Response:
        if ANSWER.get("error"):
            raise RuntimeError("the disk broke")
        files = {name: file.read().decode() for name, file in request.FILES.items()}
        DONE.append({**{k: v for k, v in request.data.items() if k not in files}, **files})
        return Response(
            {"number": len(DONE), **ANSWER.get("body", {})},
            status=ANSWER.get("status", 201),
            headers=ANSWER.get("headers"),
        )


class OnceAMinute(UserRateThrottle):
    rate = "2/min"


@policy("runs.start")
def form(request: HttpRequest) -> HttpResponse:
    DONE.append(request.POST.get("text"))
    if ANSWER.get("status"):
        return HttpResponse("<p>wrong</p>", status=ANSWER["status"])
    return HttpResponseRedirect(f"/made/{len(DONE)}/")


@never_cache
@policy("runs.start")
def secret(request: HttpRequest) -> HttpResponse:
    DONE.append("secret")
    return HttpResponse("the secret is 42")


@policy("runs.start")
def asks_again(request: HttpRequest) -> HttpResponse:
    """While it works, the same request comes a second time."""
    DONE.append("begun")
    inner = Client()
    inner.force_login(request.user)
    second = inner.post("/again/", headers={"Idempotency-Key": request.headers["Idempotency-Key"]})
    return JsonResponse({"second": second.status_code, "says": second.content.decode(), "wait": second["Retry-After"]})


@policy("runs.start")
def raw(request: HttpRequest) -> HttpResponse:
    DONE.append(len(request.read()))
    return JsonResponse({"number": len(DONE)})


urlpatterns = [
    path("account/", include("allauth.account.urls")),
    path("orders/", Orders.as_view(), name="orders"),
    path("slow/", Orders.as_view(throttle_classes=[OnceAMinute]), name="slow"),
    path("form/", form, name="form"),
    path("secret/", secret, name="secret"),
    path("again/", asks_again, name="again"),
    path("raw/", raw, name="raw"),
]


@pytest.fixture(autouse=True)
def _nothing_done() -> None:
    DONE.clear()
    ANSWER.clear()
    cache.clear()


@pytest.fixture
def ann(person) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(person("ann", Role.OPERATOR))
    return client


def post(client: Client, body: Any = None, key: str | None = "k1", place: str = "/orders/", **more: Any) -> Any:
    headers = {"Idempotency-Key": key} if key is not None else {}
    return client.post(place, body or {}, headers={**headers, **more.pop("headers", {})}, **more)


def as_json(client: Client, text: str, key: str = "k1", **more: Any) -> Any:
    return client.post("/orders/", text, content_type="application/json", headers={"Idempotency-Key": key}, **more)


def test_the_same_request_gets_the_first_answer_again(ann: Client) -> None:
    first, second = as_json(ann, '{"text": "a"}'), as_json(ann, '{"text": "a"}')
    assert (first.status_code, first.json()) == (second.status_code, second.json()) == (201, {"number": 1})
    assert DONE == [{"text": "a"}]
    assert "Idempotency-Replayed" not in first
    assert second["Idempotency-Replayed"] == "true"
    assert second["Content-Type"] == first["Content-Type"] == "application/json"
    assert first["X-Request-ID"] != second["X-Request-ID"]


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ('{"a": 1, "b": 2}', '{"b":2,"a":1}', True),  # the values count, not how they are written
        ('{"a": 1}', '{"a": 2}', False),
        ('{"a": 1}', '{"a": 1, "b": null}', False),
        ("{}", "[]", False),
        ("{", "{", True),  # what cannot be read is refused, twice the same way
        ("{", "}", False),
    ],
)
def test_which_bodies_are_the_same(ann: Client, first: str, second: str, same: bool) -> None:
    answers = [as_json(ann, first), as_json(ann, second)]
    if same:
        assert answers[1]["Idempotency-Replayed"] == "true"
        assert answers[0].content == answers[1].content
    else:
        assert answers[1].status_code == 422
        assert "used for another request (POST /orders/)" in answers[1].json()["detail"]
    assert len(DONE) <= 1


def test_a_key_belongs_to_its_address_too(ann: Client) -> None:
    assert post(ann, {"text": "a"}).status_code == 201
    assert post(ann, {"text": "a"}, place="/orders/?x=1").status_code == 422
    assert post(ann, {"text": "a"}, place="/form/").status_code == 422
    assert len(DONE) == 1


def test_without_a_key_each_request_counts(ann: Client) -> None:
    assert [post(ann, {"text": "a"}, key=None).json()["number"] for _ in range(2)] == [1, 2]
    assert not IdempotencyRecord.objects.exists()


@pytest.mark.parametrize("key", ["", "x" * 256, "ä", "a\tb"])
def test_a_key_that_is_none_is_refused(ann: Client, key: str) -> None:
    answer = post(ann, {"text": "a"}, key=key)
    assert answer.status_code == 400
    assert "1 to 255 printable" in answer.json()["detail"]
    assert not DONE


def test_each_account_has_its_own_keys(ann: Client, person) -> None:
    ben = Client()
    ben.force_login(person("ben", Role.OPERATOR))
    assert post(ann, {"text": "a"}).json() == {"number": 1}
    assert post(ben, {"text": "b"}).json() == {"number": 2}
    assert post(ann, {"text": "a"}).json() == {"number": 1}


def test_a_token_and_a_session_of_one_account_share_them(ann: Client, person) -> None:
    user = IdempotencyRecord._meta.get_field("user").related_model.objects.get(username="ann")
    _, token = services.make_token(user, "nightly", 1)
    script = Client()
    first = post(script, {"text": "a"}, headers={"Authorization": f"Token {token}"})
    assert first.status_code == 201
    assert post(ann, {"text": "a"})["Idempotency-Replayed"] == "true"
    assert post(script, {"text": "a"}, headers={"Authorization": f"Token {token}"}).json() == first.json()
    assert len(DONE) == 1


def test_nobody_and_who_may_not_keep_no_key(person) -> None:
    viewer = Client()
    viewer.force_login(person("vic", Role.VIEWER))
    assert post(Client(), {"text": "a"}).status_code == 401
    assert post(Client(), {"text": "a"}, headers={"Authorization": "Token wrong"}).status_code == 401
    assert post(Client(), place="/form/").status_code == 302
    assert post(Client(), {"login": "vic", "password": "x"}, place="/account/login/").status_code == 200
    assert post(viewer, {"text": "a"}).status_code == 403
    assert not IdempotencyRecord.objects.exists()


def test_who_lost_the_role_gets_the_old_answer_no_more(ann: Client, administrator) -> None:
    assert post(ann, {"text": "a"}).status_code == 201
    user = IdempotencyRecord.objects.get().user
    services.set_roles(user, [Role.VIEWER], actor=administrator)
    ann.force_login(user)
    assert post(ann, {"text": "a"}).status_code == 403


def test_a_session_without_the_form_token_gets_no_answer_again(person) -> None:
    strict = Client(enforce_csrf_checks=True)
    user = person("ann", Role.OPERATOR)
    strict.force_login(user)
    loose = Client()
    loose.force_login(user)
    assert post(loose, {"text": "a"}).status_code == 201
    assert post(strict, {"text": "a"}).status_code == 401


def test_a_second_one_while_the_first_is_under_way_is_told_to_wait(ann: Client) -> None:
    first = post(ann, place="/again/")
    assert first.json()["second"] == 409
    assert "under way" in first.json()["says"]
    assert first.json()["wait"] == "1"
    assert DONE == ["begun"]
    assert post(ann, place="/again/").json() == first.json()


def test_what_the_server_broke_may_be_tried_again(ann: Client) -> None:
    ANSWER["error"] = True
    assert post(ann, {"text": "a"}).status_code == 500
    ANSWER.clear()
    assert post(ann, {"text": "a"}).json() == {"number": 1}


@pytest.mark.parametrize(
    ("status", "again"), [(200, 1), (202, 1), (400, 1), (404, 1), (422, 1), (403, 2), (409, 2), (429, 2), (503, 2)]
)
def test_which_answers_stand(ann: Client, status: int, again: int) -> None:
    ANSWER["status"] = status
    assert [post(ann, {"text": "a"}).status_code for _ in range(2)] == [status, status]
    assert len(DONE) == again


def test_a_form_is_sent_once_whatever_its_form_token(ann: Client) -> None:
    one = {"text": "a", "csrfmiddlewaretoken": "x" * 64}
    first, second = (post(ann, {**one, "csrfmiddlewaretoken": t * 64}, place="/form/") for t in "xy")
    assert first["Location"] == second["Location"] == "/made/1/"
    assert second["Idempotency-Replayed"] == "true"
    assert DONE == ["a"]


def test_the_page_of_a_refused_form_is_made_anew(ann: Client) -> None:
    ANSWER["status"] = 422
    assert [post(ann, {"text": "a"}, place="/form/").status_code for _ in range(2)] == [422, 422]
    assert len(DONE) == 2


def test_a_secret_is_shown_once_and_kept_nowhere(ann: Client) -> None:
    assert "42" in post(ann, place="/secret/").content.decode()
    again = post(ann, place="/secret/")
    assert again.status_code == 409
    assert "was done at" in again.content.decode()
    assert "42" not in again.content.decode()
    assert DONE == ["secret"]
    assert IdempotencyRecord.objects.get().body is None


def test_an_answer_that_is_soon_out_of_date_is_given_again(ann: Client) -> None:
    ANSWER["headers"] = {"Cache-Control": "no-store", "Location": "/uploads/1/", "Upload-Offset": "0"}
    assert post(ann, {"text": "a"}).status_code == 201
    again = post(ann, {"text": "a"})
    assert (again.status_code, again["Location"], again["Upload-Offset"]) == (201, "/uploads/1/", "0")
    assert len(DONE) == 1


def test_an_answer_too_long_to_keep_is_not_done_twice_either(ann: Client) -> None:
    ANSWER["body"] = {"long": "x" * idempotency.LONGEST_BODY}
    assert post(ann, {"text": "a"}).status_code == 201
    assert post(ann, {"text": "a"}).status_code == 409
    assert len(DONE) == 1


def test_files_count_by_name_and_content_not_by_boundary(ann: Client) -> None:
    def send(content: bytes, boundary: str, name: str = "a.zip") -> Any:
        body = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            "Content-Type: application/zip\r\n\r\n"
        ).encode() + content + f"\r\n--{boundary}--\r\n".encode()  # fmt: skip
        return ann.post(
            "/orders/",
            body,
            content_type=f"multipart/form-data; boundary={boundary}",
            headers={"Idempotency-Key": "k"},
        )

    assert send(b"one", "aaaa").json() == {"number": 1}
    assert DONE == [{"file": "one"}], "the view did not get the file whole"
    assert send(b"one", "bbbb")["Idempotency-Replayed"] == "true"
    assert send(b"two", "cccc").status_code == 422
    assert send(b"one", "dddd", "b.zip").status_code == 422


def test_a_large_file_is_read_to_its_end_and_given_on_whole(ann: Client, settings) -> None:
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 1000
    large = b"x" * 3_000_000
    assert post(ann, {"file": SimpleUploadedFile("a.zip", large)}).status_code == 201
    assert len(DONE[0]["file"]) == len(large)
    other = large[:-1] + b"y"
    assert post(ann, {"file": SimpleUploadedFile("a.zip", other)}).status_code == 422


def test_a_long_stream_is_not_read_for_its_key(ann: Client) -> None:
    def send(content: bytes, offset: int = 0) -> Any:
        headers = {"Idempotency-Key": "k", "Upload-Offset": str(offset)}
        return ann.post("/raw/", content, content_type="application/octet-stream", headers=headers)

    long = b"x" * (idempotency.LONGEST_READ + 10)
    assert send(long).json() == {"number": 1}
    assert DONE[0] == len(long), "the view did not get the stream whole"
    assert send(long)["Idempotency-Replayed"] == "true"
    assert send(long, offset=1).status_code == 422
    assert send(long + b"x").status_code == 422


def test_repeats_count_towards_the_limits(ann: Client) -> None:
    statuses = [post(ann, {"text": "a"}, place="/slow/").status_code for _ in range(4)]
    assert statuses == [201, 201, 429, 429]
    assert len(DONE) == 1


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_only_a_post_has_a_key(ann: Client, method: str) -> None:
    getattr(ann, method)("/orders/", headers={"Idempotency-Key": "k1"})
    assert not IdempotencyRecord.objects.exists()


# --- How long --------------------------------------------------------------------------------------------------------
def age(**span: float) -> None:
    IdempotencyRecord.objects.update(created=timezone.now() - timedelta(**span))


@pytest.mark.parametrize(("hours", "number"), [(23.9, 1), (24.1, 2)])
def test_a_key_is_kept_a_day(ann: Client, hours: float, number: int) -> None:
    post(ann, {"text": "a"})
    age(hours=hours)
    assert post(ann, {"text": "a"}).json() == {"number": number}
    assert IdempotencyRecord.objects.count() == 1


@pytest.mark.parametrize(("minutes", "status"), [(9, 409), (11, 201)])
def test_a_first_request_that_never_ended_gives_its_key_back(ann: Client, minutes: float, status: int) -> None:
    post(ann, {"text": "a"})
    IdempotencyRecord.objects.update(status=None)
    age(minutes=minutes)
    assert post(ann, {"text": "a"}).status_code == status


def test_a_late_answer_takes_nobody_s_place(ann: Client) -> None:
    post(ann, {"text": "a"})
    record = IdempotencyRecord.objects.get()
    late = idempotency.Claim(record.pk, IdempotencyRecord._meta.get_field("claim").get_default())
    idempotency._keep(late, JsonResponse({"number": 99}))
    idempotency._keep(late, JsonResponse({}, status=500))
    assert json.loads(bytes(IdempotencyRecord.objects.get().body)) == {"number": 1}


def test_what_is_past_is_removed(ann: Client, monkeypatch) -> None:
    monkeypatch.setattr(idempotency, "CHUNK", 2)
    for number in range(5):
        post(ann, {"text": "a"}, key=f"k{number}")
    age(hours=25)
    post(ann, {"text": "a"}, key="young")
    idempotency.forget_old_keys()
    assert [record.key for record in IdempotencyRecord.objects.all()] == ["young"]
    IdempotencyRecord.objects.update(status=None)
    age(minutes=11)
    idempotency.forget_old_keys()
    assert not IdempotencyRecord.objects.exists()
