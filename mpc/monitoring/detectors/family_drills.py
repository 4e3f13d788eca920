"""Fault drills over all series of a unit at once: what reaches a person, how soon, and how often without cause."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from mpc.monitoring.detectors.drills import Fault, Rate, Recipe, Share, make_family, plant
from mpc.monitoring.detectors.family import FamilyParams, Member, decide, family_threshold
from mpc.monitoring.detectors.series import Series
from mpc.monitoring.detectors.step import StepParams, find_steps

BANDS, DETECTORS = 13, 12
Pair = tuple[int, int]


@dataclass(frozen=True)
class FamilyRecord:
    """How the watch over one unit fared with a fault in one pair or in all detectors of a band.

    ``detected``: a change with a faulty part reached a person within ``within`` points. Latencies in points and days
    from the fault to that moment; ``alone``: to the moment at which a scan had found it, which is what the decision
    adds.
    """

    fault: str
    within: int
    detected: Share
    ever: Share
    points_median: float
    points_90: float
    days_median: float
    days_90: float
    alone_median: float
    alone_90: float


@dataclass(frozen=True)
class FamilyWatch:
    """The watch over units without fault: changes ``raised`` to a person and steps ``found`` by the scans, a
    unit-year."""

    series: int
    threshold: float
    raised: Rate
    parts: Rate
    found: Rate
    by_neighbours: int

    @property
    def a_month(self) -> float:
        return self.raised.value / 12


@dataclass(frozen=True)
class Setting:
    """What all family drills share; ``shared`` is the part of the noise that all series of a unit have in common."""

    recipe: Recipe
    units: int
    shared: float = 0.0
    bands: int = BANDS
    detectors: int = DETECTORS
    seed: int = 1
    family: FamilyParams = field(default_factory=FamilyParams)
    step: StepParams = field(default_factory=StepParams)

    def unit(self, number: int) -> dict[Pair, Series]:
        return make_family(self.recipe, self.bands, self.detectors, self.shared, self.seed + 1000 * (number + 1))


def watch(setting: Setting) -> FamilyWatch:
    """What the watch over faultless units raises."""
    raised = parts = found = friends = 0
    years = 0.0
    for number in range(setting.units):
        made = setting.unit(number)
        members = members_of(made, setting.step)
        changes = decide(list(members.values()), setting.family)
        raised += len(changes)
        parts += sum(len(change.parts) for change in changes)
        friends += sum(change.parts[0].means == "neighbours" for change in changes)
        found += sum(len(member.steps) for member in members.values())
        years += next(iter(made.values())).years
    count = setting.bands * setting.detectors
    return FamilyWatch(
        count,
        family_threshold(count, setting.family),
        Rate(raised, years),
        Rate(parts, years),
        Rate(found, years),
        friends,
    )


def drill_family(
    setting: Setting, faults: Iterable[tuple[Fault, str]], *, repeats: int = 10, within: int = 12
) -> list[FamilyRecord]:
    """Plant each fault ``repeats`` times in each unit, one at a time, after the first year.

    ``faults``: with their scope, "pair" (one series) or "band" (all detectors of one).
    """
    wanted = list(faults)
    latencies: list[list[tuple[float, float, float]]] = [[] for _ in wanted]
    for number in range(setting.units):
        made = setting.unit(number)
        clean = members_of(made, setting.step)
        generator = np.random.default_rng(setting.seed + number)
        for rows, (fault, scope) in zip(latencies, wanted, strict=True):
            rows += [_one_fault(setting, made, clean, fault, scope, generator, within) for _ in range(repeats)]
    return [
        _record(f"{fault.title or fault.kind} in one {scope}", rows, within)
        for rows, (fault, scope) in zip(latencies, wanted, strict=True)
    ]


def members_of(family: dict[Pair, Series], params: StepParams | None = None) -> dict[Pair, Member]:
    """Each series scanned for steps."""
    return {pair: _member(pair, one, params) for pair, one in family.items()}


def _member(pair: Pair, series: Series, params: StepParams | None) -> Member:
    return Member(f"{pair[0]:02d}", f"{pair[1]:02d}", series.times.tolist(), find_steps(series, params))


def _one_fault(
    setting: Setting,
    made: dict[Pair, Series],
    clean: dict[Pair, Member],
    fault: Fault,
    scope: str,
    generator: np.random.Generator,
    within: int,
) -> tuple[float, float, float]:
    """Points and days until it was raised, and points until a scan had found it; infinite where it never was."""
    length = len(next(iter(made.values())))
    at = int(generator.integers(length // 3, length - within))
    band, own = int(generator.integers(setting.bands)), int(generator.integers(setting.detectors))
    sign = float(generator.choice([-1.0, 1.0]))
    pairs = [(band, own)] if scope == "pair" else [(band, other) for other in range(setting.detectors)]
    members = dict(clean)
    for pair in pairs:
        members[pair] = _member(pair, plant(made[pair], fault, at, setting.recipe.sigma, sign), setting.step)
    times = made[pairs[0]].times
    names = {(members[pair].band, members[pair].detector) for pair in pairs}
    raised = [
        part.raised
        for change in decide(list(members.values()), setting.family)
        for part in change.parts
        if (part.band, part.detector) in names and part.step.found >= times[at]
    ]
    found = [step.found for pair in pairs for step in members[pair].steps if step.found >= times[at]]
    moment = min(raised, default=math.inf)
    return _points(times, moment, at), moment - float(times[at]), _points(times, min(found, default=math.inf), at)


def _points(times: np.ndarray, moment: float, at: int) -> float:
    return math.inf if math.isinf(moment) else float(np.searchsorted(times, moment, side="right") - at)


def _record(fault: str, rows: Sequence[tuple[float, float, float]], within: int) -> FamilyRecord:
    points, days, alone = np.array(rows).T
    known, scanned = np.isfinite(points), np.isfinite(alone)

    def quantile(values: np.ndarray, share: float) -> float:
        return float(np.quantile(values, share)) if len(values) else math.nan

    return FamilyRecord(
        fault=fault,
        within=within,
        detected=Share(int((points <= within).sum()), len(rows)),
        ever=Share(int(known.sum()), len(rows)),
        points_median=quantile(points[known], 0.5),
        points_90=quantile(points[known], 0.9),
        days_median=quantile(days[known], 0.5),
        days_90=quantile(days[known], 0.9),
        alone_median=quantile(alone[scanned], 0.5),
        alone_90=quantile(alone[scanned], 0.9),
    )
