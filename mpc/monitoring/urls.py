"""Addresses of trends."""

from django.urls import path

from mpc.monitoring import views

app_name = "monitoring"
urlpatterns = [
    path("", views.Catalogue.as_view(), name="trends"),
    path("<str:code>/", views.Trend.as_view(), name="trend"),
    path("<str:code>/data.json", views.TrendData.as_view(), name="trend-data"),
    path("<str:code>/values/", views.Values.as_view(), name="values"),
]
