"""The middleware: an id on every answer, and no view without a policy."""

from __future__ import annotations

import uuid
from types import SimpleNamespace

import pytest
from allauth.account.views import password_change
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views import View
from rest_framework.decorators import action as api_action
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSet

from mpc.accounts import audit, declarations, policy
from mpc.accounts.declarations import declaration_of
from mpc.accounts.models import AuditEntry
from mpc.accounts.permissions import PolicyPermission
from mpc.accounts.roles import Role
from mpc.ui.views import PolicyMixin

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


def answer(request: HttpRequest) -> HttpResponse:
    return HttpResponse("open")


@declarations.policy("products.view")
def shown(request: HttpRequest) -> HttpResponse:
    audit.record(request.user, "test.shown")
    return HttpResponse("open")


@declarations.policy(GET="runs.view", POST="runs.start")
def started(request: HttpRequest) -> HttpResponse:
    return HttpResponse("open")


class Managed(View):
    policy_action = "accounts.manage"

    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("open")


class Cancelled(View):
    policy_actions = {"POST": "runs.cancel"}

    def post(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("open")


class Looked(PolicyMixin, View):
    policy_actions = {"GET": "runs.view", "POST": "runs.start"}

    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("open")

    post = get


class Misspelt(View):
    policy_action = "product.view"


class Runs(ViewSet):
    policy_actions = {"GET": "runs.view", "POST": "runs.start"}

    def list(self, request) -> Response:
        return Response([])

    def create(self, request) -> Response:
        return Response({})

    @api_action(detail=False, methods=["post"], policy_action="audit.view", policy_actions={})
    def sweep(self, request) -> Response:
        return Response({})

    policy_action = ""


class Unguarded(APIView):
    policy_action = "runs.view"
    permission_classes = [AllowAny]


class Undecided(APIView):
    def get(self, request) -> Response:
        return Response({})


def shut(request: HttpRequest, exception: Exception) -> HttpResponse:
    return HttpResponse(str(exception), status=403)


handler403 = shut
router = SimpleRouter()
router.register("runs", Runs, basename="run")
urlpatterns = [
    path("account/", include("allauth.account.urls")),
    path("answer/", answer, name="answer"),
    path("shown/", shown, name="shown"),
    path("started/", started, name="started"),
    path("managed/", Managed.as_view(), name="managed"),
    path("cancelled/", Cancelled.as_view(), name="cancelled"),
    path("looked/", Looked.as_view(), name="looked"),
    path("misspelt/", Misspelt.as_view(), name="misspelt"),
    path("unguarded/", Unguarded.as_view(), name="unguarded"),
    path("undecided/", Undecided.as_view(), name="undecided"),
    path("api/", include(router.urls)),
]


def test_every_answer_has_an_id_of_its_own_making(client):
    first = client.get("/account/login/", headers={"X-Request-ID": "mine"})
    second = client.get("/account/login/")
    assert uuid.UUID(first["X-Request-ID"]) != uuid.UUID(second["X-Request-ID"])


@pytest.mark.parametrize("place", ["/shown/?q=a%00b", "/shown/%00/", "/account/login/?next=%00", "/api/runs/?x=%00"])
def test_an_address_with_a_nul_is_refused_whoever_asks(client, administrator, place):
    assert client.get(place).status_code == 400
    client.force_login(administrator)
    assert client.get(place).status_code == 400
    assert client.get(place)["X-Request-ID"]


def test_the_audit_knows_the_request_without_being_given_it(client, person):
    client.force_login(person("ann", Role.VIEWER))
    response = client.get("/shown/", REMOTE_ADDR="192.0.2.9")
    entry = AuditEntry.objects.get(action="test.shown")
    assert (entry.request_id, entry.address) == (response["X-Request-ID"], "192.0.2.9")
    outside = audit.record(None, "test.outside")
    assert (outside.request_id, outside.address) == ("", None)


@pytest.mark.parametrize("place", ["/answer/", "/misspelt/", "/unguarded/", "/undecided/"])
def test_a_view_without_a_sound_declaration_raises_where_it_is_made(client, administrator, place):
    client.force_login(administrator)
    with pytest.raises(ImproperlyConfigured, match="policy"):
        client.get(place)


@pytest.mark.parametrize("place", ["/answer/", "/misspelt/", "/unguarded/", "/undecided/"])
def test_and_is_shut_to_everybody_in_production(client, administrator, settings, place):
    settings.TESTING = settings.DEBUG = False
    client.force_login(administrator)
    assert client.get(place).status_code == 403


@pytest.mark.parametrize(
    ("role", "place", "method", "status"),
    [
        (Role.VIEWER, "/shown/", "get", 200),
        (Role.VIEWER, "/started/", "get", 200),
        (Role.VIEWER, "/started/", "head", 200),
        (Role.VIEWER, "/started/", "post", 403),
        (Role.QC_ENGINEER, "/started/", "post", 200),
        (Role.OPERATOR, "/managed/", "get", 403),
        (Role.ADMINISTRATOR, "/managed/", "get", 200),
        (Role.VIEWER, "/cancelled/", "post", 200),  # it may be the visitor's own run: the view asks again
        (Role.VIEWER, "/cancelled/", "get", 405),
        (Role.VIEWER, "/looked/", "head", 200),
        (Role.VIEWER, "/looked/", "options", 200),
        (Role.VIEWER, "/looked/", "post", 403),
        (Role.VIEWER, "/api/runs/", "get", 200),
        (Role.VIEWER, "/api/runs/", "post", 403),
        (Role.VIEWER, "/api/runs/", "delete", 405),
        (Role.OPERATOR, "/api/runs/", "post", 200),
        (Role.OPERATOR, "/api/runs/sweep/", "post", 403),
        (Role.ADMINISTRATOR, "/api/runs/sweep/", "post", 200),
    ],
)
def test_the_door_keeps_to_the_policy(client, person, role, place, method, status):
    client.force_login(person("ann", role))
    assert getattr(client, method)(place).status_code == status


def test_a_visitor_is_led_to_the_sign_in_and_back(client):
    response = client.get("/shown/?unit=S2A")
    assert (response.status_code, response["Location"]) == (302, "/account/login/?next=/shown/%3Funit%3DS2A")


def test_a_fragment_leads_the_whole_page_to_the_sign_in(client):
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/managed/?page=2"}
    response = client.get("/shown/", headers=headers)
    assert response.status_code == 401
    assert response["HX-Redirect"] == "/account/login/?next=/managed/%3Fpage%3D2"


def test_the_api_answers_visitors_401_and_never_leads_them_away(client):
    response = client.get("/api/runs/")
    assert (response.status_code, response["WWW-Authenticate"]) == (401, "Token")


def test_a_refusal_says_why(client, person):
    client.force_login(person("ann", Role.VIEWER))
    response = client.post("/api/runs/")
    assert "takes the role QC engineer" in response.json()["detail"]


def test_a_decorator_refuses_what_the_policy_does_not_know():
    with pytest.raises(policy.UnknownAction, match=r"run\.view"):
        declarations.policy("run.view")
    with pytest.raises(policy.UnknownAction, match=r"run\.start"):
        declarations.policy(POST="run.start")


def test_what_as_view_states_stands_before_the_class():
    given = Managed.as_view(policy_action="runs.view")
    assert declaration_of(given, "given").actions() == {"runs.view"}
    assert declaration_of(Managed.as_view(), "managed").actions() == {"accounts.manage"}


def test_foreign_views_of_the_sign_in_are_about_oneself():
    assert declaration_of(password_change, "account_change_password").actions() == {"accounts.self"}


def test_an_object_is_judged_by_the_api(person):
    ann, bob = person("ann", Role.VIEWER), person("bob", Role.VIEWER)
    view = SimpleNamespace(policy_action="runs.cancel")
    run = SimpleNamespace(kind="qc.product", requested_by_id=ann.pk)
    for user, may in ((ann, True), (bob, False)):
        request = SimpleNamespace(user=user, method="POST")
        assert PolicyPermission().has_permission(request, view)
        assert PolicyPermission().has_object_permission(request, view, run) is may
