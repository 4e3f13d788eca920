"""People who look, and the products that they look at."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.test import Client

from mpc.accounts.roles import Role
from mpc.products.models import Product
from tests.qc import making


@pytest.fixture(autouse=True)
def _no_requests_counted() -> None:
    """The limits of the API count in the cache; no test inherits another's."""
    cache.clear()


@pytest.fixture
def viewer(db) -> Client:
    return making.signed_in(Role.VIEWER, name="vera")


@pytest.fixture
def engineer(db) -> Client:
    return making.signed_in(Role.QC_ENGINEER, name="quinn")


@pytest.fixture
def checked(db) -> Product:
    """A product whose report holds a bit of everything."""
    product = making.make_product()
    making.make_report(
        product,
        "FAILED",
        making.SOME_WRONG,
        statistics=(making.band("B02", 10), making.band("B02", 20), making.band("B8A", 20, mean=3000.0)),
        olqc_reports=(making.olqc(), making.olqc("GEOMETRIC_QUALITY", "FAILED")),
        facts={
            "scene_classes": [{"tile": "33UUU", "resolution": 20, "percentages": {"CLOUDY_PIXEL_PERCENTAGE": 12.5}}],
            "detector_steps": [
                {
                    "tile": "33UUU",
                    "band": "B02",
                    "steps": [{"left": "04", "right": "05", "ratio": 1.0042, "uncertainty": 0.001}],
                }
            ],
        },
        pictures=("quicklook", "overlay_clouds"),
        reflectance=0.1,
    )
    return product
