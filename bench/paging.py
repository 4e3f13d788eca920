"""Measures the pages of a filled site: ``python -m bench.paging PRODUCTS PAIRS``, in a process and database of its own.

The environment says which database (``DATABASE_URL``) and folder of state (``MPC_DATA_DIR``). An empty database is
filled first. Prints one JSON object: a figure with the statements and the times of each page in its detail.
"""

from __future__ import annotations

import json
import re
import statistics
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from bench.floors.statements import Statement, replay
from bench.harness import compare, timed

GOAL = 2.0
ACCOUNT = "benchmark"
"""Looks at the pages. It is made last, so that where it stands the database is whole."""


def main(products: int, pairs: int) -> dict[str, Any]:
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
        account = _account(products)
        client = Client()
        client.force_login(account)
        return _measure(client, list(_pages(client, account.display_name)), pairs)


def _account(products: int) -> Any:
    """The account in the filled database; its display name is the product that is real."""
    from bench.filling import fill
    from mpc.accounts.models import RoleGrant, User
    from mpc.accounts.roles import Role

    found = User.objects.filter(username=ACCOUNT).first()
    if found is None:
        real = fill(products)
        found = User.objects.create_user(ACCOUNT, password=None, display_name=real)
        RoleGrant.objects.create(user=found, role=Role.ADMINISTRATOR)
    return found


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
        "products over a tile": f"{products}?tile=T32TNM",
        "products by a part of the name": f"{products}?q=T32TNM+L2A",
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


def _measure(client: Any, pages: list[tuple[str, str]], pairs: int) -> dict[str, Any]:
    from django.db import connection

    from bench.filling import counts

    statements = {name: _statements_of(lambda address=address: client.get(address)) for name, address in pages}
    bare = connection.connection
    times: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))

    def ours() -> None:
        for name, address in pages:
            one = timed(lambda address=address: client.get(address))
            times[name]["ms"].append(1000 * one.wall)
            times[name]["cpu ms"].append(1000 * one.cpu)

    def floor() -> None:
        for name, _ in pages:
            one = timed(lambda name=name: replay(bare, statements[name]))
            times[name]["statements ms"].append(1000 * one.wall)
            times[name]["statements cpu ms"].append(1000 * one.cpu)

    figure = compare(
        "pages",
        ours,
        floor,
        goal=GOAL,
        by="wall",
        pairs=pairs,
        detail={"database": connection.vendor, "rows": counts(), "floor": "the statements on the bare DB-API cursor"},
    )
    figure.detail["pages"] = {
        name: {
            "statements": len(statements[name]),
            **{kind: round(statistics.median(values), 2) for kind, values in times[name].items()},
        }
        for name, _ in pages
    }
    return figure.as_dict()


def _statements_of(work: Callable[[], Any]) -> list[Statement]:
    """What the work asks of the database, as the database module takes it."""
    from django.db import connection

    found: list[Statement] = []

    def note(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        found.append(_own_manner(connection.vendor, sql, parameters))
        return execute(sql, parameters, many, context)

    with connection.execute_wrapper(note):
        work()
    return found


def _own_manner(vendor: str, sql: str, parameters: Any) -> Statement:
    """SQLite's module has "?" where Django writes "%s"."""
    if vendor != "sqlite" or parameters is None:
        return sql, parameters
    return re.sub(r"(?<!%)%s", "?", sql).replace("%%", "%"), tuple(parameters)


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), int(sys.argv[2]))))
