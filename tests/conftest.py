"""Fixtures that every test may use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import override_settings

ROOT = Path(__file__).resolve().parent.parent


def _realdata_folder() -> Path:
    return Path(os.environ.get("MPC_REALDATA", ROOT.parent / "shared" / "data"))


@pytest.fixture(scope="session", autouse=True)
def _own_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Runs, uploads and letters of all tests, and of the processes that they start, stay out of the centre's state."""
    state = tmp_path_factory.mktemp("state")
    own = {
        "MPC_DATA_DIR": state,
        "MPC_RUNS_DIR": state / "runs",
        "MPC_UPLOADS_DIR": state / "uploads",
        "MPC_MEASUREMENTS_DIR": state / "measurements",
        "STATIC_ROOT": state / "static",
        "EMAIL_FILE_PATH": state / "mail",
    }
    with pytest.MonkeyPatch.context() as patch, override_settings(**own):
        patch.setenv("MPC_DATA_DIR", str(state))
        yield


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
