"""Settings of detectors: changed, tried in shadow, made live. Each change has its history, its audit and a reason."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction

from mpc.accounts import audit, policy
from mpc.jobs import ParamError, params_as_dict, parse_params
from mpc.monitoring.detecting.jobs import look_again
from mpc.monitoring.detecting.settings import LIMITS
from mpc.monitoring.detectors.registry import Detector, UnknownDetector, get_detector
from mpc.monitoring.models import DetectorMode, DetectorSetting, Metric, Series

ACTION = "monitoring.set_detectors"
NOTE_LENGTH = 300
OF_LIMITS = ("low", "high")
"""Parameters of the detector of limits that stand in the requirements, and nowhere else."""


class CannotSet(ValueError):
    """The setting makes no sense; ``errors`` maps a field or parameter ("" for the whole) to the reason."""

    def __init__(self, errors: dict[str, str]) -> None:
        self.errors = errors
        super().__init__("; ".join(f"{name}: {text}" if name else text for name, text in errors.items()))


def checked(detector: Detector, params: dict[str, Any]) -> dict[str, Any]:
    """The parameters that are given, typed; those that are empty are left to what is above. Raises CannotSet."""
    given = {name: value for name, value in params.items() if value not in (None, "")}
    if detector.code == LIMITS and (wrong := [name for name in OF_LIMITS if name in given]):
        raise CannotSet(dict.fromkeys(wrong, "limits stand in the requirements"))
    try:
        typed = params_as_dict(parse_params(detector.params, given))
    except ParamError as error:
        raise CannotSet(error.errors) from error
    return {name: typed[name] for name in given}


def save_setting(
    actor: Any,
    detector: str,
    *,
    mode: str,
    params: dict[str, Any],
    note: str,
    metric: Metric | None = None,
    series: Series | None = None,
    setting: DetectorSetting | None = None,
) -> DetectorSetting:
    """Make a setting (mode shadow or off), or change one. A live one is not made or changed here: what is new runs in
    shadow first, and ``make_live`` makes it live. Raises PermissionDenied, CannotSet.
    """
    policy.require(actor, ACTION)
    try:
        known = get_detector(detector)
    except UnknownDetector as error:
        raise CannotSet({"": str(error)}) from error
    if mode not in (DetectorMode.SHADOW, DetectorMode.OFF) and not (mode == DetectorMode.LIVE and known.code == LIMITS):
        raise CannotSet({"mode": "A new setting runs in shadow first; then it can be made live."})
    if known.code == LIMITS and mode == DetectorMode.SHADOW:
        raise CannotSet({"mode": "Limits are not judged in shadow: what they judge by are the requirements."})
    words = _reason(note)
    values = checked(known, params)
    if setting is not None and setting.mode == DetectorMode.LIVE and mode == DetectorMode.SHADOW:
        # What is live goes on; what is tried runs beside it.
        metric, series = setting.metric, setting.series
        setting = DetectorSetting.objects.filter(
            detector=known.code, metric=metric, series=series, mode=DetectorMode.SHADOW
        ).first()
    row = setting or DetectorSetting(detector=known.code, metric=metric, series=series)
    before = _facts(setting) if setting is not None else None
    row.mode, row.params, row.note, row.version = mode, values, words, known.version
    _save(row, actor, "monitoring.detector_change" if before else "monitoring.detector_add", before)
    return row


def make_live(setting: DetectorSetting, actor: Any, reason: str) -> DetectorSetting:
    """Let what ran in shadow alert: it takes the place of the live setting of the same detector and scope.

    Raises PermissionDenied, CannotSet.
    """
    policy.require(actor, ACTION, setting)
    words = _reason(reason)
    with transaction.atomic():
        shadow = DetectorSetting.objects.select_for_update().filter(pk=setting.pk, mode=DetectorMode.SHADOW).first()
        if shadow is None:
            raise CannotSet({"": "It does not run in shadow any more."})
        known = get_detector(shadow.detector)
        scope = {"detector": shadow.detector, "metric": shadow.metric_id, "series": shadow.series_id}
        live = DetectorSetting.objects.select_for_update().filter(mode=DetectorMode.LIVE, **scope).first()
        off = DetectorSetting.objects.filter(mode=DetectorMode.OFF, **scope)
        before = _facts(live) if live is not None else None
        params = {**(live.params if live is not None else {}), **shadow.params}
        row = live or DetectorSetting(
            detector=shadow.detector, metric_id=shadow.metric_id, series_id=shadow.series_id, mode=DetectorMode.LIVE
        )
        row.params, row.version, row.note = params, known.version, words
        for other in (shadow, *off):
            _delete(other, actor)
        _save(row, actor, "monitoring.detector_live", before)
    return row


def accept_version(detector: str, actor: Any, reason: str) -> int:
    """Let the version of a detector that the software has now take the place of the one that was decided for, with the
    live settings as they are; hands back how many. Raises PermissionDenied, CannotSet."""
    policy.require(actor, ACTION)
    words = _reason(reason)
    known = get_detector(detector)
    with transaction.atomic():
        rows = list(
            DetectorSetting.objects.select_for_update()
            .filter(detector=detector, mode=DetectorMode.LIVE)
            .exclude(version=known.version)
            .order_by("pk")
        )
        for row in rows:
            before = _facts(row)
            row.version, row.note = known.version, words
            _save(row, actor, "monitoring.detector_live", before)
    if not rows:
        raise CannotSet({"": "All live settings are of this version already."})
    return len(rows)


def remove_setting(setting: DetectorSetting, actor: Any) -> None:
    """Take a setting away: what stands above it holds again. Raises PermissionDenied."""
    policy.require(actor, ACTION, setting)
    with transaction.atomic():
        before, series = _facts(setting), series_of_setting(setting)
        audit.record(actor, "monitoring.detector_remove", setting, before=before)
        _delete(setting, actor)
        look_again(series)


def series_of_setting(setting: DetectorSetting) -> Any:
    """The series that a setting may change something for."""
    if setting.series_id is not None:
        return Series.objects.filter(pk=setting.series_id)
    rows = Series.objects.all()
    return rows.filter(metric=setting.metric_id) if setting.metric_id is not None else rows


def _save(row: DetectorSetting, actor: Any, action: str, before: dict[str, Any] | None) -> None:
    row._history_user = _known(actor)
    try:
        with transaction.atomic():
            row.save()
            audit.record(actor, action, row, before=before, after=_facts(row))
            look_again(series_of_setting(row))
    except IntegrityError as error:
        raise CannotSet(
            {"": "There is a setting of this mode for the same series already; change that one."}
        ) from error


def _delete(row: DetectorSetting, actor: Any) -> None:
    row._history_user = _known(actor)
    row.delete()


def _known(actor: Any) -> Any:
    return actor if actor is not None and actor.pk is not None else None


def _reason(text: str) -> str:
    words = " ".join(str(text).replace("\x00", "").split())[:NOTE_LENGTH]
    if not words:
        raise CannotSet({"note": "Say why: others will read it."})
    return words


def _facts(row: DetectorSetting) -> dict[str, Any]:
    return {
        "mode": row.mode,
        "params": row.params,
        "version": row.version,
        "note": row.note,
        "metric": row.metric_id,
        "series": row.series_id,
    }
