"""What the apps register reaches those who may see it, in order, and a broken part stays alone."""

from __future__ import annotations

import pytest
from django.urls import path

from mpc.ui import cards, checks, navigation, panels, search

pytestmark = [pytest.mark.urls(__name__), pytest.mark.usefixtures("empty_registries")]


def page(request):
    raise AssertionError("no test opens this page")


urlpatterns = [
    path("", page, name="home"),
    path("d/", page, name="list"),
    path("d/late/", page, name="late"),
    path("r/", page, name="runs"),
]


# --- Navigation ------------------------------------------------------------------------------------------------------
def titles(sections):
    return [(section.title, [link.title for link in section.links]) for section in sections]


def test_the_column_shows_what_one_may_open_in_order(request_of):
    navigation.register_nav("Act", "Runs", "runs", 10, "runs.view", key="r")
    navigation.register_nav("Watch", "Late", "late", 20, "products.view")
    navigation.register_nav("Watch", "Products", "list", 10, "products.view", key="p")
    navigation.register_nav("top", "Today", "home", 0, "products.view")
    assert titles(navigation.sections_for(request_of("/", "products.view"))) == [
        ("", ["Today"]),
        ("Watch", ["Products", "Late"]),
    ]
    assert navigation.sections_for(request_of("/", signed_in=False)) == []


@pytest.mark.parametrize(
    ("address", "current"),
    [
        ("/", "Today"),
        ("/d/", "Products"),
        ("/d/7/", "Products"),
        ("/d/late/3/", "Late"),
        ("/dd/", None),
        ("/r/5/", "Late"),
    ],
)
def test_the_deepest_page_that_holds_the_address_is_current(request_of, address, current):
    for title, name, also in [("Today", "home", ()), ("Products", "list", ()), ("Late", "late", ("runs",))]:
        navigation.register_nav("Watch", title, name, action="products.view", also=also)
    links = [
        link for section in navigation.sections_for(request_of(address, "products.view")) for link in section.links
    ]
    assert [link.title for link in links if link.current] == ([current] if current else [])


def test_a_badge_counts_for_the_person_who_looks(request_of):
    navigation.register_nav(
        "Watch", "Products", "list", action="products.view", badge=lambda request: request.user.pk + 2
    )
    (section,) = navigation.sections_for(request_of("/", "products.view"))
    assert section.links[0].badge == 3


def test_wrong_entries_are_refused():
    navigation.register_nav("Watch", "Products", "list", key="p")
    with pytest.raises(ValueError, match="Lookout"):
        navigation.register_nav("Lookout", "Products", "list")
    with pytest.raises(ValueError, match="already leads to Products"):
        navigation.register_nav("Act", "Runs", "runs", key="p")
    navigation.register_nav("Watch", "All products", "list", key="p")
    assert [entry.title for entry in navigation.entries()] == ["All products"]


def test_an_entry_without_an_address_is_reported_and_left_out(request_of):
    navigation.register_nav("Watch", "Nowhere", "no-such-name", action="products.view")
    assert [error.id for error in checks.navigation_leads_somewhere(None)] == ["ui.E002"]
    assert navigation.sections_for(request_of("/", "products.view")) == []


# --- Cards and panels ------------------------------------------------------------------------------------------------
CARD = "partials/empty.html"


def test_cards_are_drawn_for_those_who_may_and_have_something_to_say(request_of):
    cards.register_card(2, CARD, lambda request: {"text": "two products"}, "products.view")
    cards.register_card(1, "partials/breadcrumb.html", lambda request: {"breadcrumb": [("one", "")]}, "runs.view")
    cards.register_card(3, "partials/mark.html", lambda request: None, "products.view")
    (drawn,) = cards.cards_for(request_of("/", "products.view"))
    assert "two products" in drawn.html
    assert len(cards.cards_for(request_of("/", "products.view", "runs.view"))) == 2


def test_a_broken_card_leaves_the_others_alone_and_gives_an_id(request_of, caplog):
    cards.register_card(1, "partials/mark.html", lambda request: 1 / 0, "products.view", title="Alerts")
    cards.register_card(2, CARD, lambda request: {"text": "still here"}, "products.view")
    broken, whole = cards.cards_for(request_of("/", "products.view"))
    assert "Alerts" in broken.html
    assert "still here" in whole.html
    (record,) = caplog.records
    assert record.args[-1] in broken.html
    assert "ZeroDivisionError" in caplog.text


def drawn(*widths):
    return [cards.DrawnCard(width, str(index)) for index, width in enumerate(widths)]


@pytest.mark.parametrize(
    ("widths", "layout"),
    [
        (("third", "third", "third"), [("012", "", "")]),
        (("third", "two-thirds", "third", "half"), [("0", "", ""), ("", "1", "23")]),
        (("two-thirds", "third", "two-thirds", "full"), [("", "02", "1"), ("3", "", "")]),
        ((), []),
    ],
)
def test_thirds_stack_beside_wide_cards(widths, layout):
    blocks = cards.blocks_of(drawn(*widths))
    text = [tuple("".join(card.html for card in part) for part in (b.cards, b.main, b.side)) for b in blocks]
    assert text == layout


def test_panels_belong_to_their_kind_and_know_the_object(request_of):
    panels.register_panel(
        "a.thing", 2, "Second", CARD, lambda request, obj: {"text": f"about {obj}"}, "products.view", side=True
    )
    panels.register_panel("a.thing", 1, "First", "partials/mark.html", lambda request, obj: {}, "products.view")
    panels.register_panel("b.other", 1, "Elsewhere", CARD, lambda request, obj: {}, "products.view")
    panels.register_panel("a.thing", 3, "Forbidden", "partials/breadcrumb.html", lambda request, obj: {}, "runs.view")
    found = panels.panels_for(request_of("/", "products.view"), "a.thing", "T33UUU")
    assert [(panel.title, panel.side) for panel in found] == [("First", False), ("Second", True)]
    assert "about T33UUU" in found[1].html
    assert "<h2>Second</h2>" in found[1].html


# --- Search ----------------------------------------------------------------------------------------------------------
def hits(count):
    return lambda user, query, limit: [search.SearchHit(f"{query}{n}", "", f"/{n}/", "product") for n in range(count)][
        :limit
    ]


def test_search_asks_what_one_may_see_and_bounds_it(request_of):
    search.register_search("Products", hits(30), 1, "products.view")
    search.register_search("Runs", hits(2), 2, "runs.view")
    search.register_search("Tickets", hits(0), 3, "products.view")
    user = request_of("/", "products.view").user
    (group,) = search.search(user, "  T33 ", limit=20)
    assert (group.title, len(group.hits), group.more, group.hits[0].title) == ("Products", 20, True, "T330")
    assert search.search_titles(user) == ["Products", "Tickets"]
    assert search.search(user, "   ") == []
