"""docs/detectors.md says what the detectors do."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from mpc.jobs.params import params_as_dict
from mpc.monitoring.detectors import all_detectors
from mpc.monitoring.detectors.family import family_threshold
from tests.detectors.made import noise, times

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "detectors.md").read_text()


def test_the_example_runs() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names = {"times": times(90), "values": noise(91, 1, 90)[0], "uncertainties": np.full(90, 0.2)}
    exec(compile(example, "docs/detectors.md", "exec"), names)
    assert len(names["series"]) == 90


def test_every_detector_has_its_row_with_the_settings_that_it_has() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", PAGE, re.MULTILINE))
    assert set(rows) == {detector.code for detector in all_detectors()}
    for detector in all_detectors():
        defaults = params_as_dict(detector.params())
        named = re.findall(r"`(\w+)`(?: \(([\d.]+)( %)?)?", rows[detector.code])
        assert {name for name, _, _ in named} <= set(defaults), detector.code
        for name, value, percent in named:
            if value:
                assert float(value) / (100 if percent else 1) == defaults[name], f"{detector.code} {name}"


def test_the_limit_of_a_unit_is_the_one_told() -> None:
    assert "(3.8 for 156)" in PAGE
    assert round(family_threshold(156), 1) == 3.8
