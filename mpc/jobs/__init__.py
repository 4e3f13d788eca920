"""How work is declared and what it hands back.

A :class:`Job` is declared once, beside the app that owns it. The page's form, the REST endpoint, the command line
and the schedule all read that declaration. The work itself is a pure function

    work(params, inputs, context) -> Outcome

that runs in a child process with neither Django nor a database. This package imports neither.
"""

from mpc.jobs.context import Context, HopelessError, PassingError, Portions, RecordingContext
from mpc.jobs.job import Inputs, Job, UnknownJob, all_jobs, get_job, job_of, register
from mpc.jobs.outcome import Artifact, MeasuredValue, Outcome, Verdict
from mpc.jobs.params import ParamError, describe_params, param, params_as_dict, parse_params
from mpc.jobs.requests import PeriodicStep, every, periodic_steps, request_work, set_requester

__all__ = [
    "Artifact",
    "Context",
    "HopelessError",
    "Inputs",
    "Job",
    "MeasuredValue",
    "Outcome",
    "ParamError",
    "PassingError",
    "PeriodicStep",
    "Portions",
    "RecordingContext",
    "UnknownJob",
    "Verdict",
    "all_jobs",
    "describe_params",
    "every",
    "get_job",
    "job_of",
    "param",
    "params_as_dict",
    "parse_params",
    "periodic_steps",
    "register",
    "request_work",
    "set_requester",
]
