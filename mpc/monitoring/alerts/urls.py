"""Addresses of alerts and changes, within those of monitoring."""

from django.urls import path

from mpc.monitoring.alerts import views

urlpatterns = [
    path("alerts/", views.TriageList.as_view(), name="alerts"),
    path("alerts/<int:pk>/", views.AlertPage.as_view(), name="alert"),
    path("alerts/<int:pk>/parts/<int:part>/data.json", views.PartData.as_view(), name="alert-part"),
    *(path(f"alerts/<int:pk>/{step}/", views.DoStep.as_view(step=step), name=f"alert-{step}") for step in views.STEPS),
    path("changes/", views.ChangeList.as_view(), name="changes"),
]
