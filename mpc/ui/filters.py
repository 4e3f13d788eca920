"""Filters that lists share, and the chips that say which are set."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import reduce
from typing import Any

import django_filters
from django import forms
from django.db.models import Model, Q, QuerySet
from django.http import QueryDict


class ChipChoices(forms.CheckboxSelectMultiple):
    """Choices side by side as chips: all to be seen, each switched with one click."""

    template_name = "ui/widgets/chip_choices.html"
    use_fieldset = True

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> str:
        # The form renderer knows only Django's own folder; the site's templates come from the template engine.
        from django.template.loader import render_to_string

        return render_to_string(self.template_name, self.get_context(name, value, attrs))


class DayInput(forms.DateInput):
    """The browser's own date picker."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")


class SearchFilter(django_filters.CharFilter):
    """Free text over several fields: every word must be found in one of them."""

    def __init__(self, *, fields: Sequence[str], label: str = "Search", placeholder: str = "", **kwargs: Any) -> None:
        self.search_fields = tuple(fields)
        kwargs.setdefault(
            "widget",
            forms.TextInput(attrs={"type": "search", "placeholder": placeholder or label, "spellcheck": "false"}),
        )
        super().__init__(label=label, **kwargs)

    def filter(self, qs: QuerySet, value: str | None) -> QuerySet:
        for word in (value or "").split():
            qs = qs.filter(reduce(operator.or_, (Q(**{f"{f}__icontains": word}) for f in self.search_fields)))
        return qs


class KeyFilter(django_filters.NumberFilter):
    """The number of one row; a number that no database can hold is a mistake, not a failure."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"min_value": 0, "max_value": 2**63 - 1, "decimal_places": 0, **kwargs})


class ChipFilter(django_filters.MultipleChoiceFilter):
    """Any of a few choices, shown as chips."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("widget", ChipChoices)
        # A row has one of the choices and cannot come twice; to make rows distinct, a database compares them whole.
        kwargs.setdefault("distinct", False)
        super().__init__(*args, **kwargs)


class DayFromFilter(django_filters.DateFilter):
    """From this UTC day on: ``DayFromFilter(field_name="sensing_start", label="Sensed from")``.

    The field is compared with the moment at which the day begins: the day of each row would be asked of every row, and
    no index knows it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("lookup_expr", "gte")
        kwargs.setdefault("widget", DayInput)
        super().__init__(*args, **kwargs)

    def filter(self, qs: QuerySet, value: date | None) -> QuerySet:
        return super().filter(qs, value and datetime.combine(value, time.min, UTC))


class DayToFilter(django_filters.DateFilter):
    """Up to and with this UTC day."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("lookup_expr", "lt")
        kwargs.setdefault("widget", DayInput)
        super().__init__(*args, **kwargs)

    def filter(self, qs: QuerySet, value: date | None) -> QuerySet:
        if value == date.max:  # no day comes after it
            return qs
        return super().filter(qs, value and datetime.combine(value + timedelta(days=1), time.min, UTC))


@dataclass(frozen=True)
class FilterChip:
    """One set filter: what it says and the query that remains when it is taken away."""

    label: str
    value: str
    query_without: str


def chips_of(filterset: django_filters.FilterSet, query: QueryDict) -> list[FilterChip]:
    """The filters that are set and valid, in the order of the form; a choice of several gives a chip for each."""
    if not filterset.is_bound:
        return []
    form = filterset.form
    form.is_valid()
    chips: list[FilterChip] = []
    for name, field in form.fields.items():
        if form.cleaned_data.get(name) in (None, "", [], ()):
            continue
        label = str(field.label or name.replace("_", " "))
        values = query.getlist(name)
        if not values:  # a field of several inputs, such as a range: taken away as a whole
            inputs = [key for key in query if key.startswith(f"{name}_")]
            text = " to ".join(query.get(key) or "…" for key in inputs)
            chips.append(FilterChip(label, text, _without(query, inputs)))
            continue
        chips.extend(
            FilterChip(label, _shown(field, value), _without(query, [name], value))
            for value in dict.fromkeys(v for v in values if v != "")
        )
    return chips


def _without(query: QueryDict, names: Sequence[str], value: str | None = None) -> str:
    rest = query.copy()
    for name in names:
        remaining = [v for v in query.getlist(name) if value is not None and v != value]
        rest.setlist(name, remaining) if remaining else rest.pop(name, None)
    for name in ("page", "format"):
        rest.pop(name, None)
    return rest.urlencode()


def _shown(field: forms.Field, value: str) -> str:
    """The words of a choice; a related object is asked for by its key, never the whole table."""
    if isinstance(field, forms.ModelChoiceField):
        try:
            found = field.to_python(value)
        except forms.ValidationError:
            return value
        return str(found) if isinstance(found, Model) else value
    for key, words in _flat(getattr(field, "choices", ())):
        if str(key) == value:
            return str(words)
    return value


def _flat(choices: Any) -> list[tuple[Any, Any]]:
    flat: list[tuple[Any, Any]] = []
    # Not "choices or ()": choices that a function gives cannot say how many they are.
    for key, words in choices if choices is not None else ():
        flat.extend(words) if isinstance(words, list | tuple) else flat.append((key, words))
    return flat
