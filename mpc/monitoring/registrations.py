"""What monitoring contributes to the runs and to the pages that everybody shares."""

from mpc.monitoring.alerts import bulk  # noqa: F401 - what can be done to many alerts
from mpc.monitoring.alerts import views as alerts
from mpc.monitoring.detecting.marking import mark_measured
from mpc.monitoring.drills import pages as drills
from mpc.monitoring.events.views import search_events
from mpc.monitoring.requirements.views import search_requirements
from mpc.monitoring.services import store_measurements
from mpc.monitoring.today.missing import missing_card
from mpc.monitoring.today.news import changed_card
from mpc.monitoring.today.units import digest_button, state_of_units, triage_button
from mpc.monitoring.today.waiting import waiting_card
from mpc.monitoring.views import product_panel, run_panel, search_metrics
from mpc.runs.sinks import register_sink
from mpc.ui.cards import register_card
from mpc.ui.headlines import register_home_button
from mpc.ui.navigation import register_nav
from mpc.ui.panels import register_panel
from mpc.ui.search import register_search
from mpc.ui.units import register_unit_part

VIEW = "monitoring.view"
MEASURED = "monitoring/panels/measured.html"

register_sink(store_measurements)
register_sink(mark_measured)
register_nav(
    "Watch",
    "Alerts",
    "monitoring:alerts",
    order=5,
    action="monitoring.view",
    key="a",
    badge=alerts.open_alerts,
    also=("monitoring:changes", "monitoring:subscriptions"),
)
register_nav("Watch", "Trends", "monitoring:trends", order=30, action="monitoring.view", key="t")
register_nav("Watch", "Metrics", "monitoring:catalogue", order=38, action="monitoring.view")
register_panel(
    "products.product", 30, "Measurements of this product", MEASURED, product_panel, action="monitoring.view"
)
register_panel("runs.run", 30, "Measurements of this run", MEASURED, run_panel, action="monitoring.view")
register_search("Metrics", search_metrics, order=40, action="monitoring.view")
register_nav(
    "Watch",
    "Detectors",
    "monitoring:detectors",
    order=45,
    action="monitoring.view",
    also=("monitoring:drills", "monitoring:watches"),
)
register_nav("Tell", "Daily digest", "monitoring:digests", order=10, action="monitoring.view", key="d")
register_panel("runs.run", 40, "Alerts", "monitoring/panels/alerts.html", alerts.run_panel, action="monitoring.view")
register_panel(
    "products.product", 15, "Alerts", "monitoring/panels/alerts.html", alerts.product_panel, action="monitoring.view"
)
register_search("Alerts", alerts.search_alerts, order=15, action="monitoring.view")

register_panel(
    "monitoring.detector", 10, "Measured record", "monitoring/drills/record.html", drills.record_panel, action=VIEW
)
register_panel(
    "monitoring.detector",
    20,
    "How it works",
    "monitoring/drills/method.html",
    drills.method_panel,
    action=VIEW,
    side=True,
)
register_panel(
    "runs.run", 20, "What the detectors were worth", "monitoring/drills/run.html", drills.run_panel, action=VIEW
)

# --- The morning page ------------------------------------------------------------------------------------------------
CARDS = "monitoring/cards"
register_nav(
    "Watch",
    "Compliance",
    "monitoring:compliance",
    order=32,
    action="monitoring.view",
    key="c",
    also=("monitoring:requirements", "monitoring:waivers"),
)
register_nav("Watch", "Mission events", "monitoring:events", order=36, action="monitoring.view", key="e")
register_search("Requirements", search_requirements, order=42, action="monitoring.view")
register_search("Mission events", search_events, order=44, action="monitoring.view")
register_unit_part(5, state_of_units, action=VIEW)
register_card(14, f"{CARDS}/changed.html", changed_card, action=VIEW, title="What changed", width="two-thirds")
register_card(15, f"{CARDS}/waiting.html", waiting_card, action=VIEW, title="Waiting for me")
register_card(16, f"{CARDS}/missing.html", missing_card, action=VIEW, title="Did not run or arrive")
register_home_button(10, digest_button, action=VIEW)
register_home_button(20, triage_button, action=VIEW)
