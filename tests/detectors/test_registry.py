"""Detectors by code: settings as text, findings in one shape, whatever the series."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from mpc.jobs.params import ParamError, describe_params, params_as_dict, parse_params
from mpc.monitoring.detectors import (
    KINDS,
    Detector,
    Finding,
    UnknownDetector,
    all_detectors,
    detect,
    get_detector,
    register,
    series_of,
)
from mpc.monitoring.detectors.step import StepParams
from mpc.monitoring.detectors.threshold import ThresholdParams
from tests.detectors.made import noise, series, times

CODES = [detector.code for detector in all_detectors()]


def test_every_kind_has_its_detector() -> None:
    assert sorted(detector.kind for detector in all_detectors()) == sorted(KINDS)


@pytest.mark.parametrize("code", CODES)
def test_settings_travel_as_text(code: str) -> None:
    detector = get_detector(code)
    described = describe_params(detector.params)
    assert all(one.help for one in described)
    plain = params_as_dict(detector.params())
    assert (
        parse_params(detector.params, {name: str(v) for name, v in plain.items() if v is not None}) == detector.params()
    )
    with pytest.raises(ParamError):
        parse_params(detector.params, {described[0].name: "much"})


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize(
    "values",
    [[], [4.5], [np.nan, np.nan], [4.5] * 90, [4.5, 4.7] * 3],
    ids=["none", "one", "missing", "constant", "six"],
)
def test_bad_series_find_nothing(code: str, values: list[float]) -> None:
    assert detect(code, series(values)) == []


@pytest.mark.parametrize("code", CODES)
def test_all_at_one_moment(code: str) -> None:
    assert all(isinstance(one, Finding) for one in detect(code, series(4.5 + noise(81, 1, 90)[0], every=0.0)))


def planted() -> np.ndarray:
    values = 50 + noise(82, 1, 365, 0.2)[0]
    values[90] += 14.0
    values[150:] += 5.0
    values[300:] = 55 + 4 * (values[300:] - 55)
    return values


@pytest.mark.parametrize(
    ("code", "settings", "index", "magnitude"),
    [
        ("step", {}, 150, 5.0),
        ("outlier", {}, 90, 14.0),
        ("noise", {}, 300, 3.0),
        ("threshold", {"high": "58"}, None, None),
    ],
)
def test_what_was_planted_is_told(code: str, settings: dict, index: int | None, magnitude: float | None) -> None:
    detector = get_detector(code)
    found = detect(code, series(planted()), parse_params(detector.params, settings))
    assert found
    for one in found:
        assert (one.detector, one.version, one.kind) == (code, detector.version, detector.kind)
        assert one.interval_start <= one.interval_end
        assert one.found >= one.interval_start
        assert math.isfinite(one.score)
        assert one.text
    if index is not None:
        near = [one for one in found if abs(one.time - times(365)[index]) <= 15]
        assert any(one.magnitude == pytest.approx(magnitude, rel=0.4) for one in near)


def test_a_drift_is_told_with_the_season() -> None:
    (one,) = detect("drift", series(50 + noise(83, 1, 365)[0] + 2 * (times(365) - times(1)) / 365.25))
    assert one.magnitude == pytest.approx(2.0, abs=0.5)
    assert one.text.endswith("season removed")
    assert one.after - one.before == pytest.approx(one.magnitude * (one.interval_end - one.interval_start) / 365.25)


def test_silence_is_told_of_the_moment_up_to_which_a_series_is_known() -> None:
    assert detect("silence", series_of(times(40), np.arange(40) % 7)) == []
    (one,) = detect("silence", series_of(times(40), np.arange(40) % 7, until=times(40)[-1] + 20))
    assert (one.magnitude, one.before, one.after) == (17.0, 3.0, 20.0)
    assert one.interval_end == one.found == times(40)[-1] + 6.0


def test_wrong_names_and_settings() -> None:
    with pytest.raises(UnknownDetector, match="no detector “stp”; known are: drift, noise"):
        detect("stp", series([1.5]))
    with pytest.raises(TypeError, match="settings of step are StepParams, not ThresholdParams"):
        detect("step", series([1.5]), ThresholdParams())
    step = get_detector("step")
    assert register(step) is step
    with pytest.raises(ValueError, match="registered already"):
        register(dataclasses.replace(step, version="2.0"))


def test_a_new_version_runs_beside_the_old_one() -> None:
    from mpc.monitoring.detectors import registry

    old = get_detector("step")
    new = Detector("step-next", "Step", "2.0", "step", StepParams, old.judge)
    try:
        register(new)
        assert len(detect("step-next", series(planted()))) == len(detect("step", series(planted())))
    finally:
        registry._DETECTORS.pop("step-next")
