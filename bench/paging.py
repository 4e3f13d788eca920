"""Measures the pages of a filled site, in a process and database of its own.

    python -m bench.paging measure FEW MANY PAIRS     fills an empty database with FEW products, then up to MANY
    python -m bench.paging count                      how many statements each page takes in the database as it is

The environment says which database (``DATABASE_URL``) and folder of state (``MPC_DATA_DIR``). Prints one JSON object.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.floors.statements import Statement, replay
from bench.harness import compare, timed

GOAL = 2.0
ACCOUNT = "benchmark"
"""Looks at the pages; its display name is the product that is real, its first name says when all rows are in."""

FILLED = "filled"
FEW = "few.sqlite3"


def measure(few: int, many: int, pairs: int) -> dict[str, Any]:
    """The figure of all pages, with the statements and times of each in its detail."""
    with _site() as client:
        from bench import filling

        account, of_few = _account(), {}
        if account is None:
            account = _make_account(filling.fill(few, of=many))
            of_few = _counted(client, account)
            _keep_few()
        if account.first_name != FILLED:
            filling.fill_on(few, of=many)
            account.first_name = FILLED
            account.save()
        found = _measured(client, account, pairs)
        found["detail"]["statements for few"] = of_few or _count_elsewhere()
        found["detail"]["rows"] = filling.counts()
        return found


def count() -> dict[str, int]:
    """Statements by page."""
    with _site() as client:
        return _counted(client, _account())


@contextmanager
def _site() -> Iterator[Any]:
    """A browser in front of the migrated site."""
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.test import Client
    from django.test.utils import override_settings

    # In production the files of the look have names by content, from a list that nobody has made here.
    plain = {**settings.STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    with override_settings(STORAGES=plain, ALLOWED_HOSTS=["testserver"]):
        call_command("migrate", verbosity=0)
        yield Client()


def _account() -> Any:
    from mpc.accounts.models import User

    return User.objects.filter(username=ACCOUNT).first()


def _make_account(real: str) -> Any:
    from mpc.accounts.models import RoleGrant, User
    from mpc.accounts.roles import Role

    made = User.objects.create_user(ACCOUNT, password=None, display_name=real)
    RoleGrant.objects.create(user=made, role=Role.ADMINISTRATOR)
    return made


def _keep_few() -> None:
    """The database with few products beside the other, for the next time."""
    from django.db import connection

    if connection.vendor == "sqlite":
        place = Path(connection.settings_dict["NAME"]).with_name(FEW)
        place.unlink(missing_ok=True)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [str(place)])


def _count_elsewhere() -> dict[str, int]:
    from django.db import connection

    place = Path(connection.settings_dict["NAME"]).with_name(FEW)
    command = [sys.executable, "-m", "bench.paging", "count"]
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{place}"}
    told = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    return dict(json.loads(told.splitlines()[-1]))


def _counted(client: Any, account: Any) -> dict[str, int]:
    client.force_login(account)
    pages = dict(_pages(client, account.display_name))
    return {name: len(_statements_of(client, address)) for name, address in pages.items()}


def _pages(client: Any, product: str) -> Iterator[tuple[str, str]]:
    """Name and address of each page; of one that leads on at once, the address where it ends."""
    from django.urls import reverse

    from mpc.products.models import Product
    from qc.models import QualityReport

    last = Product.objects.exclude(name=product).latest("sensing_start").sensing_start.date()
    days = f"since={last - timedelta(days=20)}&until={last}"
    run = QualityReport.objects.get(product__name=product, current=True).run_id
    products, reports, runs = (reverse(f"{name}:list") for name in ("products", "qc", "runs"))
    addresses = {
        "today": reverse("home"),
        "products": products,
        "products, last page": f"{products}?page=1000000",
        "products of a unit, level and time": f"{products}?unit=S2B&level=L1C&{days}",
        "products that failed": f"{products}?status=FAILED",
        "products over tiles": f"{products}?tile=T32",
        "products by a part of the name": f"{products}?q=T32+L2A",
        "products by cloud cover": f"{products}?sort=cloud_cover",
        "product": reverse("products:detail", kwargs={"name": product}),
        "reports": reports,
        "reports of a unit that failed": f"{reports}?unit=S2B&verdict=FAILED",
        "reports by time of sensing": f"{reports}?sort=-sensed",
        "reports in which a check failed": f"{reports}?check=format.manifest.size",
        "report": reverse("qc:report", kwargs={"name": product}),
        "runs": runs,
        "runs that succeeded in some days": f"{runs}?state=succeeded&{days}",
        "run": reverse("runs:detail", args=[run]),
    }
    for name, address in addresses.items():
        answer = client.get(address, follow=True)
        if answer.status_code != 200:
            raise RuntimeError(f"{address} answers {answer.status_code}")
        yield name, answer.redirect_chain[-1][0] if answer.redirect_chain else address


def _measured(client: Any, account: Any, pairs: int) -> dict[str, Any]:
    from django.db import connection

    client.force_login(account)
    pages = dict(_pages(client, account.display_name))
    statements = {name: _statements_of(client, address) for name, address in pages.items()}
    times: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))

    def note(name: str, what: str, work: Callable[[], Any]) -> None:
        one = timed(work)
        times[name][f"{what}ms"].append(1000 * one.wall)
        times[name][f"{what}cpu ms"].append(1000 * one.cpu)

    def ours() -> None:
        for name, address in pages.items():
            note(name, "", lambda address=address: client.get(address))

    def floor() -> None:
        for name in pages:
            note(name, "statements ", lambda name=name: replay(connection.connection, statements[name]))

    figure = compare(
        "pages",
        ours,
        floor,
        goal=GOAL,
        by="wall",
        pairs=pairs,
        detail={"database": connection.vendor, "floor": "the statements of all pages on the bare DB-API cursor"},
    )
    figure.detail["pages"] = {
        name: {
            "statements": len(statements[name]),
            **{kind: round(statistics.median(values), 2) for kind, values in times[name].items()},
        }
        for name in pages
    }
    return figure.as_dict()


def _statements_of(client: Any, address: str) -> list[Statement]:
    """What a page asks of the database, as the database module takes it."""
    from django.db import connection

    found: list[Statement] = []

    def note(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        found.append(_own_manner(connection.vendor, sql, parameters))
        return execute(sql, parameters, many, context)

    with connection.execute_wrapper(note):
        client.get(address)
    return found


def _own_manner(vendor: str, sql: str, parameters: Any) -> Statement:
    """SQLite's module has "?" where Django writes "%s"."""
    if vendor != "sqlite" or parameters is None:
        return sql, parameters
    return re.sub(r"(?<!%)%s", "?", sql).replace("%%", "%"), tuple(parameters)


if __name__ == "__main__":
    what, *numbers = sys.argv[1:]
    print(json.dumps({"measure": measure, "count": count}[what](*map(int, numbers))))
