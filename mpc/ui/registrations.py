"""What the layout itself puts into the navigation and on the home page."""

from mpc.ui.cards import register_card
from mpc.ui.navigation import register_nav
from mpc.ui.units import units_card

register_nav("top", "Today", "home", order=0, action="accounts.self", key="h")
register_card(10, "ui/cards/units.html", units_card, action="accounts.self", title="Units", width="full")
