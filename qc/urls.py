"""Addresses of quality control."""

from django.urls import path

from qc import views

app_name = "qc"
urlpatterns = [
    path("", views.ReportList.as_view(), name="list"),
    path("<str:name>/", views.ReportPage.as_view(), name="report"),
    path("<str:name>/check/", views.CheckAgain.as_view(), name="check"),
    path("<str:name>/running/", views.Running.as_view(), name="running"),
    path("<str:name>/report.json", views.ReportJson.as_view(), name="report-json"),
]
