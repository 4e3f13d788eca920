"""Addresses of people, organisations, the audit log and one's own account."""

from django.urls import path, re_path

from mpc.accounts import views

app_name = "accounts"
urlpatterns = [
    path("", views.PeopleList.as_view(), name="people"),
    path("add/", views.PersonAdd.as_view(), name="person-add"),
    path("<int:pk>/", views.PersonPage.as_view(), name="person"),
    path("<int:pk>/password-link/", views.PersonPasswordLink.as_view(), name="person-password-link"),
    path("organisations/", views.OrganisationList.as_view(), name="organisations"),
    path("organisations/add/", views.OrganisationPage.as_view(), name="organisation-add"),
    path("organisations/<int:pk>/", views.OrganisationPage.as_view(), name="organisation"),
    path("audit/", views.AuditList.as_view(), name="audit"),
    path("me/", views.ProfilePage.as_view(), name="profile"),
    path("me/tokens/", views.TokenMade.as_view(), name="token-make"),
    re_path(r"^tokens/(?P<handle>[0-9a-f]{32})/revoke/$", views.TokenRevoke.as_view(), name="token-revoke"),
]
