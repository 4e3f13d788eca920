"""Addresses of subscriptions, within those of monitoring."""

from django.urls import path

from mpc.monitoring.notifying import views

urlpatterns = [
    path("subscriptions/", views.Subscriptions.as_view(), name="subscriptions"),
    path("subscriptions/<int:pk>/", views.EditSubscription.as_view(), name="subscription"),
    path("subscriptions/<int:pk>/remove/", views.RemoveSubscription.as_view(), name="subscription-remove"),
    path("subscriptions/<int:pk>/test/", views.TrySubscription.as_view(), name="subscription-test"),
]
