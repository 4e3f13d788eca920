"""The detectors that come with the centre, live as on a new one."""

from __future__ import annotations

import pytest

from mpc.monitoring.detecting.settings import add_first_settings
from mpc.monitoring.models import DetectorSetting


@pytest.fixture(autouse=True)
def _first_settings(request: pytest.FixtureRequest) -> None:
    if "db" in request.fixturenames or "transactional_db" in request.fixturenames:
        request.getfixturevalue("transactional_db" if "transactional_db" in request.fixturenames else "db")
        if not DetectorSetting.objects.exists():
            add_first_settings()
