"""``measurements METRIC``: what a trend shows, for other programs and for people."""

from __future__ import annotations

from typing import Any

import orjson
from django.core.management.base import CommandError, CommandParser
from django.http import QueryDict

from mpc.accounts.commands import ActingCommand
from mpc.monitoring.models import Measurement, Metric, Series
from mpc.monitoring.reading import TooMany
from mpc.monitoring.trends import points
from mpc.monitoring.trends.data import Shown, TooManySeries, read, statistics_of
from mpc.monitoring.trends.filters import RESOLUTIONS, ExplorerFilter
from mpc.ui.export import csv_lines
from mpc.ui.numbers import number

MANY = 5_000_000
"""Values that are read at once where each is asked for."""

SEVERAL = ("unit", "level", "band", "baseline", "detector", "status")
ONCE = ("site", "since", "until", "zoom", "tile", "product")
HELP = {
    "unit": "satellite, S2A to S2D; may be given several times, as may level, band, baseline, detector and status",
    "band": "B01 to B12, B8A; whole: what is not divided by bands",
    "detector": "01 to 12; whole: what is not divided by detectors",
    "since": "from this UTC day on",
    "until": "to this UTC day, with it",
    "zoom": "a stretch: 2026-09-01T00:00:00Z~2026-09-05T12:00:00Z",
    "tile": "T33UUU",
    "status": "quality of the product: PASSED, FAILED ...",
    "product": "full name of a product",
}


class Command(ActingCommand):
    help = "Print the measurements of a metric: statistics by series, or with --json or --csv every point."
    policy_action = "monitoring.view"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("metric", help="code of the metric, image.mean_reflectance")
        for name in SEVERAL:
            parser.add_argument(f"--{name}", action="append", default=[], help=HELP.get(name, ""))
        for name in ONCE:
            parser.add_argument(f"--{name}", default="", help=HELP.get(name, ""))
        parser.add_argument(
            "--resolution",
            choices=[name for name, _ in RESOLUTIONS],
            default="",
            help="what a point is (default: the finest of which a plot holds all; value: each value, however many)",
        )
        output = parser.add_mutually_exclusive_group()
        output.add_argument("--json", action="store_true", help="arrays by series, as the API gives them")
        output.add_argument("--csv", action="store_true", help="a line a point")

    def handle(self, *args: Any, **options: Any) -> None:
        shown = self.read(options)
        if options["json"]:
            self.stdout.write(orjson.dumps(points.as_json([shown]), option=points.WRITING).decode())
        elif options["csv"]:
            for line in csv_lines(points.COLUMNS, points.rows_of([shown])):
                self.stdout.write(line, ending="")
        else:
            self.tell(shown)

    def read(self, options: dict[str, Any]) -> Shown:
        metric = Metric.objects.filter(pk=options["metric"]).first()
        if metric is None:
            raise CommandError(f"no metric {options['metric']}; the page Trends lists all", returncode=2)
        query = QueryDict(mutable=True)
        for name in (*SEVERAL, *ONCE, "resolution"):
            query.setlist(name, [value for value in _several(options[name]) if value])
        series = list(Series.objects.filter(metric=metric, count__gt=0).order_by("pk"))
        asked = ExplorerFilter(query, Measurement.objects.shown(), series=series)
        if not asked.is_valid():
            wrong = "; ".join(f"--{name}: {' '.join(errors)}" for name, errors in asked.errors.items())
            raise CommandError(wrong, returncode=2)
        most = MANY if options["resolution"] == "value" else None
        try:
            (shown,) = read([metric], asked, asked.look().resolution, max_points=most)
        except (TooMany, TooManySeries) as too_many:
            raise CommandError(f"{too_many}: narrow the filter") from None
        return shown

    def tell(self, shown: Shown) -> None:
        self.stdout.write(f"{shown.metric.name} in {shown.metric.unit or '1'}. {shown.words}".strip())
        for row in statistics_of(shown):
            numbers = (
                f"{number(row.count):>9} values  median {number(row.median):>12}  std. dev. {number(row.std):>12}"
                f"  newest {number(row.newest):>12}"
            )
            self.stdout.write(f"{row.part:<32} {numbers}  {row.first:%Y-%m-%d} to {row.last:%Y-%m-%d}")


def _several(given: Any) -> list[str]:
    return given if isinstance(given, list) else [given]
