"""Tables of runs."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables

from mpc.runs.models import Run, State
from mpc.ui import numbers
from mpc.ui.tables import DurationColumn, IdColumn, NumberColumn, ProgressColumn, Table, TagColumn, UtcColumn, WhyColumn


class RunTable(Table):
    state = TagColumn()
    id = IdColumn(verbose_name="Run", initial_sort_descending=True)
    title = tables.Column(linkify=True, verbose_name="What", order_by=("title",))
    verdict = TagColumn()
    progress = ProgressColumn()
    error = WhyColumn()
    requested_at = UtcColumn(verbose_name="Asked for")
    requested_by = tables.Column(verbose_name="By")
    trigger = tables.Column(verbose_name="Because of")
    started_at = UtcColumn(verbose_name="Started")
    finished_at = UtcColumn(verbose_name="Finished")
    wall_s = DurationColumn(verbose_name="Took")
    cpu_s = DurationColumn(verbose_name="CPU time")
    peak_rss_mb = NumberColumn(verbose_name="Memory", digits=0, unit="MB")
    attempt = NumberColumn()
    queue = tables.Column()
    priority = NumberColumn()
    worker = tables.Column()
    kind = tables.Column()

    class Meta(Table.Meta):
        model = Run
        fields: tuple[str, ...] = ()
        order_by = ("-id",)

    def render_progress(self, value: float, record: Run) -> Any:
        # A bar says "at work"; a run that waits or is over has its state.
        return self.columns["progress"].column.render(value) if record.state == State.RUNNING else numbers.NOTHING
