"""What the accounts add to the navigation."""

from mpc.ui.navigation import register_nav

register_nav("Act", "People", "accounts:people", order=90, action="accounts.manage")
register_nav("Tell", "Audit log", "accounts:audit", order=90, action="audit.view")
