"""Which numbers of a run can stand in their series, and why the others cannot.

A number is judged by itself: one that is refused leaves the rest of its run as it is. The reasons stand on the run, as
warnings in its log and as rows that its page shows.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from functools import lru_cache
from typing import Any

from django.utils import timezone

from mpc.jobs import MeasuredValue
from mpc.monitoring.catalogue import declared_units
from mpc.monitoring.models import Metric, RefusedMeasurement, Series
from mpc.runs.models import RunLogLine

PARTS = ("unit", "level", "baseline", "band", "detector", "site")
LINES = 50
"""So many refusals have a line each in the log; the rows hold all."""
_LENGTHS = {name: Series._meta.get_field(name).max_length or 0 for name in PARTS}
_MOST_SAMPLES = 2**63 - 1


@dataclass(frozen=True)
class Refusal:
    """A number that is not kept, and why, in words for people."""

    value: MeasuredValue
    reason: str

    @property
    def part(self) -> str:
        return " ".join(filter(None, _parts(self.value)))

    def __str__(self) -> str:
        return " ".join(filter(None, (self.value.metric, self.part))) + f": {self.reason}"


def judge(values: Iterable[MeasuredValue], *, by_time: bool) -> tuple[list[MeasuredValue], list[Refusal]]:
    """Those that can be kept and those that cannot, each in their order. ``by_time``: the run has no product."""
    values = list(values)
    units = known_units({v.metric for v in values})
    kept: list[MeasuredValue] = []
    refused: list[Refusal] = []
    seen: set[tuple[Any, ...]] = set()
    for v in values:
        reason = _fault(v, units)
        if not reason:
            place = (v.metric, _parts(v), v.time if by_time else None)
            if place in seen:
                what = f"at {v.time.astimezone(UTC).isoformat()}" if by_time else "for this product"
                reason = f"the run has another value of this series {what}, which was kept"
            seen.add(place)
        if reason:
            refused.append(Refusal(v, reason))
        else:
            kept.append(v)
    return kept, refused


def known_units(codes: set[str]) -> dict[str, str]:
    """The physical unit of each of these metrics that is declared or in the catalogue; one query if any is not."""
    found = declared_units(codes)
    if others := codes - found.keys():
        found |= dict(Metric.objects.filter(pk__in=others).values_list("pk", "unit"))
    return found


def _fault(v: MeasuredValue, units: Mapping[str, str]) -> str:
    """Why this number cannot be kept; empty when it can."""
    if v.metric not in units:
        return "no job declares this metric, so nobody knows what it measures"
    if v.in_unit and v.in_unit != units[v.metric]:
        wanted = units[v.metric]
        return f"it is in {v.in_unit}, and the metric is {f'in {wanted}' if wanted else 'a pure number'}"
    if not math.isfinite(v.value):
        return f"{v.value} is no number; a job leaves out what it could not measure"
    if v.uncertainty is not None and not (math.isfinite(v.uncertainty) and v.uncertainty >= 0):
        return f"the uncertainty {v.uncertainty} is no standard uncertainty"
    if v.samples > _MOST_SAMPLES:
        return f"the sample size {v.samples} is too large to be true"
    return _fault_of_parts(_parts(v))


def _parts(v: MeasuredValue) -> tuple[str, ...]:
    return (v.unit, v.level, v.baseline, v.band, v.detector, v.site)


@lru_cache(maxsize=10_000)
def _fault_of_parts(parts: tuple[str, ...]) -> str:
    for name, text in zip(PARTS, parts, strict=True):
        if len(text) > _LENGTHS[name] or not text.isprintable():
            return f"its {name} is longer than {_LENGTHS[name]} characters or cannot be printed"
    return ""


def note(run: Any, refused: Sequence[Refusal]) -> None:
    """Write on the run what was refused and why; in the transaction that closes it."""
    if not refused:
        return
    now = timezone.now()
    lines = [f"Measurement refused. {_printable(str(refusal))}" for refusal in refused[:LINES]]
    if len(refused) > LINES:
        lines.append(f"{len(refused) - LINES} more measurements were refused; the page of the run names them.")
    RunLogLine.objects.bulk_create(
        RunLogLine(run_id=run.pk, attempt=run.attempt, at=now, level=RunLogLine.Level.WARNING, text=line)
        for line in lines
    )
    RefusedMeasurement.objects.bulk_create(
        [
            RefusedMeasurement(
                run_id=run.pk,
                metric=_printable(refusal.value.metric)[:100],
                part=_printable(refusal.part)[:200],
                time=refusal.value.time.astimezone(UTC),
                value=f"{refusal.value.value!r}"[:40],
                reason=_printable(refusal.reason)[:300],
            )
            for refusal in refused
        ],
        batch_size=1000,
    )


def _printable(text: str) -> str:
    """Without what a database or a terminal would not take."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)
