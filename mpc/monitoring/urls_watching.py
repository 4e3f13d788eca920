"""Addresses of compliance, requirements, waivers and mission events, below those of trends."""

from django.urls import path

from mpc.monitoring.compliance import views as compliance
from mpc.monitoring.events import views as events
from mpc.monitoring.requirements import views as requirements
from mpc.monitoring.waivers import views as waivers

urlpatterns = [
    path("compliance/", compliance.MatrixPage.as_view(), name="compliance"),
    path("compliance/cells/", compliance.CellList.as_view(), name="compliance-cells"),
    path("requirements/", requirements.RequirementList.as_view(), name="requirements"),
    path("requirements/add/", requirements.RequirementAdd.as_view(), name="requirement-add"),
    path("requirements/<str:code>/", requirements.RequirementPage.as_view(), name="requirement"),
    path("requirements/<str:code>/edit/", requirements.RequirementEdit.as_view(), name="requirement-edit"),
    path("waivers/", waivers.WaiverList.as_view(), name="waivers"),
    path("waivers/add/", waivers.WaiverAdd.as_view(), name="waiver-add"),
    path("waivers/<int:pk>/", waivers.WaiverPage.as_view(), name="waiver"),
    path("waivers/<int:pk>/withdraw/", waivers.WaiverWithdraw.as_view(), name="waiver-withdraw"),
    path("events/", events.EventList.as_view(), name="events"),
    path("events/add/", events.EventAdd.as_view(), name="event-add"),
    path("events/import/", events.EventImport.as_view(), name="events-import"),
    path("events/<int:pk>/", events.EventPage.as_view(), name="event"),
    path("events/<int:pk>/edit/", events.EventEdit.as_view(), name="event-edit"),
    path("events/<int:pk>/withdraw/", events.EventWithdraw.as_view(), name="event-withdraw"),
]
