"""Addresses of the detectors, within those of monitoring."""

from django.urls import path

from mpc.monitoring.detecting import views

urlpatterns = [
    path("detectors/", views.Detectors.as_view(), name="detectors"),
    path("detectors/settings/<int:pk>/", views.EditSetting.as_view(), name="setting"),
    path("detectors/settings/<int:pk>/live/", views.MakeLive.as_view(), name="setting-live"),
    path("detectors/settings/<int:pk>/remove/", views.RemoveSetting.as_view(), name="setting-remove"),
    path("detectors/<str:code>/", views.DetectorPage.as_view(), name="detector"),
    path("detectors/<str:code>/settings/add/", views.EditSetting.as_view(), name="setting-add"),
    path("detectors/<str:code>/accept/", views.AcceptVersion.as_view(), name="detector-accept"),
    path("detectors/<str:code>/compare/", views.Compare.as_view(), name="detector-compare"),
]
