"""One page of a long list."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Model, QuerySet


class KeysFirstPaginator(Paginator):
    """Pages of a table over a queryset: the keys of the page are asked for first, then its rows by their keys.

    To sort, a database carries what it selects through the sort; whole rows with all that they join take ten times as
    long as keys, which it often finds in an index alone.
    """

    def _get_page(self, *args: Any, **kwargs: Any) -> Page:
        rows, *others = args
        if isinstance(rows.data, QuerySet):
            rows.data = by_keys(rows.data)
        return super()._get_page(rows, *others, **kwargs)


def by_keys(page: QuerySet[Any]) -> QuerySet[Any] | list[Model]:
    """The rows of a sliced queryset; itself where its rows are not those of the table alone."""
    query = page.query
    if query.annotations or query.extra or query.distinct or query.combinator or query.values_select:
        return page
    keys = list(page.values_list("pk", flat=True))
    if not keys:
        return []
    # Not the same filter again: some databases would rather follow its index than the fifty keys.
    rows = page.model._base_manager.using(page.db).filter(pk__in=keys).order_by()
    rows.query.select_related = query.select_related
    rows.query.deferred_loading = query.deferred_loading
    rows._prefetch_related_lookups = page._prefetch_related_lookups  # type: ignore[attr-defined]
    found = {row.pk: row for row in rows}
    return [found[key] for key in keys if key in found]
