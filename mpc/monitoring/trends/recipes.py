"""How to get what a trend shows from elsewhere: as Python, curl and on the command line, with the same filter."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import QueryDict

from mpc.monitoring.trends.filters import RESOLUTIONS

ADDRESS = "/api/v1/trends/"
# Of the query of a page: what says which values are shown, in the order in which it is written down.
SAYS_WHICH = ("unit", "level", "band", "baseline", "detector", "site", "since", "until", "zoom", "tile", "status",
              "product", "resolution")  # fmt: skip


@dataclass(frozen=True)
class Recipe:
    """``key`` names it in ids; ``text`` runs as it stands once a token is in ``MPC_TOKEN`` (where it needs one)."""

    key: str
    title: str
    text: str


def recipes(site: str, codes: list[str], query: QueryDict) -> list[Recipe]:
    """``site`` is the address of the centre, "https://mpc.example.org"; ``query`` that of the page."""
    pairs = [("metric", code) for code in codes] + chosen(query)
    address = f"{site}{ADDRESS}?{urlencode(pairs)}"
    return [
        Recipe("python", "Python", _python(address)),
        Recipe("curl", "curl", _curl(address)),
        Recipe("cli", "Command line", "\n".join(_command(code, query) for code in codes)),
    ]


def chosen(query: QueryDict) -> list[tuple[str, str]]:
    """The part of a page's query that says which values are shown."""
    return [(name, value) for name in SAYS_WHICH for value in query.getlist(name) if value]


def _curl(address: str) -> str:
    return f'curl -sS --fail-with-body -H "Authorization: Token $MPC_TOKEN" {shlex.quote(address)}'


def _python(address: str) -> str:
    return f"""\
import json
import os
import urllib.request

request = urllib.request.Request(
    {address!r},
    headers={{"Authorization": f"Token {{os.environ['MPC_TOKEN']}}"}},
)
with urllib.request.urlopen(request) as answer:
    trends = json.load(answer)
for trend in trends["trends"]:
    print(trend["metric"], "in", trend["unit"] or "1", "by", trend["resolution"])
    for series in trend["series"]:
        print(series["part"], len(series["time"]), "points, newest", series["value"][-1])
"""


def _command(code: str, query: QueryDict) -> str:
    words = ["manage.py", "measurements", code]
    for name, value in chosen(query):
        words += [f"--{name}", value]
    return shlex.join([*words, "--json"])


__all__ = ["RESOLUTIONS", "Recipe", "chosen", "recipes"]
