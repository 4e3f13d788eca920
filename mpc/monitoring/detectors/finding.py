"""What every detector hands back: one finding, in the same words for all."""

from __future__ import annotations

from dataclasses import dataclass

KINDS = ("step", "drift", "noise", "outlier", "silence", "threshold")


@dataclass(frozen=True)
class Finding:
    """One judged change or state of a series.

    Times are days since 1970-01-01 UTC, values in the metric's unit; NaN where a kind has none.

    Attributes:
        detector, version: who found it; a change of the method raises the version.
        kind: one of ``KINDS``.
        time: when it happened. ``interval_start``, ``interval_end``: where that surely lies.
        magnitude, magnitude_uncertainty (k = 1): step: after less before; drift: a year; noise: relative change;
            outlier: distance; silence: days late; threshold: furthest beyond the limit (signed like the value).
        score: how sure, in normal deviates where ``threshold`` of the settings is in them; silence: wait / allowed
            wait;
            threshold: points beyond the limit.
        before, after: level, noise or limit before and after; drift: the line at the first and the last point.
        found: time of the value that revealed it, as on the day; a later run with more data tells it again, alike.
        text: one sentence for people, without unit.
        ended: when the state was over (limits) or the finding was taken back (steps); None while it stands.
    """

    detector: str
    version: str
    kind: str
    time: float
    interval_start: float
    interval_end: float
    magnitude: float
    magnitude_uncertainty: float
    score: float
    before: float
    after: float
    found: float
    text: str
    ended: float | None = None
