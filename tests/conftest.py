"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def _realdata_folder() -> Path:
    return Path(os.environ.get("MPC_REALDATA", ROOT.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def realdata() -> Path:
    """The folder of real Sentinel-2 products; tests that use it are marked ``realdata``."""
    folder = _realdata_folder()
    if not (folder / "products").is_dir():
        pytest.skip(
            f"no real products at {folder}; set MPC_REALDATA to the folder that holds products/, datastrips/, xsd/"
        )
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever asks for real products carries their mark."""
    for item in items:
        if "realdata" in getattr(item, "fixturenames", ()):
            item.add_marker("realdata")
