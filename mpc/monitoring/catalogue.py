"""What is known of metrics before their first value: apps declare, the database keeps.

An app declares in ``AppConfig.ready``::

    declare_metrics(METRICS)
    declare_page("qc.product", "qc:report")     # where a measurement of this kind of job is explained
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Protocol

from django.db import DEFAULT_DB_ALIAS, connections
from django.urls import reverse


class MetricDeclaration(Protocol):
    """What a job's package says of a metric. ``unit`` is "" for a pure number."""

    @property
    def code(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def method(self) -> str: ...


_declared: dict[str, MetricDeclaration] = {}
_pages: dict[str, str] = {}


def declare_metrics(metrics: Iterable[MetricDeclaration]) -> None:
    """Make metrics known; called by apps when Django is ready."""
    for metric in metrics:
        _declared[metric.code] = metric


def is_declared(code: str) -> bool:
    """Whether an app declares this metric."""
    return code in _declared


def defaults_for(code: str) -> dict[str, Any]:
    """The fields of a new row of the catalogue; an undeclared metric goes by its code."""
    found = _declared.get(code)
    if found is None:
        return {"name": code}
    return {"name": found.name, "unit": found.unit, "description": found.description, "method": found.method}


def refresh_catalogue(using: str = DEFAULT_DB_ALIAS, **_: Any) -> None:
    """Bring the texts of metrics that have values to what is declared now; runs after each migration."""
    from mpc.monitoring.models import Metric

    if Metric._meta.db_table not in connections[using].introspection.table_names():
        return  # migrated backwards
    for metric in Metric.objects.using(using).filter(pk__in=_declared):
        wanted = defaults_for(metric.code)
        if any(getattr(metric, field) != text for field, text in wanted.items()):
            Metric.objects.using(using).filter(pk=metric.code).update(**wanted)


def declare_page(job_kind: str, url_name: str) -> None:
    """Name the page that explains the measurements of a kind of job; its address takes the product's ``name``."""
    _pages[job_kind] = url_name
    page_of.cache_clear()


@lru_cache(maxsize=4096)
def page_of(job_kind: str, product_name: str | None, run_id: int) -> str:
    """Where a measurement leads: the page declared for its kind of job, else its product, else its run."""
    if product_name is None:
        return reverse("runs:detail", kwargs={"pk": run_id})
    return reverse(_pages.get(job_kind, "products:detail"), kwargs={"name": product_name})
