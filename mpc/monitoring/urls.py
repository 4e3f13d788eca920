"""Addresses of trends."""

from django.urls import path

from mpc.monitoring import views
from mpc.monitoring.alerts import urls as alerts
from mpc.monitoring.detecting import urls as detecting
from mpc.monitoring.digests import lists
from mpc.monitoring.digests import pages as digests
from mpc.monitoring.drills import pages as drills
from mpc.monitoring.metrics import views as metrics
from mpc.monitoring.notifying import urls as notifying
from mpc.monitoring.trends import cards, compare, pages
from mpc.monitoring.urls_watching import urlpatterns as watching

app_name = "monitoring"
urlpatterns = [
    path("", views.Catalogue.as_view(), name="trends"),
    *alerts.urlpatterns,
    *detecting.urlpatterns,
    *notifying.urlpatterns,
    path("explore/", pages.Explorer.as_view(), name="explore"),
    path("explore/data.json", pages.FigureData.as_view(), name="explore-data"),
    path("explore/points/", pages.PointsFile.as_view(), name="explore-points"),
    path("compare/", compare.Compare.as_view(), name="compare"),
    path("points/<int:pk>/", cards.PointCard.as_view(), name="point"),
    path("buckets/<int:pk>/", cards.BucketCard.as_view(), name="bucket"),
    path("compliance/changes/", lists.ComplianceChangeList.as_view(), name="compliance-changes"),
    path("watches/", lists.WatchList.as_view(), name="watches"),
    path("drills/", drills.DrillList.as_view(), name="drills"),
    path("digests/", digests.DigestList.as_view(), name="digests"),
    path("digests/make/", digests.MakeDigest.as_view(), name="digest-make"),
    path("digests/latest/", digests.LatestDigest.as_view(), name="digest-latest"),
    path("digests/today/", digests.DigestSoFar.as_view(), name="digest-today"),
    path("digests/<str:day>/", digests.DigestPage.as_view(), name="digest"),
    path("catalogue/", metrics.MetricCatalogue.as_view(), name="catalogue"),
    path("catalogue/<str:code>/", metrics.MetricPage.as_view(), name="metric"),
    path("catalogue/<str:code>/edit/", metrics.MetricEdit.as_view(), name="metric-edit"),
    path("catalogue/<str:code>/follow/", metrics.MetricFollow.as_view(), name="metric-follow"),
    *watching,
    path("<str:code>/", pages.Explorer.as_view(), name="trend"),
    path("<str:code>/data.json", pages.FigureData.as_view(), name="trend-data"),
    path("<str:code>/points/", pages.PointsFile.as_view(), name="trend-points"),
    path("<str:code>/values/", views.Values.as_view(), name="values"),
]
