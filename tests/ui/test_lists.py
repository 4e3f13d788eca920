"""The list page: filters, chips, order, paging, columns, exports, a fixed number of queries."""

from __future__ import annotations

import json
import re

import pytest
from django.contrib.auth import get_user_model

from mpc.ui.models import SavedFilter

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.ui.site")]


@pytest.fixture
def ann():
    return get_user_model().objects.create_user("ann", "ann@example.org", "a long enough pass phrase")


@pytest.fixture
def kept(ann):
    """Sixty filters: the even ones of list a, the odd ones of list b."""
    SavedFilter.objects.bulk_create(
        SavedFilter(user=ann, list_name="ab"[n % 2], name=f"filter {n:02d}", query=f"tile=T{n:02d}UUU")
        for n in range(60)
    )


@pytest.fixture
def browser(client, ann):
    client.force_login(ann)
    return client


def names(response) -> list[str]:
    return re.findall(r'<a class="id"[^>]*>(filter \d\d)</a>', response.content.decode())


def part(browser, address):
    return browser.get(address, headers={"HX-Request": "true", "HX-Target": "results"})


def test_a_page_has_fifty_rows_and_says_how_many_there_are(browser, kept):
    page = browser.get("/kept/")
    assert names(page) == [f"filter {n:02d}" for n in range(50)]
    assert "<b>60</b> found, page 1 of 2" in page.content.decode()
    assert names(browser.get("/kept/?page=2")) == [f"filter {n:02d}" for n in range(50, 60)]


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("page=99", 10),
        ("page=0", 50),
        ("page=x", 50),
        ("per_page=25", 25),
        ("per_page=1000000", 50),
        ("list_name=a", 30),
        ("list_name=a&list_name=b", 50),
        ("q=T07 filter", 1),
        ("q=T07 nothing", 0),
        ("list_name=c", 0),
        ("made_from=nonsense", 0),
    ],
)
def test_what_an_address_shows(browser, kept, query, rows):
    assert len(names(browser.get(f"/kept/?{query}"))) == rows


def test_a_filter_that_cannot_be_read_says_so(browser, kept):
    assert "could not be read" in browser.get("/kept/?list_name=c").content.decode()


def test_order(browser, kept):
    assert names(browser.get("/kept/?sort=-name"))[0] == "filter 59"
    assert 'aria-sort="descending"' in browser.get("/kept/?sort=-name").content.decode()


def test_each_set_filter_is_a_chip_that_takes_itself_away(browser, kept):
    html = browser.get("/kept/?list_name=a&list_name=b&q=filter&page=1&sort=name").content.decode()
    chips = re.findall(r'<a class="chip set" href="\?([^"]*)"[^>]*><span class="why">([^<]*)</span> ([^<]*) <', html)
    assert chips == [
        ("list_name=a&amp;list_name=b&amp;sort=name", "Search", "filter"),
        ("list_name=b&amp;q=filter&amp;sort=name", "List", "List A"),
        ("list_name=a&amp;q=filter&amp;sort=name", "List", "List B"),
    ]


def test_htmx_gets_the_results_alone_and_caches_know(browser, kept):
    answer = part(browser, "/kept/?list_name=a")
    html = answer.content.decode()
    assert html.lstrip().startswith('<div id="results"')
    assert "<html" not in html
    assert len(names(answer)) == 30
    assert {"HX-Request", "HX-Target"} <= {name.strip() for name in answer["Vary"].split(",")}


def test_the_form_keeps_order_and_page_size(browser, kept):
    html = browser.get("/kept/?sort=-name&per_page=25").content.decode()
    assert '<input type="hidden" name="sort" value="-name" form="filters">' in html
    assert '<input type="hidden" name="per_page" value="25" form="filters">' in html


def test_an_empty_list_says_what_would_be_here(browser):
    html = browser.get("/kept/").content.decode()
    assert "Filters appear here when somebody keeps one." in html
    assert 'href="/">To Today</a>' in html


def test_no_match_offers_to_clear(browser, kept):
    assert "Nothing fits these filters." in browser.get("/kept/?q=nowhere").content.decode()


def test_a_list_may_open_on_a_filter_and_let_it_be_cleared(browser, kept):
    assert browser.get("/a-first/").url == "/a-first/?list_name=a"
    html = browser.get("/a-first/?list_name=a").content.decode()
    assert 'href="?all=1"' in html
    assert len(names(browser.get("/a-first/?all=1"))) == 50


# --- Exports ---------------------------------------------------------------------------------------------------------
def test_an_export_holds_all_rows_of_the_filter_and_all_columns(browser, kept):
    answer = browser.get("/kept/?list_name=a&sort=-name&page=2&format=json")
    rows = json.loads(b"".join(answer.streaming_content))
    assert len(rows) == 30
    assert rows[0]["name"] == "filter 58"
    assert (rows[0]["query"], rows[0]["user"]) == ("tile=T58UUU", "ann")
    assert answer["Content-Disposition"] == 'attachment; filename="keptlist.json"'


