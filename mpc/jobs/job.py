"""The declaration of a job and the registry that every door into the centre reads."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mpc.jobs.context import Context, Portions
from mpc.jobs.outcome import Outcome


class UnknownJob(LookupError):
    """No job of that kind is declared."""


@dataclass(frozen=True)
class NoParams:
    """The parameters of a job that takes none."""


@dataclass(frozen=True)
class Inputs:
    """What the work is done on, as plain values: the product's name and place, and what else the job asked for."""

    product: str = ""
    path: str = ""
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Job:
    """One kind of work.

    ``work`` is ``"package.module:function"`` with the signature ``(params, inputs, context) -> Outcome``; it is
    imported in the child process only. ``extra_inputs(product_pk) -> dict`` runs in the supervisor and may read the
    database; ``finish(run, outcome)`` runs inside the transaction that closes the run and writes the results;
    ``given_up(run)`` inside the one that closes it for good without success (failed or cancelled).
    ``request_key(params, inputs) -> str`` names what may not be asked twice at once ("" = no limit).

    Work that is nothing but many small changes of rows has no ``work`` but ``in_database(run, params, portions) ->
    Outcome``: the supervisor does it itself, each portion a transaction behind the run's fence (``Portions``).
    """

    kind: str
    title: str
    work: str = ""
    description: str = ""
    params: type = NoParams
    needs_product: bool = True
    product_levels: tuple[str, ...] = ()
    queue: str = "default"
    priority: int = 0
    on_arrival: bool = False
    hidden: bool = False
    time_limit_s: int = 3600
    memory_limit_mb: int = 6144
    max_attempts: int = 3
    request_key: Callable[[Any, Inputs], str] | None = None
    extra_inputs: Callable[[int | None], dict[str, Any]] | None = None
    param_inputs: Callable[[Any], dict[str, Any]] | None = None
    in_database: Callable[[Any, Any, Portions], Outcome] | None = None
    finish: Callable[[Any, Outcome], None] | None = None
    given_up: Callable[[Any], None] | None = None

    def __post_init__(self) -> None:
        if bool(self.work) == (self.in_database is not None):
            raise ValueError(f"job {self.kind}: its work is a function for the child process, or in_database")

    def takes(self, level: str) -> bool:
        """Whether products of this level can be given to the job."""
        return self.needs_product and (not self.product_levels or level in self.product_levels)

    def function(self) -> Callable[[Any, Inputs, Context], Outcome]:
        """Import the work."""
        module, _, name = self.work.partition(":")
        return getattr(importlib.import_module(module), name)


_JOBS: dict[str, Job] = {}


def register(job: Job) -> Job:
    """Declare a job. A kind is declared once."""
    if job.kind in _JOBS and _JOBS[job.kind] != job:
        raise ValueError(f"a job of kind {job.kind} is declared already")
    _JOBS[job.kind] = job
    return job


def get_job(kind: str) -> Job:
    try:
        return _JOBS[kind]
    except KeyError:
        raise UnknownJob(f"no job of kind “{kind}”; known are: {', '.join(sorted(_JOBS)) or 'none'}") from None


def job_of(kind: str) -> Job | None:
    """The declaration of a kind, or None for one that this version no longer has."""
    return _JOBS.get(kind)


def all_jobs() -> list[Job]:
    return [_JOBS[kind] for kind in sorted(_JOBS)]
