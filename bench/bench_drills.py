"""``drills``: what each detector finds of planted faults, how soon, and how often it cries without cause."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from typing import Any

from bench.floors.steps import windowed_t
from bench.harness import Figure, Options, compare
from bench.registry import bench
from mpc.monitoring.detectors.drills import (
    DEAD,
    FROZEN,
    GAIN_DRIFT,
    GAIN_STEP,
    MISSING,
    MORE_NOISE,
    OUTLIER,
    TWICE_NOISE,
    Fault,
    Online,
    Recipe,
    Record,
    drill,
    false_alarms,
    make_series,
    online,
    online_silence,
)
from mpc.monitoring.detectors.family import FamilyParams
from mpc.monitoring.detectors.family_drills import FamilyRecord, FamilyWatch, Setting, drill_family, watch
from mpc.monitoring.detectors.series import Series
from mpc.monitoring.detectors.step import find_steps
from mpc.monitoring.detectors.threshold import ThresholdParams

LEAST_DETECTED = 0.95
MOST_FALSE_A_YEAR = 0.2
MOST_FALSE_A_MONTH = 1.0

YEARS = {"first": (0.1, 1 / 3), "second and third": (1 / 3, 1.0), "third": (2 / 3, 1.0)}
"""In which part of a series of three years a step is planted."""

DRIFT_EVERY = 10
"""Points after which the drift is told again: it looks at the whole series."""


@bench("drills")
def drills(options: Options) -> Figure:
    """Faults planted in 200 series of 3 years: detection, latency and false alarms of each detector, online."""
    recipe = Recipe()
    count = 6 if options.tiny else 200
    series = make_series(recipe, count, seed=11)
    records = _records(recipe, series, options.tiny)
    steps = _steps(recipe, series)
    setting = Setting(recipe, units=1 if options.tiny else 6, **({"bands": 2, "detectors": 3} if options.tiny else {}))
    alike = replace(setting, shared=0.5)
    watched = {"independent": watch(setting), "half of the noise shared": watch(alike)}
    families = _families(setting, options.tiny)
    figure = compare(
        "drills",
        lambda: [find_steps(one) for one in series[:40]],
        lambda: [windowed_t(one.values) for one in series[:40]],
        by="cpu",
        pairs=options.pairs,
        detail={
            "floor": "a plain windowed t by cumulative sums: no season, no correlation, no outliers",
            "series": count,
            "years": recipe.years,
            "points a year": recipe.points,
            "cadence days": recipe.cadence_days,
            "recipe": asdict(recipe),
            "step, by year of the fault": {year: _told(record) for year, record in steps.items()},
            "detectors": [_told(record) for record in records],
            "families": {name: _watched(one) for name, one in watched.items()},
            "family faults": [_told(record) for record in families],
        },
    )
    return figure if options.tiny else replace(figure, met=_met(steps["second and third"], watched))


def _steps(recipe: Recipe, series: list[Series]) -> dict[str, Record]:
    run = online("step")
    false = false_alarms(run, series)
    return {
        year: drill("step", run, series, GAIN_STEP, recipe.sigma, places=places, false=false)
        for year, places in YEARS.items()
    }


def _records(recipe: Recipe, series: list[Series], tiny: bool) -> list[Record]:
    pure = make_series(replace(recipe, outliers=0.0), len(series), seed=12)
    limits = ThresholdParams(low=recipe.level - 5 * recipe.sigma, high=recipe.level + 5 * recipe.sigma)
    runs: list[tuple[str, Online, list[Series], tuple[Fault, ...]]] = [
        ("step", online("step"), series, (DEAD, TWICE_NOISE)),
        ("drift", online("drift", every=60 if tiny else DRIFT_EVERY), series[:60], (GAIN_DRIFT,)),
        ("noise", online("noise"), series, (MORE_NOISE, TWICE_NOISE, FROZEN)),
        ("outlier", online("outlier"), series, (OUTLIER,)),
        ("silence", online_silence(), series, (MISSING,)),
        ("threshold", online("threshold", limits), series, (DEAD, Fault("step", 6.0, "step of 6 sigma"))),
    ]
    records = []
    for code, run, some, faults in runs:
        # What the recipe spoils on purpose is no false alarm of the detector that is there to find it.
        false = false_alarms(run, pure if code == "outlier" else some)
        records += [
            drill(code, run, some, fault, recipe.sigma, within=12, places=(1 / 3, 0.8), false=false) for fault in faults
        ]
    return records


def _families(setting: Setting, tiny: bool) -> list[FamilyRecord]:
    faults = [
        (GAIN_STEP, "pair"),
        (DEAD, "pair"),
        (GAIN_STEP, "band"),
        (Fault("step", 2.0, "step of 2 sigma"), "band"),
    ]
    alone = replace(setting, units=1 if tiny else 3)
    without = replace(alone, family=FamilyParams(agree=0))
    repeats = 1 if tiny else 30
    return drill_family(alone, faults, repeats=repeats) + [
        replace(one, fault=f"{one.fault}, neighbours not asked")
        for one in drill_family(without, faults[-1:], repeats=repeats)
    ]


def _met(step: Record, watched: dict[str, FamilyWatch]) -> bool:
    return (
        step.detected.value >= LEAST_DETECTED
        and step.false.value <= MOST_FALSE_A_YEAR
        and all(one.a_month <= MOST_FALSE_A_MONTH for one in watched.values())
    )


def _told(record: Record | FamilyRecord) -> dict[str, Any]:
    """A record as plain numbers; shares and rates with their counts and intervals."""
    found: dict[str, Any] = {}
    for name, value in vars(record).items():
        if hasattr(value, "interval"):
            counts = vars(value)
            found[name] = {"value": value.value, "95 %": list(value.interval), **counts}
        elif isinstance(value, float):
            found[name] = None if math.isnan(value) else round(value, 2)
        elif value != {}:
            found[name] = value
    return found


def _watched(one: FamilyWatch) -> dict[str, Any]:
    return {
        "series": one.series,
        "threshold": one.threshold,
        "false a month": one.a_month,
        "95 %": [limit / 12 for limit in one.raised.interval],
        "parts a month": one.parts.value / 12,
        "found by the scans a month": one.found.value / 12,
        "unit-years": one.raised.years,
        "raised by neighbours": one.by_neighbours,
    }
