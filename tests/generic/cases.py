"""Tests that a page or an endpoint inherits by a few lines.

    class TestProductList(ListPageCase):
        url_name = "products:list"
        roles = frozenset(Role)
        make = staticmethod(factories.product)
        columns = ("Quality", "Unit", "Sensed", "Product")
        filters = {"unit=S2A": 2, "q=nothing": 0}
        empty_text = "Products appear here"
        hostile_field = "datastrip_id"

A subclass says what the page is; the class gives what every such page must do. ``make(n)`` makes the n-th row, so that
rows differ; the query counts are compared with ``query_counts.json`` (see ``counts``). Each of the classes can be mixed
with tests of one's own, and an attribute may be a property where it depends on rows.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence, Set
from html import unescape
from itertools import product
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode

import pytest
from django.core.cache import cache
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from mpc.accounts.models import AuditEntry
from mpc.accounts.policy import Role
from mpc.runs import services as runs
from mpc.runs.models import Run
from tests import factories
from tests.generic.counts import check_count, statements
from tests.generic.html import faults_of

FEW, MANY = 3, 60
FORMULA = "=1+1"
# What an address may carry, by mistake or on purpose: none of it may break a page.
HOSTILE = ('"><script>alert(1)</script>', "9" * 40, "-1", "2026-13-45", "ä😀'%_\\" + "x" * 2000)
HTMX = {"HX-Request": "true", "HX-Target": "results"}


def text_of(answer: Any) -> str:
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return content.decode()


def check_page(answer: Any, *, whole: bool = True) -> str:
    html = text_of(answer)
    assert faults_of(html, whole=whole) == [], f"{answer.request['PATH_INFO']}?{answer.request['QUERY_STRING']}"
    return html


class Case:
    """What all cases share: the address and who looks at it."""

    url_name: ClassVar[str] = ""
    roles: ClassVar[frozenset[Role]] = frozenset(Role)
    # What an account without a role is answered; 200 on pages about oneself.
    without_role: ClassVar[int] = 403
    make: ClassVar[Callable[..., Any]]

    @pytest.fixture(autouse=True)
    def _own_place(self, db: None, settings: Any, tmp_path: Any) -> None:
        settings.MPC_RUNS_DIR = tmp_path / "runs"
        settings.MPC_UPLOADS_DIR = tmp_path / "uploads"
        cache.clear()  # the limits of the API count there
        # Where rows name a person, it is this one; it never looks at a page.
        self.somebody = factories.person(name="somebody")
        self.prepare()

    def prepare(self) -> None:
        """Rows that the page needs before any of its own."""

    def kwargs(self) -> dict[str, Any]:
        """What the address takes."""
        return {}

    @property
    def url(self) -> str:
        return reverse(self.url_name, kwargs=self.kwargs())

    # A query that leaves the rows of the case alone, where the page has others (the people who look).
    narrow: ClassVar[str] = ""

    def at(self, query: str = "") -> str:
        """The address with a query."""
        whole = "&".join(part for part in (self.narrow, query) if part)
        return f"{self.url}?{whole}" if whole else self.url

    @property
    def a_role(self) -> Role:
        """The least of the roles that may."""
        return next(role for role in Role if role in self.roles)

    def browser(self, role: Role | None = None) -> Client:
        return factories.client(role or self.a_role)


class PermissionCase(Case):
    """Who may see an address: exactly the ``roles``; visitors are led to the sign-in."""

    def test_each_role_gets_in_or_is_told_why_not(self) -> None:
        # Each role that may not, and the least that may; the walk over all addresses takes the others.
        for role in [*(role for role in Role if role not in self.roles), self.a_role]:
            browser, wanted = self.browser(role), 200 if role in self.roles else 403
            answer = browser.get(self.at())
            assert answer.status_code == browser.head(self.at()).status_code == wanted, role
            if wanted == 403:
                assert "takes the role" in check_page(answer)
        assert factories.client().get(self.at()).status_code == self.without_role

    def test_a_visitor_is_led_to_the_sign_in_and_back(self, client: Client) -> None:
        answer = client.get(f"{self.url}?x=1")
        assert answer.status_code == 302
        assert answer["Location"] == f"{reverse('account_login')}?next={self.url.replace('%', '%25')}%3Fx%3D1"

    def test_a_fragment_leads_the_whole_page_to_the_sign_in(self, client: Client) -> None:
        answer = client.get(self.url, headers={**HTMX, "HX-Current-URL": f"http://testserver{self.url}"})
        assert answer.status_code == 401
        assert answer["HX-Redirect"].startswith(reverse("account_login"))

    def test_looking_changes_nothing(self) -> None:
        browser = self.browser()
        before = AuditEntry.objects.count()
        asked = statements(lambda: browser.get(self.at()))
        assert [sql for sql in asked if sql.startswith(("INSERT", "UPDATE", "DELETE"))] == []
        assert AuditEntry.objects.count() == before


class PageCase(PermissionCase):
    """A page that everything of a kind has: it is whole, and an address with nonsense does not break it."""

    def test_the_page_is_well_formed(self) -> None:
        check_page(self.browser().get(self.at()))

    def test_what_an_address_says_too_much_is_harmless(self) -> None:
        browser = self.browser()
        for query in ("nonsense=1", "page=2&nonsense=x", "sort=nonsense", "utm_source=x", "=&&=x", "sort=-&sort="):
            answer = browser.get(self.at(query))
            assert answer.status_code == 200, query
            check_page(answer)

    def test_the_content_policy_is_said(self) -> None:
        answer = self.browser().get(self.at())
        assert "script-src 'self' 'nonce-" in answer["Content-Security-Policy"]
        nonces = {*re.findall(r"<(?:script|style)[^>]* nonce=\"([^\"]+)\"", text_of(answer))}
        assert all(f"'nonce-{nonce}'" in answer["Content-Security-Policy"] for nonce in nonces)


class QueryCountCase(Case):
    """How often a view asks the database: the same for few rows and many, and as committed.

    ``calls`` gives names and what they add to the address; ``fill(n)`` makes everything of which a page may show many.
    """

    calls: ClassVar[Mapping[str, str]] = {"page": ""}

    @property
    def counted_as(self) -> str:
        """The name of the view in the committed file."""
        return self.url_name

    def fill(self, count: int) -> None:
        for n in range(count):
            self.make(n)

    def more(self, few: int, many: int) -> None:
        """Rows from ``few`` up to ``many``."""
        for n in range(few, many):
            self.make(n)

    def test_the_database_is_asked_as_often_as_committed(self) -> None:
        self.fill(FEW)
        browser = self.browser()

        def cost(query: str) -> list[str]:
            return statements(lambda: text_of(browser.get(self.at(query))))

        few = {name: cost(query) for name, query in self.calls.items()}
        self.more(FEW, MANY)
        for name, query in self.calls.items():
            check_count(f"{self.counted_as} {name}", few[name], cost(query))


class ExportCase(Case):
    """CSV and JSON of a list: what the filter fits, all columns, nothing that a spreadsheet would run."""

    filters: ClassVar[Mapping[str, int]] = {}
    rows: ClassVar[int] = 6
    # A text field of a row that an export shows, and the column that shows it where that has another name.
    hostile_field: ClassVar[str] = ""
    hostile_column: ClassVar[str] = ""

    def json_of(self, browser: Client, query: str = "") -> list[dict[str, Any]]:
        answer = browser.get(self.at(f"format=json&{query}"))
        assert answer.status_code == 200, query
        assert answer["Content-Type"] == "application/json"
        assert answer["X-Content-Type-Options"] == "nosniff"
        return json.loads(text_of(answer), parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))

    def csv_of(self, browser: Client, query: str = "") -> list[dict[str, str]]:
        answer = browser.get(self.at(f"format=csv&{query}"))
        assert answer.status_code == 200, query
        assert answer["Content-Type"] == "text/csv; charset=utf-8"
        assert re.fullmatch(r'attachment; filename="[\w.\-]+\.csv"', answer["Content-Disposition"])
        return list(csv.DictReader(io.StringIO(text_of(answer), newline=""), strict=True))

    def fill_rows(self) -> None:
        for n in range(self.rows):
            self.make(n)

    def test_both_formats_hold_the_same_rows_of_each_filter(self) -> None:
        self.fill_rows()
        browser = self.browser()
        for query, count in {"": self.rows, **self.filters}.items():
            as_json, as_csv = self.json_of(browser, query), self.csv_of(browser, query)
            assert len(as_json) == len(as_csv) == count, query
            for one, other in zip(as_json, as_csv, strict=True):
                assert list(one) == list(other), query
                assert {*other.values()}.isdisjoint({"None", "nan", "NaN", "inf"})

    def test_an_export_pages_not(self) -> None:
        self.fill_rows()
        assert len(self.json_of(self.browser(), "page=2&per_page=25")) == self.rows

    def test_an_export_without_rows_is_one_all_the_same(self) -> None:
        assert self.json_of(self.browser()) == []
        assert self.csv_of(self.browser()) == []

    def test_an_unknown_format_is_a_bad_request(self) -> None:
        browser = self.browser()
        for file_format in ("xlsx", "html", "CSV", "../csv"):
            assert browser.get(f"{self.url}?format={file_format}").status_code == 400

    def test_no_cell_runs_as_a_formula(self) -> None:
        if not self.hostile_field:
            pytest.skip("no text of its rows comes from outside")
        column = self.hostile_column or self.hostile_field
        texts = [f"{start}1+1" for start in ("=", "+", "-", "@", "\t", "\r")]
        for n, text in enumerate(texts):
            self.make(n, **{self.hostile_field: text})
        browser = self.browser()
        assert sorted(row[column] for row in self.csv_of(browser)) == sorted(f"'{text}" for text in texts)
        assert sorted(row[column] for row in self.json_of(browser)) == sorted(texts)

    def test_who_may_not_see_the_list_gets_no_export(self) -> None:
        for role in frozenset(Role) - self.roles:
            for file_format in ("csv", "json"):
                assert self.browser(role).get(f"{self.url}?format={file_format}").status_code == 403
        assert Client().get(f"{self.url}?format=csv").status_code == 302


class ListPageCase(PageCase, ExportCase, QueryCountCase):
    """A list on ``mpc.ui.views.ListPage``.

    ``columns`` are titles that are shown at first, in their order; ``filters`` maps a query to the number of the first
    ``rows`` rows that fit it; ``unsorted`` names columns that cannot be sorted by.
    """

    columns: ClassVar[Sequence[str]] = ()
    empty_text: ClassVar[str] = ""
    unsorted: ClassVar[frozenset[str]] = frozenset()
    # Rows that the page itself has before any is made (an audit log that has noted the sign-in).
    calls: ClassVar[Mapping[str, str]] = {"page": "", "csv": "format=csv", "json": "format=json"}

    # --- Reading a page -----------------------------------------------------------------------------------------------
    def titles(self, html: str) -> list[str]:
        head = re.search(r"<thead.*?</thead>", html, re.S)
        found = re.findall(r"<th(?![^>]*class=\"pick)[^>]*>(.*?)</th>", head[0], re.S) if head else []
        return [unescape(re.sub(r"<[^>]*>", "", title)).strip() for title in found]

    def count(self, html: str) -> int:
        found = re.search(r'<p class="count"[^>]*><b>([\d\s\u202f\u00a0]+)</b> found', html)
        assert found, "the page does not say how many there are"
        return int(re.sub(r"\D", "", found[1]))

    def body_rows(self, html: str) -> list[str]:
        found = re.search(r'<div id="results".*', html, re.S)
        body = re.search(r"<tbody.*?</tbody>", found[0] if found else "", re.S)
        return re.findall(r"<tr.*?</tr>", body[0], re.S) if body else []

    def filter_names(self) -> list[str]:
        html = text_of(self.browser().get(self.at()))
        form = re.search(r'<form id="filters".*?</form>', html, re.S)[0]
        return sorted({*re.findall(r' name="([^"]+)"', form)})

    # --- What is shown ------------------------------------------------------------------------------------------------
    def test_the_columns_are_there(self) -> None:
        self.fill_rows()
        html = check_page(self.browser().get(self.at()))
        titles = self.titles(html)
        assert self.columns, "say columns in the case"
        assert [title for title in titles if title in self.columns] == list(self.columns), titles
        assert self.count(html) == len(self.body_rows(html)) == self.rows

    def test_all_columns_can_be_shown_and_one_alone(self) -> None:
        self.fill_rows()
        browser = self.browser()
        html = text_of(browser.get(self.at()))
        menu = re.search(r'<div class="column-choice">.*?</div>', html, re.S)[0]
        names = re.findall(r'name="column" value="([^"]+)"', menu)
        list_name = re.search(r'name="list_name" value="([^"]+)"', html)[1]
        where = {"list_name": unescape(list_name), "next": self.url}
        assert browser.post(reverse("list-columns"), {**where, "column": names}).status_code == 302
        whole = check_page(browser.get(self.at()))
        assert len(self.titles(whole)) == len(names) >= len(self.columns)
        assert set(self.columns) <= set(self.titles(whole))
        for name in names:
            browser.post(reverse("list-columns"), {**where, "column": [name]})
            assert len(self.titles(text_of(browser.get(self.at())))) == 1

    def test_an_empty_list_says_what_would_be_here(self) -> None:
        html = check_page(self.browser().get(self.at()))
        assert self.body_rows(html) == []
        assert self.empty_text, "say empty_text in the case"
        assert self.empty_text in unescape(html)

    def test_rows_of_which_little_is_known_are_shown_too(self) -> None:
        bare = getattr(self, "make_bare", None)
        if bare is None:
            pytest.skip("all fields of its rows are filled")
        bare(0)
        check_page(self.browser().get(self.at()))

    # --- Filters ------------------------------------------------------------------------------------------------------
    def test_filters_show_what_fits(self) -> None:
        assert self.filters, "say filters in the case"
        self.fill_rows()
        browser = self.browser()
        for query, count in self.filters.items():
            html = check_page(browser.get(self.at(query)))
            assert "could not be read" not in html, query
            assert self.count(html) == count, query
            assert len(self.body_rows(html)) == count, query
            part = text_of(browser.get(self.at(query), headers=HTMX))
            assert self.count(part) == count
            assert "<html" not in part

    def test_a_filter_survives_sorting_paging_and_exports(self) -> None:
        query = next(iter(self.filters))
        browser = self.browser()
        for n in range(30):
            self.make(n)
        html = text_of(browser.get(self.at(f"{query}&per_page=25")))
        wanted = parse_qsl(query)
        results = re.sub(r'<ul class="chips".*?</ul>', "", html[html.index('<div id="results"') :], flags=re.S)
        led = [unescape(place) for place in re.findall(r'href="\?([^"]*)"', results)]
        kept = [place for place in led if re.search(r"(^|&)(sort|page|format|per_page)=", place)]
        assert any("format=csv" in place for place in kept)
        for place in kept:
            assert all(pair in parse_qsl(place) for pair in wanted), f"{place} forgets {query}"
        assert re.search(rf'name="query" value="[^"]*{re.escape(wanted[0][0])}=', results), "a saved filter forgets it"

    def test_a_filter_can_be_kept_and_used_again(self) -> None:
        query = next(iter(self.filters))
        self.fill_rows()
        browser = self.browser()
        list_name = unescape(re.search(r'name="list_name" value="([^"]+)"', text_of(browser.get(self.at())))[1])
        sent = {"list_name": list_name, "name": "mine <b>", "query": query, "next": self.url}
        led = browser.post(reverse("filter-save"), sent)
        assert led.status_code == 302
        assert self.count(text_of(browser.get(led["Location"]))) == self.filters[query]
        html = check_page(browser.get(self.at()))
        assert "mine &lt;b&gt;" in html

    def test_no_value_of_any_filter_breaks_the_page(self) -> None:
        self.make(0)
        browser = self.browser()
        names = self.filter_names()
        for name in names:
            for value in HOSTILE[1:]:
                answer = browser.get(self.at(urlencode({name: value, "format": "json"})))
                assert answer.status_code in (200, 302), f"{name}={value[:60]!r} answered {answer.status_code}"
            answer = browser.get(self.at(urlencode({name: HOSTILE[0]})), headers=HTMX)
            assert "<script>alert(1)" not in check_page(answer, whole=False), name
        everything = urlencode([(name, value) for name in names for value in HOSTILE])
        assert "<script>alert(1)" not in check_page(browser.get(self.at(everything)))

    # --- Order and pages ----------------------------------------------------------------------------------------------
    def test_every_column_sorts_both_ways(self) -> None:
        self.fill_rows()
        browser = self.browser()
        names = [name for name in self.json_of(browser)[0] if name not in self.unsorted]
        for name in names:
            up, down = (self.json_of(browser, f"sort={sign}{name}") for sign in ("", "-"))
            key = lambda row: json.dumps(row, sort_keys=True)  # noqa: E731
            assert sorted(map(key, up)) == sorted(map(key, down)), f"sorting by {name} loses rows"
            values = [json.dumps(row[name]) for row in up]
            if len({*values}) == len(values) > 1:
                assert [json.dumps(row[name]) for row in down] == values[::-1], f"-{name} is not {name} turned round"
        page = check_page(browser.get(self.at(f"sort=-{names[0]}")))
        assert len(self.body_rows(page)) == self.rows
        assert re.search(r'<th[^>]* aria-sort="descending"', page) or not self.titles(page)

    def test_any_number_of_a_page_leads_to_a_page(self) -> None:
        for n in range(30):
            self.make(n)
        browser = self.browser()

        def shown(**query: str) -> int:
            html = text_of(browser.get(self.at(urlencode(query)), headers=HTMX))
            assert self.count(html) == 30
            return len(self.body_rows(html))

        for page in ("0", "-1", "abc", "1e3", "½"):
            assert shown(page=page, per_page="25") == 25, page
        for page in ("2", "9999", "9" * 30):
            assert shown(page=page, per_page="25") == 5, page
        for size in ("100", "7", "0", "x", "9" * 30):
            assert shown(per_page=size) == 30, size

    def test_pages_hold_every_row_once(self) -> None:
        for n in range(30):
            self.make(n)
        browser = self.browser()
        rows = self.json_of(browser)
        # The orders in which most rows are equal: there they need something more to go by.
        ties = sorted((len({json.dumps(row[name]) for row in rows}), name) for name in rows[0])
        for order in ("", *[f"sort={name}" for _, name in ties if name not in self.unsorted][:4]):
            rows = []
            for page in (1, 2):
                part = browser.get(self.at(f"per_page=25&page={page}&{order}"), headers=HTMX)
                rows += self.body_rows(text_of(part))
            assert len(rows) == 30
            texts = [" ".join(re.sub(r"<[^>]*>", " ", row).split()) for row in rows]
            twice = [text for text in texts if texts.count(text) > 1]
            assert not twice, f"{order}: a row stands on two pages, another on none: {twice[0]}"

    def test_caches_know_that_a_fragment_is_not_the_page(self) -> None:
        answer = self.browser().get(self.at(), headers=HTMX)
        assert {"HX-Request", "HX-Target"} <= {name.strip() for name in answer["Vary"].split(",")}
        assert "<html" not in check_page(answer, whole=False)


class BulkListCase(Case):
    """What a list can do to many rows: to the ticked ones at once, to all that match by a run, each by itself.

    ``make(n)`` makes rows that the action fits; ``bulk_action`` is one of the list's, ``values`` what its form takes,
    ``is_done(row)`` says whether it was done to one; ``audited`` is what the audit calls it. ``one`` is a query that
    fits ``make(0)`` and none of the others; ``bulk_roles`` may do it.
    """

    bulk_kind: ClassVar[str] = ""
    bulk_action: ClassVar[str] = ""
    values: ClassVar[Mapping[str, Any]] = {}
    wrong_values: ClassVar[Mapping[str, Any]] = {}
    one: ClassVar[str] = ""
    audited: ClassVar[str] = ""
    bulk_roles: ClassVar[frozenset[Role]] = frozenset(Role)

    def is_done(self, row: Any) -> bool:
        raise NotImplementedError

    def refuse(self, row: Any) -> None:
        """Bring a row into a state in which the action is refused."""
        raise NotImplementedError

    @property
    def doer(self) -> Client:
        return factories.client(next(role for role in Role if role in self.bulk_roles))

    def asked(self, **values: Any) -> dict[str, Any]:
        return {"kind": self.bulk_kind, "action": self.bulk_action, "next": self.url, **values}

    def done_of(self, rows: Sequence[Any]) -> list[bool]:
        return [self.is_done(row) for row in rows]

    def confirm(self, browser: Client, led: Any, **changes: Any) -> Any:
        """Answer the question to which a request was led."""
        assert led.status_code == 302, text_of(led)[:500]
        count = re.search(r'name="count" value="(\d+)"', check_page(browser.get(led["Location"])))
        assert count, "the page does not say how many are meant"
        return browser.post(led["Location"], {"count": count[1], **self.values, **changes})

    def work(self, answer: Any) -> Run:
        """The run that a confirmed request started, done as a worker does it."""
        assert answer.status_code == 302, text_of(answer)[:500]
        run = Run.objects.get(kind=self.bulk_kind)
        assert answer["Location"] == run.get_absolute_url()
        return runs.work_in_place(run)

    def test_ticked_rows_are_done_and_no_others(self) -> None:
        rows, browser = [self.make(n) for n in range(4)], self.doer
        led = browser.post(reverse("bulk"), self.asked(key=[rows[1].pk, rows[2].pk]))
        if self.values:
            led = self.confirm(browser, led)
        assert led.status_code == 302
        assert self.done_of(rows) == [False, True, True, False]
        assert not Run.objects.filter(kind=self.bulk_kind).exists()
        entries = AuditEntry.objects.filter(action=self.audited, actor=browser.user)
        assert {entry.object_id for entry in entries} == {str(rows[1].pk), str(rows[2].pk)}

    @pytest.mark.django_db(transaction=True)
    def test_all_that_match_are_stored_counted_confirmed_and_done_by_a_run(self) -> None:
        rows, browser = [self.make(n) for n in range(4)], self.doer
        led = browser.post(reverse("bulk"), self.asked(whole="1", query=self.one))
        assert self.done_of(rows) == [False] * 4, "nothing is done before it is confirmed"
        answer = self.confirm(browser, led)
        run = self.work(answer)
        assert (run.state, run.requested_by, run.facts["done"]) == ("succeeded", browser.user, 1), run.error
        assert self.done_of(rows) == [True, False, False, False]
        assert AuditEntry.objects.get(action="ui.bulk").after["filter"] == self.one
        assert {e.actor for e in AuditEntry.objects.filter(action=self.audited)} == {browser.user}

    @pytest.mark.django_db(transaction=True)
    def test_what_one_row_refuses_is_told_and_the_others_are_done(self) -> None:
        rows, browser = [self.make(n) for n in range(4)], self.doer
        led = browser.post(reverse("bulk"), self.asked(whole="1"))
        self.refuse(rows[2])
        run = self.work(self.confirm(browser, led))
        assert (run.state, run.verdict) == ("succeeded", "INCOMPLETE"), run.error
        assert (run.facts["done"], run.facts["refused"]) == (3, 1)
        assert str(rows[2]) in run.facts["reasons"][0]

    @pytest.mark.django_db(transaction=True)
    def test_what_comes_after_the_question_is_not_meant(self) -> None:
        rows, browser = [self.make(0)], self.doer
        led = browser.post(reverse("bulk"), self.asked(whole="1"))
        rows.append(self.make(1))
        self.work(self.confirm(browser, led))
        assert self.done_of(rows) == [True, False]

    def test_a_number_that_has_changed_is_asked_again(self) -> None:
        rows, browser = [self.make(n) for n in range(3)], self.doer
        led = browser.post(reverse("bulk"), self.asked(whole="1"))
        answer = self.confirm(browser, led, count="99")
        assert answer.status_code == 422
        assert "It is 3 now" in check_page(answer)
        assert self.done_of(rows) == [False] * 3

    def test_values_that_make_no_sense_are_refused(self) -> None:
        if not self.values:
            pytest.skip("the action takes no values")
        rows, browser = [self.make(0)], self.doer
        led = browser.post(reverse("bulk"), self.asked(key=[rows[0].pk]))
        assert self.confirm(browser, led, **self.wrong_values).status_code == 422
        assert self.done_of(rows) == [False]

    def test_a_filter_that_cannot_be_read_matches_nothing(self) -> None:
        rows, browser = [self.make(0)], self.doer
        led = browser.post(reverse("bulk"), self.asked(whole="1", query="since=nonsense&unit=%27"))
        assert browser.get(led["Location"]).status_code == 400
        assert browser.post(led["Location"], {"count": "1", **self.values}).status_code == 400
        assert self.done_of(rows) == [False]

    def test_who_may_not_gets_no_boxes_and_does_nothing(self) -> None:
        rows = [self.make(0)]
        for role in Role:
            browser = self.browser(role)
            html = check_page(browser.get(self.at()))
            assert ("data-pick-all" in html) is (role in self.bulk_roles), role
            if role not in self.bulk_roles:
                assert "takes the role" in unescape(html)
                assert browser.post(reverse("bulk"), self.asked(key=[rows[0].pk])).status_code == 403
        assert self.done_of(rows) == [False]

    def test_another_persons_request_is_not_found(self) -> None:
        rows = [self.make(0)]
        led = self.doer.post(reverse("bulk"), self.asked(whole="1"))
        other = self.browser(Role.ADMINISTRATOR)
        assert other.get(led["Location"]).status_code == 404
        assert other.post(led["Location"], {"count": "1", **self.values}).status_code == 404
        assert self.done_of(rows) == [False]

    def test_nonsense_is_a_bad_request_and_no_row_a_hint(self) -> None:
        browser = self.doer
        for wrong in ({"kind": "nothing"}, {"action": "explode"}, {"whole": "1", "query": "x=" + "y" * 5000}):
            assert browser.post(reverse("bulk"), self.asked(**wrong)).status_code == 400, wrong
        for nothing in ({}, {"key": ["x", "-1", "9" * 40]}):
            answer = browser.post(reverse("bulk"), self.asked(**nothing), follow=True)
            assert "Tick some rows first" in text_of(answer)

    @pytest.mark.django_db(transaction=True)
    def test_a_run_that_is_tried_again_goes_on_behind_what_was_done(self) -> None:
        rows, browser = [self.make(n) for n in range(4)], self.doer
        led = browser.post(reverse("bulk"), self.asked(whole="1"))
        answer = self.confirm(browser, led)
        Run.objects.filter(kind=self.bulk_kind).update(facts={"so far": {"after": rows[1].pk, "done": 2}})
        run = self.work(answer)
        assert self.done_of(rows) == [False, False, True, True]
        assert run.facts["done"] == 4


class DetailPageCase(PageCase, QueryCountCase):
    """The page of one object: ``make(0)`` makes it, ``texts`` stand on it; ``fill_object(obj, first, last)`` adds what
    it may have many of."""

    texts: ClassVar[Sequence[str]] = ()
    # Values of the address that lead to nothing.
    missing: ClassVar[Sequence[Mapping[str, Any]]] = ()

    def prepare(self) -> None:
        self.object = self.make(0)

    def kwargs(self) -> dict[str, Any]:
        return {"pk": self.object.pk}

    def fill_object(self, first: int, last: int) -> None:
        """Rows that belong to ``self.object``, numbered."""

    def fill(self, count: int) -> None:
        self.fill_object(0, count)

    def more(self, few: int, many: int) -> None:
        self.fill_object(few, many)

    def test_what_is_known_stands_on_the_page(self) -> None:
        self.fill_object(0, FEW)
        html = unescape(check_page(self.browser().get(self.at())))
        assert [text for text in self.texts if text not in html] == []

    def test_an_object_of_which_little_is_known_has_a_page(self) -> None:
        bare = getattr(self, "make_bare", None)
        if bare is None:
            pytest.skip("all fields of its objects are filled")
        self.object = bare(0)
        check_page(self.browser().get(self.at()))

    def test_what_is_not_there_is_not_found(self) -> None:
        for kwargs in self.missing:
            answer = self.browser().get(reverse(self.url_name, kwargs=kwargs))
            assert answer.status_code == 404, kwargs
            check_page(answer)


class FormPageCase(PermissionCase):
    """A page with a form that makes or changes something.

    ``data()`` is what is sent when all is well; ``wrong`` pairs changes of it with words of the refusal. ``model`` is
    what it makes (``creates``: how many more there are afterwards).
    """

    model: ClassVar[type[Model]]
    creates: ClassVar[int] = 1
    wrong: ClassVar[Sequence[tuple[Mapping[str, Any], str]]] = ()
    # What the audit says of it: the beginning of the action.
    audited: ClassVar[str] = ""
    # Fields that take any text, to be tried with a hostile one.
    texts: ClassVar[Sequence[str]] = ()
    refused_status: ClassVar[int] = 422

    @property
    def post_url(self) -> str:
        """Where the form is sent; usually the address that shows it."""
        return self.url

    def data(self) -> dict[str, Any]:
        raise NotImplementedError

    def check_done(self, answer: Any) -> None:
        """Assert that it was done."""

    def kept(self) -> list[Any]:
        return list(self.model._default_manager.order_by("pk").values())

    def test_the_form_is_well_formed_and_carries_its_token(self) -> None:
        html = check_page(self.browser().get(self.at()))
        assert 'name="csrfmiddlewaretoken"' in html
        assert 'method="post"' in html

    def test_what_is_sent_is_done_and_written_down(self) -> None:
        browser, data = self.browser(), self.data()
        before, entries = len(self.kept()), set(AuditEntry.objects.values_list("pk", flat=True))
        answer = browser.post(self.post_url, data)
        assert answer.status_code in (200, 302), text_of(answer)[:3000]
        assert len(self.kept()) == before + self.creates
        self.check_done(answer)
        new = AuditEntry.objects.exclude(pk__in=entries)
        assert any(entry.action.startswith(self.audited) and entry.actor == browser.user for entry in new)
        assert {(entry.request_id, entry.address) for entry in new} == {(answer["X-Request-ID"], "127.0.0.1")}

    def test_what_is_wrong_is_said_and_nothing_done(self) -> None:
        assert self.wrong, "say wrong in the case"
        browser, data = self.browser(), self.data()
        before = self.kept()
        for changes, words in self.wrong:
            answer = browser.post(self.post_url, {**data, **changes})
            assert answer.status_code == self.refused_status, changes
            assert words in unescape(check_page(answer)), f"{changes}: the page does not say “{words}”"
            assert self.kept() == before

    def test_what_was_typed_is_not_lost_when_something_is_wrong(self) -> None:
        changes, _ = self.wrong[0]
        data = {**self.data(), **changes}
        html = unescape(text_of(self.browser().post(self.post_url, data)))
        for name, value in data.items():
            if isinstance(value, str) and value and name not in changes:
                assert value in html, f"{name} is lost"

    def test_no_text_breaks_the_page(self) -> None:
        for name, value in product(self.texts, ("<script>alert(1)</script>", "\x00", "😀" * 300, "=1+1", "a\r\nb")):
            answer = self.browser().post(self.post_url, {**self.data(), name: value}, follow=True)
            assert answer.status_code in (200, self.refused_status), f"{name}={value[:20]!r}"
            assert "<script>alert(1)" not in check_page(answer)

    def test_without_the_form_token_nothing_is_done(self) -> None:
        browser, data = factories.client(self.a_role, enforce_csrf_checks=True), self.data()
        before = self.kept()
        assert browser.post(self.post_url, data).status_code == 403
        assert self.kept() == before

    def test_only_who_may_can_send_it(self) -> None:
        others = [self.browser(role) for role in Role if role not in self.roles]
        if self.without_role == 403:
            others.append(factories.client())
        data = self.data()
        before = self.kept()
        assert {browser.post(self.post_url, data).status_code for browser in others} <= {403}
        assert Client().post(self.post_url, data).status_code == 302
        assert self.kept() == before

    def test_sent_twice_with_one_key_it_is_done_once(self) -> None:
        browser, twice = self.browser(), [self.data(), self.data()]
        before = len(self.kept())
        first, second = (browser.post(self.post_url, data, headers={"Idempotency-Key": "k1"}) for data in twice)
        assert len(self.kept()) == before + self.creates
        if "no-store" not in first.get("Cache-Control", ""):
            assert second["Idempotency-Replayed"] == "true"
            assert (first.status_code, first.get("Location")) == (second.status_code, second.get("Location"))


class ApiListCase(QueryCountCase):
    """A list of the REST API: ``fields`` are keys that each row has; ``filters`` as for a list page."""

    fields: ClassVar[Set[str]] = frozenset()
    filters: ClassVar[Mapping[str, int]] = {}
    rows: ClassVar[int] = 6
    paged: ClassVar[bool] = True
    # Methods that it takes besides looking.
    takes: ClassVar[frozenset[str]] = frozenset()
    calls: ClassVar[Mapping[str, str]] = {"list": ""}
    page_size: ClassVar[int] = 50
    # The key of a row in the address of one, and the name of that address; empty where there is none.
    detail_name: ClassVar[str] = ""
    detail_key: ClassVar[str] = "id"

    def fill_rows(self) -> None:
        for n in range(self.rows):
            self.make(n)

    def results(self, answer: Any) -> list[dict[str, Any]]:
        assert answer.status_code == 200, answer.content[:500]
        assert answer["Content-Type"] == "application/json"
        found = json.loads(answer.content, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
        return found["results"] if self.paged else found

    def test_rows_have_their_fields(self) -> None:
        self.fill_rows()
        rows = self.results(self.browser().get(self.url))
        assert len(rows) == self.rows
        assert self.fields, "say fields in the case"
        assert [self.fields - row.keys() for row in rows] == [set()] * len(rows)
        assert len({frozenset(row) for row in rows}) == 1, "rows differ in their keys"

    def test_each_role_gets_in_or_is_told_why_not(self) -> None:
        for role in Role:
            answer = self.browser(role).get(self.url)
            assert answer.status_code == (200 if role in self.roles else 403), role
            if role not in self.roles:
                assert "takes the role" in answer.json()["detail"]

    def test_visitors_are_told_to_sign_in_and_never_led_away(self, client: Client) -> None:
        for headers in ({}, {"Authorization": "Token mpc_wrong"}, {"Accept": "text/html,*/*;q=0.8"}):
            answer = client.get(self.url, headers=headers)
            assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Token")
        assert factories.client().get(self.url).status_code == 403

    def test_a_token_opens_it(self, client: Client) -> None:
        _, secret = factories.token(factories.person(self.a_role))
        assert client.get(self.url, headers={"Authorization": f"Token {secret}"}).status_code == 200

    def test_it_takes_no_other_method(self) -> None:
        browser = self.browser(Role.ADMINISTRATOR)
        for method in {"post", "put", "patch", "delete"} - self.takes:
            answer = getattr(browser, method)(self.url, {}, content_type="application/json")
            assert answer.status_code == 405, f"{method} answered {answer.status_code}"
        assert browser.head(self.url).status_code == browser.options(self.url).status_code == 200

    def test_filters_give_what_fits(self) -> None:
        self.fill_rows()
        browser = self.browser()
        for query, count in self.filters.items():
            assert len(self.results(browser.get(self.at(query)))) == count, query

    def test_no_value_of_any_filter_breaks_it(self) -> None:
        self.make(0)
        browser = self.browser()
        names = {parse_qsl(query)[0][0] for query in self.filters} | {
            "page",
            "page_size",
            "cursor",
            "format",
            "nothing",
        }
        for name, value in product(sorted(names), HOSTILE):
            answer = browser.get(self.url, {name: value})
            assert answer.status_code in (200, 400, 404), f"{name}={value[:60]!r} answered {answer.status_code}"
            assert answer["Content-Type"] == "application/json"

    def test_pages_are_bounded_and_hold_every_row_once(self) -> None:
        if not self.paged:
            pytest.skip("it is not paged: few rows")
        for n in range(30):
            self.make(n)
        browser = self.browser()
        key = self.detail_key
        found: list[Any] = []
        place: str | None = f"{self.url}?page_size=7"
        while place:
            answer = browser.get(place)
            rows = self.results(answer)
            assert len(rows) <= 7
            found += [row[key] for row in rows]
            place = answer.json()["next"]
        assert len(found) == len({*found}) == 30
        assert len(self.results(browser.get(f"{self.url}?page_size=0"))) <= 30
        assert len(self.results(browser.get(f"{self.url}?page_size=1000000"))) == 30

    def test_each_row_has_its_own_address(self) -> None:
        if not self.detail_name:
            pytest.skip("rows have no address of their own")
        self.fill_rows()
        browser = self.browser()
        for row in self.results(browser.get(self.url)):
            whole = browser.get(reverse(self.detail_name, args=[row[self.detail_key]]))
            assert whole.status_code == 200
            json.loads(whole.content, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
        for role in frozenset(Role) - self.roles:
            assert self.browser(role).get(reverse(self.detail_name, args=[row[self.detail_key]])).status_code == 403
        assert browser.get(reverse(self.detail_name, args=["987654321"])).status_code == 404
