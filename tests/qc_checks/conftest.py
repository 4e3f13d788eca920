"""The small product, made once and copied where a test changes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.qc_checks import small


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small whole product; not to be changed."""
    return small.make_product(tmp_path_factory.mktemp("small"))


@pytest.fixture
def product(pristine: Path, tmp_path: Path) -> Path:
    """A copy of the small product that a test may break."""
    return small.copy_of(pristine, tmp_path)
