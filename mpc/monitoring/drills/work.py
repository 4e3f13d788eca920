"""The work of the job ``monitoring.drill``: each trial of a detector against the faults of its kind. No Django here.

Series are made, or copies of real ones that are handed in (``Given``). Each series is drilled by itself, so that faults
are stated in its own noise; the latencies are put together afterwards. On copies of real series a finding without a
planted fault counts as a false alarm although something real may be behind it: that rate is an upper bound there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from mpc.jobs import Context, HopelessError, Inputs, Outcome, param, parse_params
from mpc.monitoring.detectors import drills
from mpc.monitoring.detectors.drills import Fault, Online, Recipe, Share
from mpc.monitoring.detectors.registry import Detector, get_detector
from mpc.monitoring.detectors.series import YEAR, Series, series_of

SIMULATED = "simulated"
LEAST_POINTS = 60
"""Points of a real series from which a drill says something."""

PLACES = (1 / 3, 0.8)
"""Part of a series in which the fault begins: something must be known before, and time must be left behind it."""

LOOKS = 36
"""A detector of the whole series looks again so often over its length."""

LIMIT_SIGMAS = 5.0
"""Limits of made series, for the detector of limits."""


@dataclass(frozen=True)
class Planted:
    """A fault as people speak of it. ``patience``: so many times the usual points may pass until it is found, for what
    grows slowly, or shows only in many points."""

    fault: Fault
    title: str
    magnitude: str
    patience: int = 1


FAULTS: dict[str, Planted] = {
    "step": Planted(drills.GAIN_STEP, "gain step", "0.3 % (3 sigma)"),
    "drift": Planted(drills.GAIN_DRIFT, "drift", "0.5 % a year (5 sigma)", patience=10),
    "noise10": Planted(drills.MORE_NOISE, "more noise", "+10 %", patience=10),
    "noise100": Planted(drills.TWICE_NOISE, "twice the noise", "+100 %", patience=4),
    "outlier": Planted(drills.OUTLIER, "outlier", "8 sigma"),
    "dead": Planted(drills.DEAD, "dead detector", "constant 0"),
    "frozen": Planted(drills.FROZEN, "frozen detector", "constant last value", patience=4),
    "missing": Planted(drills.MISSING, "missing data", "no more values"),
}

OF_KIND: dict[str, tuple[str, ...]] = {
    "step": ("step", "dead"),
    "drift": ("drift",),
    "noise": ("noise10", "noise100", "frozen"),
    "outlier": ("outlier",),
    "silence": ("missing",),
    "threshold": ("dead",),
}
"""The faults that a detector of a kind is there to find."""


@dataclass(frozen=True)
class DrillParams:
    material: str = param(
        SIMULATED, help="“simulated”, or the code of a metric whose real series are copied", max_length=60
    )
    series: int = param(100, help="How many series; of a metric at most so many", minimum=5, maximum=1000)
    years: float = param(
        3.0, help="Length of a series, the newest years of real ones", minimum=1, maximum=15, unit="years"
    )
    points: float = param(120.0, help="Points a year of made series", minimum=12, maximum=1500)
    correlation: float = param(0.3, help="Of neighbours in made series, AR(1)", minimum=0, maximum=0.9)
    outliers: float = param(0.01, help="Share of outliers in made series", minimum=0, maximum=0.2)
    season: float = param(1.0, help="Amplitude of the season in made series", minimum=0, maximum=20, unit="sigma")
    faults: str = param("", help=f"Only these, with commas: {', '.join(FAULTS)}; empty for all", max_length=120)
    detectors: str = param("", help="Only these, by their codes with commas; empty for all", max_length=200)
    within: int = param(
        12,
        help="Points within which a fault counts as found; a drift or more noise has ten times as many, twice the "
        "noise and a frozen detector four times",
        minimum=1,
        maximum=1000,
    )
    seed: int = param(1, help="Equal seeds make equal drills", minimum=0, maximum=2**31 - 1)

    @property
    def recipe(self) -> Recipe:
        return Recipe(
            years=self.years,
            points=self.points,
            correlation=self.correlation,
            outliers=self.outliers,
            season=self.season,
        )


@dataclass(frozen=True)
class DrillTrial:
    """A detector as it is set: ``mode`` is live or shadow, ``params`` what differs from its defaults."""

    detector: str
    mode: str
    params: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Given:
    """One real series to copy: days since 1970 and values (n,)."""

    times: np.ndarray
    values: np.ndarray


@dataclass(frozen=True)
class DrillRow:
    """What becomes a ``DrillRecord``: a trial against one fault, or (``fault`` empty) against none."""

    detector: str
    version: str
    mode: str
    settings: dict[str, Any]
    fault: str
    title: str
    magnitude: str
    series: int
    within: int = 0
    found: int = 0
    ever: int = 0
    rate: float | None = None
    rate_low: float | None = None
    rate_high: float | None = None
    points_median: float | None = None
    points_90: float | None = None
    days_median: float | None = None
    false: int = 0
    years: float = 0.0
    points_per_year: float | None = None
    note: str = ""


def chosen_faults(text: str) -> tuple[str, ...]:
    """The codes in a list with commas, all for an empty one. Raises HopelessError for what is no fault."""
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    wrong = [name for name in names if name not in FAULTS]
    if wrong:
        raise HopelessError(f"no fault {', '.join(wrong)}; known are: {', '.join(FAULTS)}")
    return names or tuple(FAULTS)


def drill(params: DrillParams, inputs: Inputs, context: Context) -> Outcome:
    """Drill the trials in ``inputs.extra["trials"]``; ``results`` are the rows to keep."""
    faults = chosen_faults(params.faults)
    trials: list[DrillTrial] = inputs.extra["trials"]
    if not trials:
        raise HopelessError("no detector is set to run on this material; set one, or name others")
    material, sigmas = _material(params, inputs.extra.get("given", []))
    rows: list[DrillRow] = []
    for done, trial in enumerate(trials):
        context.progress(done / len(trials), f"{trial.detector}, {trial.mode}")
        share = (done / len(trials), 1 / len(trials))
        rows += _Trial(params, trial, material, sigmas).against(faults, context, share)
    cadence = _points_per_year(material)
    summary = f"{len(material)} series of {params.material}, {cadence:.0f} points a year: " + "; ".join(
        f"{row.detector} found {row.found} of {row.series} ({row.title})" for row in rows if row.fault
    )
    facts = {
        "series": len(material),
        "series-years": round(sum(s.years for s in material), 1),
        "detectors": len(trials),
    }
    return Outcome(summary=summary, results=tuple(rows), facts=facts)


def _material(params: DrillParams, given: Sequence[Given]) -> tuple[list[Series], list[float]]:
    """The series and the standard deviation of the noise of each. Raises HopelessError."""
    if params.material == SIMULATED:
        made = drills.make_series(params.recipe, params.series, params.seed)
        return made, [params.recipe.sigma] * len(made)
    copies = [series_of(one.times, one.values) for one in given]
    with_noise = [(one, drills.noise_of_real(one)) for one in copies if len(one) >= LEAST_POINTS]
    usable = [(one, sigma) for one, sigma in with_noise if math.isfinite(sigma) and sigma > 0]
    if not usable:
        raise HopelessError(
            f"{params.material} has no series of at least {LEAST_POINTS} values that scatter; drill made ones instead"
        )
    return [one for one, _ in usable], [sigma for _, sigma in usable]


def _points_per_year(material: Sequence[Series]) -> float:
    return float(np.median([YEAR / np.median(np.diff(one.times)) for one in material]))


class _Trial:
    """One detector with its settings, over all series of the material."""

    def __init__(
        self, params: DrillParams, trial: DrillTrial, material: Sequence[Series], sigmas: Sequence[float]
    ) -> None:
        self.params, self.trial = params, trial
        self.material, self.sigmas = material, sigmas
        self.detector = get_detector(trial.detector)

    def against(self, faults: Sequence[str], context: Context, share: tuple[float, float]) -> list[DrillRow]:
        """The rows of one trial: no fault first, then each fault of its kind that was chosen."""
        wanted = [code for code in OF_KIND.get(self.detector.kind, ()) if code in faults]
        begin, part = share
        rows = [self._without()]
        for done, code in enumerate(wanted, start=1):
            context.progress(begin + part * done / (len(wanted) + 1), f"{self.trial.detector}: {FAULTS[code].title}")
            rows.append(self._with(code, rows[0]))
        return rows

    def _without(self) -> DrillRow:
        """False alarms. A made series without outliers tells those of a detector of outliers."""
        material, note = self.material, ""
        if self.detector.kind == "outlier" and self.params.material == SIMULATED and self.params.outliers:
            clean = replace(self.params.recipe, outliers=0.0)
            material, note = drills.make_series(clean, len(material), self.params.seed), "series without outliers"
        alarms = sum(len(self._online(one)(one)) for one in material)
        years = sum(one.years for one in material)
        return self._row("", "no fault", "", len(material), false=alarms, years=years, note=note)

    def _with(self, code: str, without: DrillRow) -> DrillRow:
        planted = FAULTS[code]
        within = self.params.within * planted.patience
        latencies: list[tuple[float, float]] = []
        soon = 0
        nothing = drills.Rate(0, 1.0)
        for i, (one, sigma) in enumerate(zip(self.material, self.sigmas, strict=True)):
            record = drills.drill(
                self.trial.detector,
                self._online(one),
                [one],
                planted.fault,
                sigma,
                within=within,
                places=PLACES,
                seed=self.params.seed * 100_003 + i,
                false=nothing,
            )
            soon += record.detected.hits
            if record.ever.hits:
                latencies.append((record.points_median, record.days_median))
        found = Share(soon, len(self.material))
        points, days = zip(*latencies, strict=True) if latencies else ((), ())
        return self._row(
            code,
            planted.title,
            planted.magnitude,
            len(self.material),
            within=within,
            found=soon,
            ever=len(latencies),
            rate=found.value,
            rate_low=found.interval[0],
            rate_high=found.interval[1],
            points_median=_quantile(points, 0.5),
            points_90=_quantile(points, 0.9),
            days_median=_quantile(days, 0.5),
            false=without.false,
            years=without.years,
            note=without.note,
        )

    def _row(self, fault: str, title: str, magnitude: str, series: int, **values: Any) -> DrillRow:
        return DrillRow(
            detector=self.trial.detector,
            version=self.detector.version,
            mode=self.trial.mode,
            settings=self.trial.params,
            fault=fault,
            title=title,
            magnitude=magnitude,
            series=series,
            points_per_year=_points_per_year(self.material),
            **values,
        )

    def _online(self, one: Series) -> Online:
        """The detector as it runs from day to day on this series."""
        params = parse_params(self.detector.params, self._settings(one))
        if self.detector.kind == "silence":
            return drills.online_silence(params)
        every = max(10, len(one) // LOOKS) if _looks_at_all(self.detector) else 0
        return drills.online(self.trial.detector, params, every=every)

    def _settings(self, one: Series) -> dict[str, Any]:
        if self.detector.kind != "threshold":
            return self.trial.params
        recipe = self.params.recipe
        room = LIMIT_SIGMAS * recipe.sigma
        return {"low": recipe.level - room, "high": recipe.level + room, **self.trial.params}


def _looks_at_all(detector: Detector) -> bool:
    return detector.kind == "drift"


def _quantile(values: Sequence[float], share: float) -> float | None:
    return float(np.quantile(values, share)) if len(values) else None
