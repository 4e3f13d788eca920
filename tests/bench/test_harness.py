"""How benchmarks are measured and judged; no test here depends on how fast anything is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.harness import FEWEST_PAIRS, PAIRS, Figure, compare, judged, spread_of, timed


class Clock:
    """Work of known length: wall and processor time go on by what the work says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr("bench.harness.time.perf_counter", lambda: self.now)
        monkeypatch.setattr("bench.harness._cpu", lambda: self.now / 2)

    def work(self, *seconds: float) -> object:
        turns = iter(seconds)

        def go() -> None:
            self.now += next(turns)

        return go


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_both_times_of_one_call(clock: Clock) -> None:
    assert timed(clock.work(3.0)) == timed(clock.work(3.0))
    assert (timed(clock.work(3.0)).wall, timed(clock.work(3.0)).cpu) == (3.0, 1.5)


def test_the_ratio_is_the_median_of_the_pairs(clock: Clock) -> None:
    figure = compare(
        "x",
        clock.work(9, 2, 3, 30, 2, 2.25),
        clock.work(9, 1, 1, 10, 1, 1),
        goal=2.5,
        by="wall",
        pairs=5,
        detail={"k": 1},
    )
    assert (figure.ratio, figure.value, figure.floor, figure.unit) == (2.25, 2.25, 1.0, "s (wall)")
    assert figure.detail["ratios"] == [2.0, 3.0, 3.0, 2.0, 2.25]
    assert figure.detail["pairs"] == 5
    assert (figure.detail["wall ratio"], figure.detail["cpu ratio"]) == (2.25, 2.25)
    assert (figure.detail["cpu s"], figure.detail["floor cpu s"], figure.detail["k"]) == (1.125, 0.5, 1)


def test_pairs_are_interleaved_and_each_begins_a_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    compare("x", lambda: calls.append("ours"), lambda: calls.append("floor"), pairs=4)
    assert calls == ["ours", "floor", *["ours", "floor", "floor", "ours"] * 2]
    calls.clear()
    compare("x", lambda: calls.append("ours"), lambda: calls.append("floor"), pairs=1, warm_up=False)
    assert calls.count("ours") == calls.count("floor") == FEWEST_PAIRS
    calls.clear()
    compare("x", lambda: calls.append("ours"), lambda: calls.append("floor"), warm_up=False)
    assert calls.count("ours") == calls.count("floor") == PAIRS


@pytest.mark.parametrize(
    ("ratio", "goal", "spread", "verdict"),
    [
        (1.2, 1.25, 0.04, True),
        (1.2, 1.25, 0.06, None),
        (1.5, 1.25, 0.2, False),
        (1.5, 1.25, 0.3, None),
        (1.5, None, 0.0, None),
    ],
)
def test_what_scatters_more_than_its_distance_to_the_goal_is_not_judged(
    ratio: float, goal: float | None, spread: float, verdict: bool | None
) -> None:
    assert judged(ratio, goal, spread) is verdict


def test_the_spread_is_half_the_distance_of_the_quartiles() -> None:
    assert spread_of([1.0, 2.0, 3.0]) == 1.0
    assert spread_of([1.0, 1.0, 1.0, 9.0, 1.0, 1.0, 1.0]) == 0.0


@pytest.mark.parametrize(
    ("before", "value", "after"), [(True, 9, True), (True, 11, False), (None, 9, None), (None, 11, False)]
)
def test_another_limit_can_only_take_away(before: bool | None, value: float, after: bool | None) -> None:
    figure = Figure("x", 1.0, "s", 1.0, 1.0, 2.0, before).bounded("peak MB", value, 10)
    assert figure.met is after
    assert figure.detail == {"peak MB": value, "peak MB limit": 10}


def test_floors_import_nothing_of_ours() -> None:
    floors = Path(__file__).parents[2] / "bench" / "floors"
    ours = {path.name for path in floors.parents[1].iterdir() if path.is_dir()}
    for path in floors.glob("*.py"):
        imported = {
            line.split()[1].split(".")[0]
            for line in path.read_text().splitlines()
            if line.startswith(("import ", "from "))
        }
        assert not imported & ours, path.name


def test_a_figure_is_plain_json() -> None:
    figure = compare("x", lambda: None, lambda: None, detail={"note": "n"})
    assert set(json.loads(json.dumps(figure.as_dict(), default=str))) == {
        "name", "value", "unit", "floor", "ratio", "goal", "met", "detail",
    }  # fmt: skip
