"""Which detectors look at a series, in which mode and with which parameters.

A setting stands for all series, for a metric or for one series, and for one mode: live, shadow or off. Of live and off
the nearest one decides (at one place off wins); a shadow setting anywhere above a series makes its detector run beside
the live one. Parameters that a setting does not name come from the wider ones of its mode, then (for a shadow) from the
live ones, then from the detector.

A setting is decided for a version of its detector. When the software brings another version, nothing that it finds
alerts anybody: it runs in shadow with the live parameters until a person makes it live. A detector without any setting
runs in shadow, too. The detector of limits has no shadow: what it judges by are the requirements.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mpc.monitoring.detecting.plain import Trial
from mpc.monitoring.detectors.registry import Detector, all_detectors
from mpc.monitoring.models import DetectorMode, DetectorSetting, Series

LIMITS = "threshold"
# Plain text: what goes to the child process must not bring Django with it.
LIVE, SHADOW, OFF = DetectorMode.LIVE.value, DetectorMode.SHADOW.value, DetectorMode.OFF.value


@dataclass(frozen=True)
class Chosen:
    """The trials of one series; ``resting`` are detectors whose live setting waits for a decision on their version:
    what they found live before stays as it is. ``rule``: how
    limits are judged, None where they are not."""

    trials: tuple[Trial, ...]
    resting: frozenset[str] = frozenset()
    rule: dict[str, Any] | None = None


class Settings:
    """All settings, ready to be asked for series after series. ``Settings.load()`` is one query."""

    def __init__(self, rows: Iterable[DetectorSetting], detectors: Iterable[Detector] | None = None) -> None:
        self._rows: dict[str, list[DetectorSetting]] = defaultdict(list)
        for row in rows:
            self._rows[row.detector].append(row)
        self._detectors = list(all_detectors() if detectors is None else detectors)

    @classmethod
    def load(cls) -> Settings:
        return cls(DetectorSetting.objects.order_by("id"))

    def of(self, series: Series) -> Chosen:
        """What is to look at this series."""
        trials: list[Trial] = []
        resting = set()
        rule: dict[str, Any] | None = None
        for detector in self._detectors:
            rows = [row for row in self._rows[detector.code] if _concerns(row, series)]
            live, version = _live(rows)
            if detector.code == LIMITS:
                # What must be kept stands in the requirements; only off, or other hysteresis, can be said here.
                rule = live if rows else {}
                continue
            if live is not None and version in ("", detector.version):
                trials.append(Trial(detector.code, LIVE, live))
            elif live is not None:
                resting.add(detector.code)
                trials.append(Trial(detector.code, SHADOW, live))
            shadow = [row for row in rows if row.mode == SHADOW]
            if shadow:
                trials = [t for t in trials if (t.detector, t.mode) != (detector.code, SHADOW)]
                trials.append(Trial(detector.code, SHADOW, {**(live or {}), **_merged(shadow)}))
            elif not rows and not self._rows[detector.code]:
                trials.append(Trial(detector.code, SHADOW, {}))
        return Chosen(tuple(trials), frozenset(resting), rule)


def _concerns(row: DetectorSetting, series: Series) -> bool:
    if row.series_id is not None:
        return row.series_id == series.pk
    return row.metric_id in (None, series.metric_id)


def _nearness(row: DetectorSetting) -> int:
    return 2 if row.series_id is not None else 1 if row.metric_id is not None else 0


def _merged(rows: Iterable[DetectorSetting]) -> dict[str, Any]:
    """Parameters of several settings of one mode: the nearer one's words count."""
    merged: dict[str, Any] = {}
    for row in sorted(rows, key=_nearness):
        merged.update(row.params)
    return merged


def _live(rows: Iterable[DetectorSetting]) -> tuple[dict[str, Any] | None, str]:
    """The live parameters and the version that they were decided for; None where the detector is off or never set."""
    deciding = sorted((r for r in rows if r.mode in (LIVE, OFF)), key=lambda r: (_nearness(r), r.mode == OFF))
    if not deciding or deciding[-1].mode == OFF:
        return None, ""
    return _merged(r for r in deciding if r.mode == LIVE), deciding[-1].version


def add_first_settings(using: str = "default", **_: Any) -> None:
    """The detectors that a new centre begins with are live for all series; runs after every migration, and decides
    nothing that a person has decided: a detector that has ever had a setting is left alone."""
    if DetectorSetting._meta.db_table not in _tables(using):
        return  # migrated backwards
    known = set(DetectorSetting.history.using(using).values_list("detector", flat=True))
    if known:
        return  # a detector that comes later begins in shadow
    for detector in all_detectors():
        row = DetectorSetting(detector=detector.code, mode=LIVE, version=detector.version, note="as delivered")
        row.save(using=using)


def _tables(using: str) -> list[str]:
    from django.db import connections

    return connections[using].introspection.table_names()
