"""What is known of each metric before its first value: apps declare, the database keeps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol


class MetricDeclaration(Protocol):
    """What a job's package says of a metric."""

    code: str
    name: str
    unit: str
    description: str
    method: str


_declared: dict[str, MetricDeclaration] = {}


def declare_metrics(metrics: Iterable[MetricDeclaration]) -> None:
    """Make metrics known; called by apps when Django is ready."""
    for metric in metrics:
        _declared[metric.code] = metric


def defaults_for(code: str) -> dict[str, Any]:
    """The fields of a new row of the catalogue; an undeclared metric goes by its code."""
    found = _declared.get(code)
    if found is None:
        return {"name": code}
    return {"name": found.name, "unit": found.unit, "description": found.description, "method": found.method}
