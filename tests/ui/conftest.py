"""Requests of made-up people under a small policy, and registries that a test may fill."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.http import HttpRequest
from django.test import RequestFactory

from mpc.ui import cards, headlines, navigation, panels, search, units


class Visitor(SimpleNamespace):
    """Somebody who may do what ``may`` names."""

    is_authenticated = True
    is_active = True
    pk = 1

    def get_full_name(self) -> str:
        return "Ann Other"

    def get_username(self) -> str:
        return "ann"


@pytest.fixture
def small_policy(settings) -> None:
    settings.MPC_POLICY = "tests.ui.rules"


@pytest.fixture
def request_of(small_policy) -> Callable[..., HttpRequest]:
    """``request_of("/d/?q=1", "products.view")``: a request of somebody who may do these actions."""

    def make(path: str = "/", *may: str, signed_in: bool = True, **headers: Any) -> HttpRequest:
        request = RequestFactory().get(path, **headers)
        request.user = Visitor(may=may) if signed_in else SimpleNamespace(is_authenticated=False, may=())
        return request

    return make


@pytest.fixture
def empty_registries(monkeypatch) -> None:
    filled = [(navigation, "_entries"), (cards, "_cards"), (panels, "_panels"), (search, "_searches")]
    on_home = [(headlines, "_headlines"), (headlines, "_buttons"), (units, "_parts")]
    for module, name in [*filled, *on_home]:
        monkeypatch.setattr(module, name, {})
