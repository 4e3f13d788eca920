"""What the layout itself puts into the navigation."""

from mpc.ui.navigation import register_nav

register_nav("top", "Today", "home", order=0, action="accounts.self", key="h")
