"""The house's own detectors: each method of this package in the words of a finding."""

from __future__ import annotations

import math

from mpc.monitoring.detectors.drift import DriftParams, find_drift
from mpc.monitoring.detectors.finding import Finding
from mpc.monitoring.detectors.outlier import OutlierParams, find_outliers
from mpc.monitoring.detectors.registry import Detector, register
from mpc.monitoring.detectors.series import Series, date_text
from mpc.monitoring.detectors.silence import SilenceParams, silence_at
from mpc.monitoring.detectors.step import StepParams, find_steps
from mpc.monitoring.detectors.threshold import ThresholdParams, find_breaches
from mpc.monitoring.detectors.variance import NoiseChangeParams, find_noise_changes

STEP, DRIFT, NOISE, OUTLIER, SILENCE, THRESHOLD = "1.0", "1.0", "1.0", "1.0", "1.0", "1.0"
"""Versions: raised when a method changes what it finds."""


def judge_steps(series: Series, params: StepParams) -> list[Finding]:
    return [
        Finding(
            detector="step",
            version=STEP,
            kind="step",
            time=step.time,
            interval_start=step.interval_start,
            interval_end=step.interval_end,
            magnitude=step.magnitude,
            magnitude_uncertainty=step.magnitude_uncertainty,
            score=step.score,
            before=step.before,
            after=step.after,
            found=step.found,
            ended=step.taken_back,
            text=f"step by {step.magnitude:+.4g} ± {step.magnitude_uncertainty:.2g} between "
            f"{date_text(step.interval_start)} and {date_text(step.interval_end)}"
            + ("" if step.taken_back is None else f", taken back on {date_text(step.taken_back)}"),
        )
        for step in find_steps(series, params)
    ]


def judge_drift(series: Series, params: DriftParams) -> list[Finding]:
    drift = find_drift(series, params)
    if drift is None or abs(drift.score) < params.threshold or abs(drift.slope) < params.least_slope:
        return []
    season = "season removed" if drift.season_removed else f"season not removed ({drift.season_reason})"
    return [
        Finding(
            detector="drift",
            version=DRIFT,
            kind="drift",
            time=drift.start,
            interval_start=drift.start,
            interval_end=drift.end,
            magnitude=drift.slope,
            magnitude_uncertainty=drift.uncertainty,
            score=abs(drift.score),
            before=drift.at(drift.start),
            after=drift.at(drift.end),
            found=drift.end,
            text=f"drift of {drift.slope:+.4g} a year ({drift.confidence:.0%}: {drift.low:+.4g} to {drift.high:+.4g}) "
            f"since {date_text(drift.start)}, {season}",
        )
    ]


def judge_noise(series: Series, params: NoiseChangeParams) -> list[Finding]:
    return [
        Finding(
            detector="noise",
            version=NOISE,
            kind="noise",
            time=change.time,
            interval_start=change.interval_start,
            interval_end=change.interval_end,
            magnitude=change.ratio - 1,
            magnitude_uncertainty=change.ratio_uncertainty,
            score=change.score,
            before=change.before,
            after=change.after,
            found=change.found,
            text=f"noise from {change.before:.4g} to {change.after:.4g} ({change.ratio - 1:+.0%}) "
            f"about {date_text(change.time)}",
        )
        for change in find_noise_changes(series, params)
    ]


def judge_outliers(series: Series, params: OutlierParams) -> list[Finding]:
    return [
        Finding(
            detector="outlier",
            version=OUTLIER,
            kind="outlier",
            time=outlier.time,
            interval_start=outlier.time,
            interval_end=outlier.time,
            magnitude=outlier.distance,
            magnitude_uncertainty=outlier.uncertainty,
            score=outlier.score,
            before=outlier.expected,
            after=outlier.value,
            found=outlier.found,
            text=f"{outlier.value:.6g} on {date_text(outlier.time)}, expected {outlier.expected:.6g}",
        )
        for outlier in find_outliers(series, params)
    ]


def judge_silence(series: Series, params: SilenceParams) -> list[Finding]:
    """Whether the series is silent at its ``until``; at most one finding."""
    state = silence_at(series, series.until, params)
    if state is None or not state.silent or state.expected is None or state.deadline is None or state.pace is None:
        return []
    return [
        Finding(
            detector="silence",
            version=SILENCE,
            kind="silence",
            time=state.expected,
            interval_start=state.last,
            interval_end=state.deadline,
            magnitude=state.late,
            magnitude_uncertainty=(state.pace.long - state.pace.usual),
            score=state.score,
            before=state.pace.usual,
            after=series.until - state.last,
            found=state.deadline,
            text=f"silent since {date_text(state.last)}; the next value was expected on {date_text(state.expected)}, "
            f"{state.late:.1f} days ago",
        )
    ]


def judge_thresholds(series: Series, params: ThresholdParams) -> list[Finding]:
    return [
        Finding(
            detector="threshold",
            version=THRESHOLD,
            kind="threshold",
            time=breach.start,
            interval_start=breach.start,
            interval_end=breach.opened,
            magnitude=breach.worst - breach.limit,
            magnitude_uncertainty=breach.worst_uncertainty,
            score=float(breach.opened_index - breach.start_index + 1),
            before=breach.limit,
            after=breach.worst,
            found=breach.opened,
            ended=breach.closed,
            text=f"{'above' if breach.side == 'high' else 'below'} {breach.limit:.6g} since {date_text(breach.start)}, "
            f"worst {breach.worst:.6g}"
            + ("" if breach.closed is None else f", within since {date_text(breach.closed)}"),
        )
        for breach in find_breaches(series, params)
        if not math.isnan(breach.worst)
    ]


register(
    Detector("step", "Step", STEP, "step", StepParams, judge_steps, "A level that changed from one point to the next")
)
register(
    Detector("drift", "Drift", DRIFT, "drift", DriftParams, judge_drift, "A level that moves slowly, so much a year")
)
register(
    Detector(
        "noise", "Noise change", NOISE, "noise", NoiseChangeParams, judge_noise, "Values that scatter more, or less"
    )
)
register(
    Detector(
        "outlier", "Outlier", OUTLIER, "outlier", OutlierParams, judge_outliers, "Single values far from the others"
    )
)
register(
    Detector("silence", "Silence", SILENCE, "silence", SilenceParams, judge_silence, "A series that should have spoken")
)
register(
    Detector("threshold", "Limits", THRESHOLD, "threshold", ThresholdParams, judge_thresholds, "Values beyond a limit")
)
