"""The page on which two periods, two units or two baselines of a metric stand side by side."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

import django_filters
import django_tables2 as tables
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from mpc.monitoring.detectors.comparison import Statistic
from mpc.monitoring.filters import BY_SERIES, TrendFilter, Window, day_begins
from mpc.monitoring.models import Measurement, Metric, Series
from mpc.monitoring.tables import PartColumn
from mpc.monitoring.trends.comparing import Compared, Row, Side, rows_of
from mpc.monitoring.trends.data import SERIES_LIMIT
from mpc.ui import numbers
from mpc.ui.figures import UNIT_COLOURS, figure
from mpc.ui.filters import DayInput
from mpc.ui.tables import NumberColumn, Table, WhyColumn
from mpc.ui.templatetags.mpc import tag
from mpc.ui.views import ListPage

BY = (("unit", "two units"), ("baseline", "two baselines"), ("period", "two periods"))
STATISTICS = ((Statistic.MEDIAN.value, "median"), (Statistic.MEAN.value, "mean"))
_SIGN = {"significant": "fail", "probable": "warn", "not significant": "pass", "too few values to tell": "idle"}


class CompareFilter(TrendFilter):
    """What is compared: ``by`` says which of the other fields count."""

    metric = django_filters.CharFilter(label="Metric")
    by = django_filters.ChoiceFilter(label="Compare", choices=BY, empty_label=None)
    unit_a = django_filters.ChoiceFilter(label="Unit A", empty_label="first")
    unit_b = django_filters.ChoiceFilter(label="Unit B", empty_label="second")
    baseline_a = django_filters.ChoiceFilter(label="Baseline A", empty_label="last but one")
    baseline_b = django_filters.ChoiceFilter(label="Baseline B", empty_label="last")
    a_since = django_filters.DateFilter(label="A from", widget=DayInput)
    a_until = django_filters.DateFilter(label="A to, with this day", widget=DayInput)
    b_since = django_filters.DateFilter(label="B from", widget=DayInput)
    b_until = django_filters.DateFilter(label="B to, with this day", widget=DayInput)
    statistic = django_filters.ChoiceFilter(label="Of the", choices=STATISTICS, empty_label=None)
    tile = status = product = zoom = None

    def __init__(self, data: Any = None, *args: Any, series: Any = (), **kwargs: Any) -> None:
        super().__init__(data, *args, series=series, **kwargs)
        for part in ("unit", "baseline"):
            values = [(v, v) for v in sorted({getattr(s, part) for s in self.series} - {""})]
            for side in "ab":
                self.filters[f"{part}_{side}"].extra["choices"] = values

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        wanted = self.form.cleaned_data
        skipped = self.compared_by if self.compared_by != "period" else ""
        names = [name for name in BY_SERIES if name != skipped]
        self.chosen = [s for s in self.series if all(self.fits(s, name, wanted.get(name)) for name in names)]
        return queryset.none()

    @cached_property
    def compared_by(self) -> str:
        """What is compared: as asked, else the first of which there are two."""
        asked = self.form.cleaned_data.get("by")
        if asked:
            return str(asked)
        return next((p for p in ("unit", "baseline") if len(self.values(p)) > 1), "period")

    def values(self, part: str) -> list[str]:
        return sorted({getattr(s, part) for s in self.series} - {""})

    def sides(self) -> tuple[Side, Side] | None:
        """Both sides; None where there is nothing to stand beside the first."""
        wanted = self.form.cleaned_data
        if self.compared_by == "period":
            return self._periods(wanted)
        part, values = self.compared_by, self.values(self.compared_by)
        if len(values) < 2:
            return None
        usual = (values[0], values[1]) if part == "unit" else (values[-2], values[-1])
        first, second = (wanted.get(f"{part}_{side}") or usual[i] for i, side in enumerate("ab"))
        if first == second:
            second = next(v for v in reversed(values) if v != first)
        window = self.window()
        return Side(first, window, **{part: first}), Side(second, window, **{part: second})

    def _periods(self, wanted: dict[str, Any]) -> tuple[Side, Side] | None:
        """As asked; else the last 365 days and those before them."""
        ends = [s.last_time for s in self.chosen if s.last_time]
        if not ends:
            return None
        last = max(ends).astimezone(UTC).date()
        b = (wanted.get("b_since") or last - timedelta(days=364), wanted.get("b_until") or last)
        a = (wanted.get("a_since") or b[0] - timedelta(days=365), wanted.get("a_until") or b[0] - timedelta(days=1))
        if a[0] > a[1] or b[0] > b[1]:
            return None
        return Side(_days(a), _window(a)), Side(_days(b), _window(b))


def _days(period: tuple[date, date]) -> str:
    return f"{period[0]} to {period[1]}"


def _window(period: tuple[date, date]) -> Window:
    after = None if period[1] == date.max else day_begins(period[1]) + timedelta(days=1)
    return day_begins(period[0]), after


class ComparisonTable(Table):
    part = tables.Column(verbose_name="Part", order_by=("band", "part"))
    unit = PartColumn("unit")
    band = PartColumn("band", order_by=("band",))
    a = NumberColumn(accessor="difference__a__value", verbose_name="A")
    a_uncertainty = NumberColumn(verbose_name="A, uncertainty")
    a_count = NumberColumn(accessor="difference__a__count", verbose_name="A, points")
    a_effective = NumberColumn(accessor="difference__a__effective", verbose_name="A, effective", digits=1)
    b = NumberColumn(accessor="difference__b__value", verbose_name="B")
    b_uncertainty = NumberColumn(verbose_name="B, uncertainty")
    b_count = NumberColumn(accessor="difference__b__count", verbose_name="B, points")
    b_effective = NumberColumn(accessor="difference__b__effective", verbose_name="B, effective", digits=1)
    difference = NumberColumn(accessor="difference__value", verbose_name="B less A")
    uncertainty = NumberColumn(verbose_name="Uncertainty, k = 1")
    relative = NumberColumn(verbose_name="In % of A", digits=3)
    probability = NumberColumn(verbose_name="Chance alone")
    verdict = tables.Column(verbose_name="Difference is", orderable=False)
    how = WhyColumn(verbose_name="Compared", orderable=False)

    def render_a(self, record: Row) -> str:
        return numbers.measured(record.difference.a.value, record.a_uncertainty)

    def render_b(self, record: Row) -> str:
        return numbers.measured(record.difference.b.value, record.b_uncertainty)

    def render_difference(self, record: Row) -> str:
        text = numbers.measured(record.difference.value, record.uncertainty)
        return f"+{text}" if record.difference.value > 0 and text[:1].isdigit() else text

    def render_probability(self, value: float) -> str:
        return "< 0.0001" if value < 1e-4 else numbers.number(value, 4)

    def render_verdict(self, value: str) -> SafeString:
        return format_html("{}", tag(value, label=value, kind=_SIGN[value]))


class Compare(ListPage):
    policy_action = "monitoring.view"
    template_name = "monitoring/compare.html"
    results_template = "monitoring/compare_results.html"
    filterset_class = CompareFilter
    table_class = ComparisonTable
    export_by_run = False
    list_name = "monitoring.compare"
    primary_filters = (
        *("metric", "by", "unit_a", "unit_b", "baseline_a", "baseline_b"),
        *("a_since", "a_until", "b_since", "b_until", "statistic"),
    )
    columns_off = (
        *("unit", "band", "a_uncertainty", "b_uncertainty", "uncertainty", "a_count", "b_count"),
        *("a_effective", "b_effective"),
    )

    def get_queryset(self) -> QuerySet:
        return Measurement.objects.none()

    @cached_property
    def metric(self) -> Metric | None:
        code = self.request.GET.get("metric", "").strip()
        if not code or "\x00" in code:
            return None
        return Metric.objects.filter(pk=code).first()

    @cached_property
    def series(self) -> list[Series]:
        if self.metric is None:
            return []
        return list(Series.objects.filter(metric=self.metric, count__gt=0).order_by("pk"))

    def get_filterset(self, filterset_class: Any) -> CompareFilter:
        return CompareFilter(self.request.GET, self.get_queryset(), series=self.series, request=self.request)

    def get_title(self) -> str:
        return f"{self.metric.name}: side by side" if self.metric else "Side by side"

    def get_subtitle(self) -> str:
        return "Two periods, two units or two baselines, and whether they differ"

    @property
    def sides(self) -> tuple[Side, Side] | None:
        asked = self.filterset
        if self.metric is None or not asked.is_valid():
            return None
        asked.qs  # noqa: B018 - chooses the series
        return asked.sides()

    @cached_property
    def compared(self) -> Compared:
        sides = self.sides
        if sides is None or self.metric is None or len(self.filterset.chosen) > 2 * SERIES_LIMIT:
            return Compared()
        statistic = Statistic(self.filterset.form.cleaned_data.get("statistic") or Statistic.MEDIAN)
        return rows_of(self.metric, self.filterset.chosen, *sides, statistic)

    def get_table_data(self) -> list[Row]:
        return list(self.compared.rows)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        if self.request.GET.get("format"):
            return context
        rows, alone = list(self.compared.rows), self.compared.alone
        by = self.filterset.compared_by if self.filterset.is_valid() else "unit"
        context.update(
            metric=self.metric,
            sides=self.sides,
            rows=rows,
            alone=alone,
            step=self.compared.resolution,
            by=by,
            unlike=sum(row.verdict == "significant" for row in rows),
            statistic=dict(STATISTICS).get(self.request.GET.get("statistic", ""), "median"),
            figure=difference_figure(self.metric, rows) if rows and self.metric else None,
            metrics=[] if self.metric else list(Metric.objects.measured().order_by("code")[:60]),
            primary_fields=[f for f in context["primary_fields"] if _counts(f.name, by)],
            season=by == "period" and _other_season(self.sides),
            clear_query=urlencode({"metric": self.metric.code}) if self.metric else "",
            trend_url=reverse("monitoring:trend", kwargs={"code": self.metric.code}) if self.metric else "",
            crowd=len(self.filterset.chosen) if len(self.filterset.chosen) > 2 * SERIES_LIMIT else 0,
        )
        return context


def _counts(name: str, by: str) -> bool:
    """Whether a field says something when this is compared."""
    if name in ("metric", "by", "statistic"):
        return True
    return name.startswith(f"{by}_") if by != "period" else name[:2] in ("a_", "b_")


def _other_season(sides: tuple[Side, Side] | None) -> bool:
    """Whether two periods cover different parts of the year, so that the season is in the difference."""
    if sides is None:
        return False
    parts = [_part_of_year(*side.window) for side in sides]
    return len(parts[0] ^ parts[1]) > 30


def _part_of_year(begin: datetime | None, end: datetime | None) -> set[int]:
    if begin is None or end is None or end - begin >= timedelta(days=365):
        return set(range(365))
    return {((begin + timedelta(days=n)).timetuple().tm_yday - 1) % 365 for n in range((end - begin).days)}


def difference_figure(metric: Metric, rows: list[Row]) -> dict[str, Any]:
    """The differences with their uncertainties, part by part; a hollow point is one that is not significant."""
    traces = []
    for unit in dict.fromkeys(row.series.unit if row.part.startswith(row.series.unit or " ") else "" for row in rows):
        own = [r for r in rows if not unit or r.series.unit == unit]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": unit or "B less A",
                "x": [r.part.removeprefix(unit).strip() or "whole" for r in own],
                "y": [r.difference.value for r in own],
                "error_y": {"type": "data", "array": [r.uncertainty for r in own]},
                "marker": {
                    "color": UNIT_COLOURS.get(unit, "var(--accent)"),
                    "size": 9,
                    "symbol": ["circle" if r.verdict == "significant" else "circle-open" for r in own],
                },
                "text": [f"{numbers.measured(r.difference.value, r.uncertainty)}, {r.verdict}" for r in own],
                "hovertemplate": "%{x}: %{text}<extra></extra>",
            }
        )
    zero = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 0, "y1": 0}
    zero["line"] = {"width": 1, "color": "var(--quiet)"}  # type: ignore[assignment]
    return figure(
        traces,
        y_title=f"B less A ({metric.unit})" if metric.unit else "B less A",
        layout={"shapes": [zero], "xaxis": {"type": "category"}, "scattermode": "group"},
    )
