"""The work of the job ``monitoring.detect``: every detector looks at every series that it is given. No Django here.

One detector that fails on one series leaves all others alone; what it said is kept with the series.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mpc.jobs import Context, Inputs, Outcome, param, parse_params
from mpc.monitoring.detecting.plain import Breach, EachLimit, Found, Looked, OpenPart, Seen, Trial, Verdict
from mpc.monitoring.detectors.finding import Finding
from mpc.monitoring.detectors.registry import detect as run_detector
from mpc.monitoring.detectors.registry import get_detector
from mpc.monitoring.detectors.series import Series, series_of
from mpc.monitoring.detectors.threshold import ThresholdParams, find_breaches

ERROR_LENGTH = 150
POINTS_AFTER_MOST = 99
"""More values after a finding say nothing further; counted on, they would change its row at every look."""


@dataclass(frozen=True)
class DetectParams:
    unit: str = param("", help="Only series of this satellite; empty for all", max_length=3)
    group: str = param("", help="Only metrics of this group; empty for all", max_length=30)
    metric: str = param("", help="Only this metric, by its code; empty for all", max_length=60)
    since: str = param(
        "", help="Values from this day on (YYYY-MM-DD); empty for as far back as the centre looks", max_length=10
    )
    everything: bool = param(False, help="Look at every series, also where nothing is new")


def detect(params: DetectParams, inputs: Inputs, context: Context) -> Outcome:
    """Look at the series in ``inputs.extra["series"]``; ``results["seen"]`` is what was seen of each, in that order;
    the marks and times that the inputs carry go back with it."""
    given: Sequence[Looked] = inputs.extra["series"]
    now: float = inputs.extra["now"]
    seen = []
    for done, looked in enumerate(given):
        if done % 10 == 0:
            context.progress(done / max(len(given), 1), f"{done} of {len(given)} series")
        seen.append(look(looked, now))
    changes = sum(len(v.found) for s in seen for v in s.verdicts)
    failed = [(s.series, v) for s in seen for v in s.verdicts if v.failed]
    for series, verdict in failed[:50]:
        context.log(f"series {series}: {verdict.detector} ({verdict.mode}) failed: {verdict.failed}", "warning")
    summary = f"{len(seen)} series looked at: {changes} changes, {sum(len(s.breaches) for s in seen)} breaches."
    if failed:
        summary += f" {len(failed)} times a detector failed; the log says where."
    facts = {"series": len(seen), "values": sum(s.count for s in seen), "changes": changes, "failures": len(failed)}
    back = {name: inputs.extra[name] for name in ("start", "marks", "resting")}
    return Outcome(summary=summary, results={"seen": tuple(seen), **back}, facts=facts)


def look(looked: Looked, now: float) -> Seen:
    """All that is asked about one series, as it is known at ``now`` (days)."""
    known = looked.times <= now  # a clock that is ahead at the source must not break the rest
    series = series_of(looked.times[known], looked.values[known], looked.uncertainties[known], until=now)
    return Seen(
        series=looked.series,
        count=len(series),
        by_day=looked.by_day,
        first=float(series.times[0]) if len(series) else None,
        newest=float(series.times[-1]) if len(series) else None,
        verdicts=tuple(_verdict(series, test) for test in looked.trials),
        breaches=tuple(b for limit in looked.limits if (b := breach_of(series, limit, looked.rule)) is not None),
        back={part.part: back_points(series, part) for part in looked.parts},
    )


def _verdict(series: Series, trial: Trial) -> Verdict:
    said = Verdict(trial.detector, trial.version, trial.mode)
    try:
        detector = get_detector(trial.detector)
        said = replace(said, version=detector.version)
        params = parse_params(detector.params, trial.params)
        if len(series) < least_points(params):
            return replace(said, too_little=True)
        findings = run_detector(trial.detector, series, params)
        # What was taken back is not there any more.
        return replace(said, found=tuple(_found(f, series) for f in findings if f.ended is None))
    except Exception as error:  # one detector on one series; its words are kept and shown
        return replace(said, failed=f"{type(error).__name__}: {error}"[:ERROR_LENGTH])


def least_points(params: Any) -> int:
    """How many values a detector with these settings needs before it can say anything, as far as they tell."""
    named = [("before_least", "after_least"), ("before_least", "after"), ("before", "memory_least"), ("least_points",)]
    sums = [sum(getattr(params, n) for n in names) for names in named if all(hasattr(params, n) for n in names)]
    if hasattr(params, "least_gaps"):
        sums.append(params.least_gaps + 1)
    return int(min(sums, default=2))


def _found(finding: Finding, series: Series) -> Found:
    """A finding in the words of the database, where a number that is none is None."""
    numbers = {
        name: value if math.isfinite(value) else None
        for name in ("magnitude", "magnitude_uncertainty", "score", "before", "after")
        for value in [getattr(finding, name)]
    }
    return Found(
        kind=finding.kind,
        time=finding.time,
        interval_start=finding.interval_start,
        interval_end=finding.interval_end,
        text=finding.text,
        points_after=min(int((series.times > finding.found).sum()), POINTS_AFTER_MOST),
        **numbers,
    )


def breach_of(series: Series, limit: EachLimit, rule: dict[str, Any] | None) -> Breach | None:
    """The breach of a requirement on each value that is open now; None when it is kept or (no ``rule``) not judged.

    ``rule`` are settings of the detector of limits (hysteresis). ``back`` counts the newest values in a row that are
    within the limit again, fewer than would close the breach.
    """
    if rule is None:
        return None
    holds = np.ones(len(series), dtype=bool)
    if limit.first is not None:
        holds &= series.times >= limit.first
    if limit.last is not None:
        holds &= series.times < limit.last + 1
    times, values = series.times[holds], series.values[holds]
    if not len(times):
        return None
    judged = np.abs(values) if limit.absolute else values
    known = series.uncertainties[holds] if series.uncertainties is not None else None
    within = Series(times, judged, known, series.until)
    asked = parse_params(ThresholdParams, {**rule, "low": limit.low, "high": limit.high})
    still = [breach for breach in find_breaches(within, asked) if breach.open]
    if not still:
        return None
    worst = max(still, key=lambda b: abs(b.worst - b.limit))
    inside = judged >= worst.limit if worst.side == "low" else judged <= worst.limit
    spread = worst.worst_uncertainty
    return Breach(
        requirement=limit.requirement,
        since=worst.start,
        value=worst.worst,
        uncertainty=spread if math.isfinite(spread) else None,
        limit=worst.limit,
        side=worst.side,
        back=_trailing(inside),
    )


def back_points(series: Series, part: OpenPart) -> int:
    """How many of the newest values in a row are nearer to the level before the change than to the one after it.

    0 where the change has no levels, or no value has come since.
    """
    if part.before is None or part.after is None or part.before == part.after:
        return 0
    later = series.values[series.times > part.time]
    return _trailing(np.abs(later - part.before) < np.abs(later - part.after))


def _trailing(inside: np.ndarray) -> int:
    out = np.flatnonzero(~inside)
    return len(inside) if not len(out) else len(inside) - 1 - int(out[-1])
