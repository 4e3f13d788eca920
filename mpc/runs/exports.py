"""Exports that are too long to be streamed: a run writes all rows of a list's address to a file.

The list's own page says which rows and columns those are, and asks its own policy in the name of the person who asks.
Whoever may see runs may fetch their files, so only lists that all of them may see are written.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, QueryDict
from django.urls import resolve

from mpc.accounts import policy
from mpc.jobs import Artifact, HopelessError, Job, Outcome, Portions, param
from mpc.runs import services
from mpc.runs.models import Run
from mpc.ui.export import MEDIA_TYPES, pieces_of
from mpc.ui.views import ListPage

LOOK_ROWS = 5000
"""After so many rows the run says that it lives, and heeds whether it is to stop."""


class CannotExport(ValueError):
    """The address is none of a list that a run may write; the text says why."""


@dataclass(frozen=True)
class ExportParams:
    address: str = param(help="Address of the list with its filter, without the site", max_length=4000)
    file_format: str = param("csv", help="Kind of file", choices=("csv", "json"))


def ask_for_export(address: str, actor: Any) -> tuple[Run, bool]:
    """Queue the export of a list's address (``/products/?unit=S2A&format=csv``); hands back the run, and whether it is
    a new one. Raises CannotExport and PermissionDenied."""
    path, _, query = address.partition("?")
    asked = QueryDict(query, mutable=True)
    file_format = (asked.pop("format", None) or ["csv"])[-1]
    for name in ("page", "per_page"):
        asked.pop(name, None)
    params = {"address": f"{path}?{asked.urlencode()}", "file_format": file_format}
    if file_format not in MEDIA_TYPES:
        raise CannotExport(f"format={file_format}: csv and json are known")
    list_page(params["address"], file_format, actor)
    try:
        return services.request_run(policy.EXPORT, actor=actor, params=params)
    except services.CannotRequest as error:
        raise CannotExport(str(error)) from error


def list_page(address: str, file_format: str, user: Any) -> ListPage:
    """The list's page as this person would open it. Raises CannotExport and PermissionDenied."""
    path, _, query = address.partition("?")
    try:
        found = resolve(path)
    except Http404:
        raise CannotExport(f"There is no page at {path}.") from None
    view_class = getattr(found.func, "view_class", None)
    if view_class is None or not issubclass(view_class, ListPage) or not view_class.export_by_run:
        raise CannotExport(f"{path} is no list that a run can write.")
    request = HttpRequest()
    request.method, request.path, request.path_info = "GET", path, path
    request.GET = QueryDict(f"{query}&format={file_format}")
    request.user, request.session, request.htmx = user, {}, False  # type: ignore[attr-defined]
    page = view_class(**getattr(found.func, "view_initkwargs", {}))
    page.setup(request, *found.args, **found.kwargs)
    page.refuse(request)
    if not policy.ACTIONS[page.get_policy_action()] >= policy.ACTIONS["runs.view"]:
        raise CannotExport(
            "This list is not for everybody, and the files of runs are: narrow the filter and export from the page."
        )
    return page


def write_export(run: Run, params: ExportParams, portions: Portions) -> Outcome:
    """Write the file below the run's folder."""
    if run.requested_by is None:
        raise HopelessError("Nobody asks for this export: it is written with the rights of the one who does.")
    try:
        page = list_page(params.address, params.file_format, run.requested_by)
        table = page.whole_table()
    except (CannotExport, PermissionDenied, ValueError) as why:
        raise HopelessError(str(why)) from why
    name = f"{page.export_name}.{params.file_format}"
    total = table.data.data.count() if hasattr(table.data.data, "query") else len(table.data.data)
    written = 0

    def look(number: int) -> None:
        nonlocal written
        written = number
        if number % LOOK_ROWS == 0:
            portions.progress(number / max(total, number), f"{number} of about {total} rows")
            with portions.portion():
                pass

    with (Path(portions.workdir) / name).open("w", encoding="utf-8", newline="") as file:
        file.writelines(pieces_of(table, params.file_format, look))
    title = f"{page.get_title()}, {written} rows"
    artifact = Artifact(name=name, path=name, media_type=MEDIA_TYPES[params.file_format], title=title)
    return Outcome(
        summary=f"{written} rows of “{page.get_title()}” written.",
        facts={"rows": written, "address": params.address},
        artifacts=(artifact,),
    )


EXPORT_JOB = Job(
    kind=policy.EXPORT,
    title="Write a list to a file",
    description="Writes all rows that a list's filter matches to a CSV or JSON file.",
    params=ExportParams,
    needs_product=False,
    hidden=True,
    queue="default",
    priority=10,
    request_key=lambda params, inputs: sha256(f"{params.file_format} {params.address}".encode()).hexdigest(),
    in_database=write_export,
)
