"""What the runs contribute to the pages that everybody shares."""

from mpc.jobs import register
from mpc.runs.exports import EXPORT_JOB
from mpc.runs.parts import active_runs, product_panel, runs_card, search_runs
from mpc.ui.cards import register_card
from mpc.ui.export import set_long_export
from mpc.ui.navigation import register_nav
from mpc.ui.panels import register_panel
from mpc.ui.search import register_search

register(EXPORT_JOB)
set_long_export("runs:export")
register_nav("Act", "Runs", "runs:list", order=10, action="runs.view", key="r", badge=active_runs)
register_nav("Act", "Workers", "runs:workers", order=12, action="runs.view", key="w")
register_card(30, "runs/cards/runs.html", runs_card, action="runs.view", title="Runs", width="half")
register_panel("products.product", 60, "Runs", "runs/panels/product.html", product_panel, action="runs.view", side=True)
register_search("Runs", search_runs, order=30, action="runs.view")