def test_csv_of_the_same_filter(browser, kept):
    text = b"".join(browser.get("/kept/?q=T07&format=csv").streaming_content).decode()
    assert text.splitlines()[0] == "name,list_name,user,created,query"
    assert text.splitlines()[1].startswith("filter 07,b,ann,")


def test_too_large_an_export_is_refused_not_cut(browser, kept):
    answer = browser.get("/few/?format=csv")
    assert answer.status_code == 413
    assert "an export holds at most 2" in answer.content.decode()
    assert browser.get("/few/?format=csv&q=T07").status_code == 200


def test_an_unknown_format_is_a_bad_request(browser, kept):
    assert browser.get("/kept/?format=xlsx").status_code == 400


# --- Cost ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "address", ["/kept/?per_page=25", "/kept/?per_page=200", "/kept/?list_name=a&list_name=b&q=filter"]
)
def test_a_page_costs_a_fixed_number_of_queries(browser, kept, address, django_assert_num_queries):
    browser.get(address)
    # session, user, roles, workers (banner), saved filters, count, keys, rows
    with django_assert_num_queries(8) as asked:
        browser.get(address)
    statements = [query["sql"] for query in asked.captured_queries]
    assert sum("COUNT(*)" in sql for sql in statements) == 1
    (keys,) = [sql for sql in statements if sql.startswith('SELECT "ui_savedfilter"."id" AS "pk" FROM')]
    assert keys.endswith(("LIMIT 25", "LIMIT 60", "LIMIT 50"))
    (rows,) = [sql for sql in statements if '"ui_savedfilter"."id" IN (' in sql]
    assert "ORDER BY" not in rows


def test_an_export_counts_in_sql_and_reads_the_rows_once(browser, kept, django_assert_num_queries):
    with django_assert_num_queries(4):  # session, user, count, rows
        b"".join(browser.get("/kept/?format=csv").streaming_content)


# --- Saved filters and columns ---------------------------------------------------------------------------------------
LIST = "tests.ui.site.KeptList"


def save(browser, **values):
    return browser.post(
        "/lists/filters/", {"list_name": LIST, "name": "mine", "query": "q=T07", "next": "/kept/?x=1", **values}
    )


def test_a_filter_is_kept_applied_replaced_and_deleted(browser, ann):
    assert save(browser).url == "/kept/?q=T07"
    html = browser.get("/kept/").content.decode()
    assert 'href="/kept/?q=T07">mine' in html
    save(browser, query="q=T08", shared="on")
    kept = SavedFilter.objects.get()
    assert (kept.query, kept.shared, kept.user) == ("q=T08", True, ann)
    assert browser.post(f"/lists/filters/{kept.pk}/delete/", {"next": "/kept/"}).url == "/kept/"
    assert not SavedFilter.objects.exists()


def test_a_shared_filter_is_seen_by_others_and_deleted_by_none_of_them(browser, client):
    save(browser, shared="on")
    save(browser, name="private")
    kept = SavedFilter.objects.get(shared=True)
    other = get_user_model().objects.create_user("ben", "ben@example.org", "a long enough pass phrase")
    client.force_login(other)
    html = client.get("/kept/").content.decode()
    assert ">mine" in html
    assert "shared by ben" not in html
    assert "private" not in re.findall(r'<div class="menu-row">.*?</div>', html, re.S)[0]
    assert client.post(f"/lists/filters/{kept.pk}/delete/").status_code == 403
    assert SavedFilter.objects.filter(pk=kept.pk).exists()


@pytest.mark.parametrize("place", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_nobody_is_led_away_from_the_site(browser, place):
    assert save(browser, next=place).url == "/?q=T07"


@pytest.mark.parametrize(
    "values",
    [
        {"name": "   "},
        {"list_name": ""},
        {"query": "q=" + "x" * 5000},
        {"name": "a\x00"},
        {"list_name": "a\x00"},
        {"query": "q=%00"},
    ],
)
def test_a_filter_that_cannot_be_kept_is_refused(browser, values):
    assert save(browser, **values).status_code == 400


def shown_columns(browser):
    return re.findall(r'<td data-label="([^"]*)"', browser.get("/kept/?q=T07").content.decode())


def test_columns_are_chosen_per_list_and_remembered(browser, kept):
    assert shown_columns(browser) == ["Name", "List", "User", "Created"]
    browser.post("/lists/columns/", {"list_name": LIST, "column": ["name", "query"], "next": "/kept/"})
    assert shown_columns(browser) == ["Name", "Query"]
    browser.post("/lists/columns/", {"list_name": LIST, "column": ["gone"], "next": "/kept/"})
    assert shown_columns(browser) == ["Name", "List", "User", "Created"]
    browser.post("/lists/columns/", {"list_name": LIST, "usual": "1", "column": ["name"], "next": "/kept/"})
    assert shown_columns(browser) == ["Name", "List", "User", "Created"]
