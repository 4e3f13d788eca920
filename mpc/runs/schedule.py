"""The schedule: entries of django-celery-beat. An entry for the task ``runs.request`` asks for a run.

Its keyword arguments are ``kind``, and ``product`` (a name) and ``params`` where the job takes them. The run is asked
for by the sweeper itself, in the database: no message is needed, and none is lost or piles up while no worker listens.
"""

from __future__ import annotations

from typing import Any

from celery import current_app
from django_celery_beat.schedulers import DatabaseScheduler

from mpc.runs import tasks


class RunScheduler(DatabaseScheduler):
    @classmethod
    def build(cls) -> RunScheduler:
        return cls(app=current_app, max_interval=5, lazy=False)

    def apply_async(self, entry: Any, producer: Any = None, advance: bool = True, **kwargs: Any) -> Any:
        if entry.task != tasks.request.name:
            return super().apply_async(entry, producer=producer, advance=advance, **kwargs)
        entry = self.reserve(entry) if advance else entry
        try:
            tasks.request(*(entry.args or ()), **(entry.kwargs or {}))
        finally:
            self._tasks_since_sync += 1
            if self.should_sync():
                self._do_sync()
        return None
