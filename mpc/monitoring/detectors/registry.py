"""The detectors by their codes.

    detect("step", series) -> findings in order of time
    detect("threshold", series, parse_params(get_detector("threshold").params, {"high": "12.5"}))

Settings are frozen dataclasses of :func:`mpc.jobs.params.param`, so a page, an API and a database row can hold them. A
changed method gets a new version; several versions may be registered under different codes and run side by side.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mpc.monitoring.detectors.finding import Finding
from mpc.monitoring.detectors.series import Series


class UnknownDetector(LookupError):
    """No detector of that code is registered."""


@dataclass(frozen=True)
class Detector:
    """``judge(series, params) -> findings`` without code and version, which :func:`detect` writes in."""

    code: str
    title: str
    version: str
    kind: str
    params: type
    judge: Callable[[Series, Any], list[Finding]]
    description: str = ""


_DETECTORS: dict[str, Detector] = {}


def register(detector: Detector) -> Detector:
    """Make a detector known. A code is given once."""
    if detector.code in _DETECTORS and _DETECTORS[detector.code] != detector:
        raise ValueError(f"a detector {detector.code} is registered already")
    _DETECTORS[detector.code] = detector
    return detector


def get_detector(code: str) -> Detector:
    _load()
    try:
        return _DETECTORS[code]
    except KeyError:
        raise UnknownDetector(f"no detector “{code}”; known are: {', '.join(sorted(_DETECTORS))}") from None


def all_detectors() -> list[Detector]:
    _load()
    return [_DETECTORS[code] for code in sorted(_DETECTORS)]


def detect(code: str, series: Series, params: Any = None) -> list[Finding]:
    """What a detector finds in a series, in order of time, with its settings or their defaults.

    Raises:
        UnknownDetector: no such code.
        TypeError: the settings are of another detector.
    """
    detector = get_detector(code)
    chosen = detector.params() if params is None else params
    if not isinstance(chosen, detector.params):
        raise TypeError(f"settings of {code} are {detector.params.__name__}, not {type(chosen).__name__}")
    return detector.judge(series, chosen)


def _load() -> None:
    """The house's own detectors register themselves when their module is read."""
    import mpc.monitoring.detectors.house  # noqa: F401
