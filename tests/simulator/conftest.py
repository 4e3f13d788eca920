"""Products that several tests look at, each written once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from processors.simulator.products import ProductSpec, WrittenProduct, write_product

SMALL = 120


@pytest.fixture(scope="session")
def product_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str, str], WrittenProduct]:
    """The product of a unit, level and baseline: small, with a swath edge and three saturated pixels a band."""

    @cache
    def write(unit: str, level: str, baseline: str) -> WrittenProduct:
        spec = ProductSpec(
            unit=unit, level=level, baseline=baseline, size_10m=SMALL, nodata_fraction=0.2, saturated_pixels=3
        )
        return write_product(spec, tmp_path_factory.mktemp("product"))

    return write


def only(folder: Path, pattern: str) -> Path:
    """The one file that matches."""
    found = list(folder.glob(pattern))
    assert len(found) == 1, f"{pattern}: {found}"
    return found[0]
