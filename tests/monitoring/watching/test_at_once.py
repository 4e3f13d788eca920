"""Several processes open, announce and close at once: one alert, one signal, one message, one closing."""

from __future__ import annotations

import json

from tests.monitoring.rollups.test_storm import environment, run

__all__ = ["environment"]


def test_what_several_do_at_once_is_done_once(environment: dict[str, str]) -> None:
    run(environment, "manage.py", "migrate", "--verbosity", "0")
    group, same, announced, closed = json.loads(run(environment, "-m", "tests.monitoring.watching.at_once"))
    assert group == {"errors": [], "alerts": ["S2A: step in Level of B02, B03, B04 and 1 more"], "parts": 4}
    assert same == {"errors": [], "alerts": 1, "parts": 2}
    assert announced == {"errors": [], "heard": 1, "sent": 1, "messages": [["sent", 1]]}
    assert closed == {"refused": 3, "told": ["Changed: told"], "notes": 1, "state": "closed"}
