"""What the inventory contributes to the pages that everybody shares."""

from mpc.products.views import arrivals_card, arrivals_headline, arrivals_of_units, newest_card, search_products
from mpc.ui.cards import register_card
from mpc.ui.headlines import register_headline
from mpc.ui.navigation import register_nav
from mpc.ui.search import register_search
from mpc.ui.units import register_unit_part

register_nav("Watch", "Products", "products:list", order=10, action="products.view", key="p")
register_nav("Watch", "Arrivals", "products:intakes", order=12, action="products.view", key="i")
register_card(10, "products/cards/arrivals.html", arrivals_card, action="products.view", title="Arrived", width="full")
register_card(40, "products/cards/newest.html", newest_card, action="products.view", title="Newest arrivals")
register_unit_part(10, arrivals_of_units, action="products.view")
register_headline(10, arrivals_headline, action="products.view")
register_search("Products", search_products, order=10, action="products.view")
