"""Addresses of quality control."""

from django.urls import path

from qc import views

app_name = "qc"
urlpatterns = [
    path("", views.ReportList.as_view(), name="list"),
    path("<str:name>/", views.ReportPage.as_view(), name="report"),
    path("<str:name>/report.json", views.ReportJson.as_view(), name="report-json"),
]
