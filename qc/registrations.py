"""What quality control contributes to the pages that everybody shares."""

from mpc.monitoring.catalogue import declare_metrics, declare_page
from mpc.ui.cards import register_card
from mpc.ui.navigation import register_nav
from mpc.ui.panels import register_panel
from qc.checks.metrics import METRICS
from qc.views import picture_panel, product_panel, run_panel, trouble_card

LEAD = "products.product.lead"

declare_metrics(METRICS)
declare_page("qc.product", "qc:report")
register_nav("Watch", "Quality control", "qc:list", order=20, action="qc.view", key="q")
register_panel(LEAD, 10, "Quality control", "qc/panels/product.html", product_panel, action="qc.view")
register_panel(LEAD, 20, "Quick-look", "qc/panels/pictures.html", picture_panel, action="qc.view", side=True)
register_panel("runs.run", 10, "Quality report", "qc/panels/run.html", run_panel, action="qc.view")
register_card(20, "qc/cards/trouble.html", trouble_card, action="qc.view", title="What failed", width="two-thirds")
