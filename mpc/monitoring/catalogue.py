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
    """What a job's package says of a metric. ``unit`` is "" for a pure number.

    More may be said, with the meaning of the catalogue's fields of these names: ``document``, ``group``, ``per_band``,
    ``per_detector``, ``per_site``, ``direction``, ``target``, ``declared``. What is not said is the field's default.
    """

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


SAID = ("name", "unit", "description", "method")
MAY_BE_SAID = ("document", "group", "per_band", "per_detector", "per_site", "direction", "target", "declared")

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
    """The fields of a new row of the catalogue. Raises LookupError for a metric that nobody declares."""
    found = _declared[code]
    said = {name: getattr(found, name) for name in MAY_BE_SAID if hasattr(found, name)}
    return {**{name: getattr(found, name) for name in SAID}, **said}


def declared_units(codes: Iterable[str]) -> dict[str, str]:
    """The physical units of those of these metrics that are declared."""
    return {code: _declared[code].unit for code in codes if code in _declared}


def refresh_catalogue(using: str = DEFAULT_DB_ALIAS, **_: Any) -> None:
    """Give every declared metric its row, and bring the rows that no person changed to what is declared now.

    Runs after each migration. A row changes through its model, so its history says what changed and when.
    """
    from mpc.monitoring.models import Metric

    columns = {column.name for column in _columns(using, Metric._meta.db_table)}
    if not columns >= {field.column for field in Metric._meta.concrete_fields}:
        return  # migrated backwards
    there = {metric.pk: metric for metric in Metric.objects.using(using).filter(pk__in=_declared)}
    for code in sorted(_declared):
        metric = there.get(code)
        wanted = defaults_for(code)
        if metric is None:
            Metric(code=code, **wanted).save(using=using)
            continue
        if metric.edited:
            wanted = {"unit": wanted["unit"]}  # what the values are in, which nobody edits
        if any(getattr(metric, field) != said for field, said in wanted.items()):
            for field, said in wanted.items():
                setattr(metric, field, said)
            metric._change_reason = "what the software declares"
            metric.save(using=using)


def _columns(using: str, table: str) -> list[Any]:
    connection = connections[using]
    with connection.cursor() as cursor:
        if table not in connection.introspection.table_names(cursor):
            return []
        return connection.introspection.get_table_description(cursor, table)


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
