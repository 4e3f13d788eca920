"""Addresses of the home page, search, and what people keep about lists."""

from django.urls import path

from mpc.ui.views import bulk, home, personal

urlpatterns = [
    path("", home.HomePage.as_view(), name="home"),
    path("search/", home.SearchPage.as_view(), name="search"),
    path("lists/filters/", personal.SaveFilter.as_view(), name="filter-save"),
    path("lists/filters/<int:pk>/delete/", personal.DeleteFilter.as_view(), name="filter-delete"),
    path("lists/bulk/", bulk.AskBulk.as_view(), name="bulk"),
    path("lists/bulk/<int:pk>/", bulk.ConfirmBulk.as_view(), name="bulk-confirm"),
    path("lists/columns/", personal.ChooseColumns.as_view(), name="list-columns"),
]
