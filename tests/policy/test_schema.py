"""The description of the API: whole, valid, without a warning; every address is in it."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from django.core.management import call_command
from rest_framework.viewsets import ViewSetMixin

from mpc.accounts.idempotency import HEADER
from mpc.accounts.policy import Role
from tests import factories
from tests.policy.walking import addresses, closed_addresses, declared


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """As the command writes it, which fails on any warning and on what is no valid OpenAPI."""
    import yaml

    out = io.StringIO()
    call_command("spectacular", fail_on_warn=True, validate=True, stdout=out)
    return yaml.safe_load(out.getvalue())


def in_api() -> list[Any]:
    return [a for a in addresses() if a.view_name.startswith("api:")]


def path_of(route: str) -> str:
    """An address of the site as the description writes it: without patterns, parts in braces."""
    plain = re.sub(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)", r"{\1}", route)
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", plain).replace("^", "").replace("$", "").replace("\\Z", "")


def test_every_address_of_the_api_is_described(schema: dict[str, Any]) -> None:
    described = {
        (re.sub(r"\{[^}]*\}", "{}", path), method)
        for path, operations in schema["paths"].items()
        for method in operations
    }
    missing = [
        f"{method.upper()} {path_of(a.route)}"
        for a in in_api()
        for method in a.methods
        if (re.sub(r"\{[^}]*\}", "{}", path_of(a.route)), method) not in described
    ]
    assert missing == []
    assert len(described) >= 25


def test_every_viewset_has_an_address(schema: dict[str, Any]) -> None:
    served = {a.view_class for a in in_api()}
    ours: set[type] = set()

    def collect(kind: type) -> None:
        for child in kind.__subclasses__():
            collect(child)
            if child.__module__.split(".")[0] in {"mpc", "qc", "processors", "validation", "calibration", "tickets"}:
                ours.add(child)

    collect(ViewSetMixin)
    assert ours - served == set()


def test_every_post_takes_an_idempotency_key(schema: dict[str, Any]) -> None:
    posts = [operations["post"] for operations in schema["paths"].values() if "post" in operations]
    assert len(posts) >= 5
    for post in posts:
        (found,) = [p for p in post["parameters"] if p["name"] == HEADER]
        assert (found["in"], found["required"], found["schema"]["maxLength"]) == ("header", False, 255)
        assert {"409", "422"} <= post["responses"].keys()
    others = [o for operations in schema["paths"].values() for m, o in operations.items() if m != "post"]
    assert not any(p["name"] == HEADER for o in others for p in o.get("parameters", []))


def test_every_operation_says_what_it_is_and_who_one_has_to_be(schema: dict[str, Any]) -> None:
    names = [o["operationId"] for operations in schema["paths"].values() for o in operations.values()]
    assert len(names) == len({*names})
    for operations in schema["paths"].values():
        for operation in operations.values():
            assert operation["security"], operation["operationId"]
            assert {} not in operation["security"], f"{operation['operationId']} is open to everybody"
    assert schema["components"]["securitySchemes"]


@pytest.mark.django_db
def test_the_served_description_is_the_same(schema: dict[str, Any]) -> None:
    import yaml

    answer = factories.client(Role.VIEWER).get("/api/schema/")
    assert yaml.safe_load(answer.content)["paths"].keys() == schema["paths"].keys()


@pytest.mark.django_db
def test_a_browser_is_led_from_the_description_to_the_sign_in_and_back(client) -> None:
    answer = client.get("/api/docs/", headers={"Accept": "text/html"})
    assert (answer.status_code, answer["Location"]) == (302, "/account/login/?next=/api/docs/")
    assert client.get("/api/schema/").status_code == 401


def test_the_api_is_closed() -> None:
    assert {a.view_name for a in in_api()} <= {a.view_name for a in closed_addresses()}
    assert all(declared(a).by_api for a in in_api())
