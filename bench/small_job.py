"""A job that does next to nothing, so that what a run costs beside its work can be seen."""

from __future__ import annotations

from dataclasses import dataclass

from django.apps import AppConfig

from mpc.jobs import Job, param, register


@dataclass(frozen=True)
class SmallParams:
    number: int = param(0, help="Tells the runs apart", minimum=0)


class SmallJobConfig(AppConfig):
    name = "bench"
    label = "bench"

    def ready(self) -> None:
        register(
            Job(
                kind="bench.small", title="Next to nothing", work="bench.small_work:work", params=SmallParams,
                needs_product=False, max_attempts=3, time_limit_s=60,
            )
        )  # fmt: skip
