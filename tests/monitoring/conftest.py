"""A small mission: products, runs that measured them, and a person who may look."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from mpc.accounts.models import RoleGrant, User
from mpc.accounts.roles import Role
from mpc.jobs import MeasuredValue, Outcome
from mpc.monitoring.models import Metric
from mpc.monitoring.services import store_measurements
from mpc.products.models import Product
from mpc.runs.models import Run, State

START = datetime(2026, 9, 1, 10, 10, 11, tzinfo=UTC)
EXACT = "an exact count, no estimate"


@pytest.fixture(autouse=True)
def _no_requests_counted() -> None:
    """The limits of the API count in the cache; no test inherits another's."""
    cache.clear()


@pytest.fixture
def viewer(db) -> Client:
    """The browser of somebody with the role Viewer."""
    user = User.objects.create_user("vera", password="a long enough pass phrase")
    RoleGrant.objects.create(user=user, role=Role.VIEWER)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def stranger(db) -> Client:
    """The browser of an account without a role."""
    client = Client()
    client.force_login(User.objects.create_user("nemo", password="a long enough pass phrase"))
    return client


@pytest.fixture
def make_product(db) -> Callable[..., Product]:
    """Makes a product of a unit, ``day`` days after the start of the mission."""

    def make(unit: str = "S2B", day: int = 0, **values: Any) -> Product:
        sensed = START + timedelta(days=day)
        tile = values.setdefault("tile", "33UUU")
        name = f"{unit}_MSIL1C_{sensed:%Y%m%dT%H%M%S}_N0511_R022_T{tile}_{sensed:%Y%m%dT235959}"
        facts = {"kind": "product", "level": "L1C", "unit": unit, "baseline": "05.11", "status": "PASSED"}
        place = {"path": f"/archive/{name}.SAFE", "container": "folder", "size": 1, "checksum": name}
        return Product.objects.create(name=name, observation=name, sensing_start=sensed, **{**facts, **place, **values})

    return make


@pytest.fixture
def make_run(db) -> Callable[..., Run]:
    def make(product: Product | None = None, kind: str = "qc.product") -> Run:
        title = f"{kind} of {product}" if product else kind
        return Run.objects.create(
            kind=kind, title=title[:200], product=product, queue="qc", trigger="arrival", state=State.SUCCEEDED
        )

    return make


def value(metric: str = "image.saturated_share", number: float = 1.0, **values: Any) -> MeasuredValue:
    """One number, of S2B L1C 05.11 at the start unless told otherwise."""
    values.setdefault("time", START)
    if values.get("uncertainty") is None:
        values.setdefault("no_uncertainty", EXACT)
    part = {"unit": "S2B", "level": "L1C", "baseline": "05.11", "samples": 100}
    return MeasuredValue(metric=metric, value=number, **{**part, **values})


INVENTED = ("site.bias", "a.b")


@pytest.fixture
def measure(make_run) -> Callable[..., Run]:
    """Stores values as a finished run does; the catalogue also knows the ``INVENTED`` metrics."""
    for code in INVENTED:
        Metric.objects.get_or_create(code=code, defaults={"name": code})

    def store(product: Product | None, *values: MeasuredValue, kind: str = "qc.product") -> Run:
        run = make_run(product, kind)
        store_measurements(run, Outcome(summary="measured", measurements=values))
        return run

    return store


@pytest.fixture
def mission(make_product, measure) -> list[Product]:
    """Four days of S2A and S2B: reflectance of two bands, with an uncertainty for B02, and saturation."""
    products = []
    for day in range(4):
        for unit, shift in (("S2A", 0.0), ("S2B", 0.01)):
            product = make_product(unit, day)
            when = {"time": product.sensing_start, "unit": unit}
            measure(
                product,
                value("image.mean_reflectance", 0.1 + shift + 0.001 * day, band="B02", uncertainty=0.002, **when),
                value("image.mean_reflectance", 0.2 + shift + 0.001 * day, band="B8A", **when),
                value("image.saturated_share", 0.5 * day, **when),
            )
            products.append(product)
    return products
