"""What monitoring contributes to the runs and to the pages that everybody shares."""

from mpc.monitoring.services import store_measurements
from mpc.monitoring.views import product_panel, run_panel, search_metrics
from mpc.runs.sinks import register_sink
from mpc.ui.navigation import register_nav
from mpc.ui.panels import register_panel
from mpc.ui.search import register_search

MEASURED = "monitoring/panels/measured.html"

register_sink(store_measurements)
register_nav("Watch", "Trends", "monitoring:trends", order=30, action="monitoring.view", key="t")
register_nav("Watch", "Metrics", "monitoring:catalogue", order=38, action="monitoring.view")
register_panel(
    "products.product", 30, "Measurements of this product", MEASURED, product_panel, action="monitoring.view"
)
register_panel("runs.run", 30, "Measurements of this run", MEASURED, run_panel, action="monitoring.view")
register_search("Metrics", search_metrics, order=40, action="monitoring.view")
register_nav("Tell", "Daily digest", "monitoring:digests", order=10, action="monitoring.view", key="d")
