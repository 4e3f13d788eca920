"""What monitoring contributes to the runs and to the pages that everybody shares."""

from mpc.monitoring.alerts import bulk  # noqa: F401 - what can be done to many alerts
from mpc.monitoring.alerts import views as alerts
from mpc.monitoring.detecting.marking import mark_measured
from mpc.monitoring.services import store_measurements
from mpc.monitoring.views import product_panel, run_panel, search_metrics
from mpc.runs.sinks import register_sink
from mpc.ui.navigation import register_nav
from mpc.ui.panels import register_panel
from mpc.ui.search import register_search

MEASURED = "monitoring/panels/measured.html"

register_sink(store_measurements)
register_sink(mark_measured)
register_nav(
    "Watch", "Alerts", "monitoring:alerts", order=5, action="monitoring.view", key="a", badge=alerts.open_alerts
)
register_nav("Watch", "Trends", "monitoring:trends", order=30, action="monitoring.view", key="t")
register_nav("Watch", "Metrics", "monitoring:catalogue", order=38, action="monitoring.view")
register_panel(
    "products.product", 30, "Measurements of this product", MEASURED, product_panel, action="monitoring.view"
)
register_panel("runs.run", 30, "Measurements of this run", MEASURED, run_panel, action="monitoring.view")
register_search("Metrics", search_metrics, order=40, action="monitoring.view")
register_nav("Tell", "Daily digest", "monitoring:digests", order=10, action="monitoring.view", key="d")
register_panel("runs.run", 40, "Alerts", "monitoring/panels/alerts.html", alerts.run_panel, action="monitoring.view")
register_panel(
    "products.product", 15, "Alerts", "monitoring/panels/alerts.html", alerts.product_panel, action="monitoring.view"
)
register_search("Alerts", alerts.search_alerts, order=15, action="monitoring.view")
