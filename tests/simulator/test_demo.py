"""The demonstration mission has in it what it is meant to show."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest

from processors.simulator import instrument
from processors.simulator.products import demo_items, demo_mission, demo_specs
from processors.simulator.products.demo import STEP_BAND, STEP_DATE, T34UCF


def test_mission_spans_units_tiles_baselines_and_faults():
    items = demo_items()
    specs = [item.spec for item in items]
    assert 24 <= len(items) <= 32
    assert {spec.unit for spec in specs} == {"S2A", "S2B", "S2C"}
    assert len({spec.tile.name for spec in specs}) == 3
    assert {spec.baseline for spec in specs} >= {"02.04", "02.06", "05.00", "05.09", "05.10", "05.11", "05.12"}
    assert sum(spec.baseline >= "05.10" for spec in specs) > len(specs) / 2
    assert Counter(item.kind for item in items)["datastrip"] == 1
    assert sum(spec.level == "L2A" for spec in specs) == 3
    assert 5 <= sum(bool(spec.faults) for spec in specs) <= 8
    assert len({fault for spec in specs for fault in spec.faults}) >= 7
    assert 0.3 < sum(item.zipped for item in items) / len(items) < 0.7


def test_names_are_unique_and_orbits_true():
    specs = [item.spec for item in demo_items()]
    assert len({spec.name for spec in specs}) == len(specs)
    for spec in specs:
        assert spec.orbit == instrument.relative_orbit(spec.unit, spec.absolute_orbit, spec.start)
        assert spec.orbit == {"32TNM": 65, "34UCF": 122, "56JMM": 30}[spec.tile.name]


def test_one_acquisition_is_there_in_two_processings():
    by_acquisition: dict[tuple[str, datetime, str], list[str]] = {}
    for spec in demo_specs():
        if spec.level == "L1C":
            by_acquisition.setdefault((spec.unit, spec.start, spec.tile.name), []).append(spec.baseline)
    assert [baselines for baselines in by_acquisition.values() if len(baselines) > 1] == [["02.04", "05.00"]]


def test_series_has_points_on_both_sides_of_the_step():
    series = [s for s in demo_specs() if (s.unit, s.tile, s.level) == ("S2B", T34UCF, "L1C") and s.baseline >= "05.11"]
    stepped = [spec.start >= STEP_DATE for spec in series]
    assert [any(band == STEP_BAND for band, _ in spec.gain_steps) for spec in series] == stepped
    assert min(sum(stepped), len(stepped) - sum(stepped)) >= 4
    assert {spec.cloud_cover for spec in series} == {0.0}


@pytest.fixture(scope="module")
def mission(tmp_path_factory):
    calls = []
    folder = tmp_path_factory.mktemp("mission")
    written = demo_mission(folder, progress=lambda number, count, name: calls.append((number, count, name)))
    return folder, written, calls


def test_mission_is_written_as_planned(mission):
    folder, written, calls = mission
    items = demo_items()
    assert [number for number, _, _ in calls] == list(range(1, len(items) + 1))
    assert sorted(path.name for path in folder.iterdir()) == sorted(w.path.name for w in written)
    assert [w.path.suffix == ".zip" for w in written] == [item.zipped for item in items]
    assert [tuple(p.fault for p in w.truth.faults) for w in written] == [item.spec.faults for item in items]


def test_mission_is_small(mission):
    folder, _, _ = mission
    assert sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file()) < 60e6


def test_step_is_visible_in_the_detector_and_not_in_its_neighbours(mission):
    _, written, _ = mission
    series = [w for w in written if (w.spec.unit, w.spec.tile, w.spec.level) == ("S2B", T34UCF, "L1C")]
    series = [w for w in series if w.spec.baseline >= "05.11"]
    (changed,) = {detector for w in series for _, detector in w.spec.gain_steps}
    for detector in sorted({key[2] for w in series for key in w.truth.bands if key[0] == STEP_BAND and key[2]}):
        share = {True: [], False: []}
        for w in series:
            bands = w.truth.bands
            others = bands[STEP_BAND, 20, changed + 2].mean - 1000
            share[w.spec.start >= STEP_DATE].append((bands[STEP_BAND, 20, detector].mean - 1000) / others)
        before, after = (sum(values) / len(values) for values in (share[False], share[True]))
        assert after / before == pytest.approx(1.03 if detector == changed else 1.0, abs=1e-3)
