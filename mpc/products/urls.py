"""Addresses of the inventory."""

from django.urls import path

from mpc.products import views

app_name = "products"
urlpatterns = [
    path("", views.ProductList.as_view(), name="list"),
    path("arrivals/", views.IntakeList.as_view(), name="intakes"),
    path("upload/", views.UploadPage.as_view(), name="upload"),
    path("upload/<uuid:pk>/cancel/", views.UploadCancel.as_view(), name="upload-cancel"),
    path("<str:name>/withdraw/", views.Withdraw.as_view(), name="withdraw"),
    path("<str:name>/reinstate/", views.Reinstate.as_view(), name="reinstate"),
    path("<str:name>/", views.ProductDetail.as_view(), name="detail"),
]
