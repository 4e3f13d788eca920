"""Every address of the site."""

import importlib
from typing import Any

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from mpc.housekeeping.health import health

API_MODULES = ("mpc.accounts.api", "mpc.products.api", "mpc.runs.api", "mpc.monitoring.api", "qc.api")


def _api_urls() -> list:
    """What each app's ``api`` module offers: ``router_entries`` (prefix, viewset, basename) and ``urlpatterns``."""
    router = SimpleRouter()
    patterns = []
    for name in API_MODULES:
        module = importlib.import_module(name)
        for prefix, viewset, basename in getattr(module, "router_entries", []):
            router.register(prefix, viewset, basename=basename)
        patterns += getattr(module, "urlpatterns", [])
    return [*patterns, *router.urls]


class SchemaView(SpectacularAPIView):
    policy_action = "api.docs"


class DocsView(SpectacularSwaggerView):
    policy_action = "api.docs"
    template_name = "api/docs.html"
    page_for_people = True

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        # It opens itself to windows of other sites, for a way to sign in that is not used here.
        response.headers.pop("Cross-Origin-Opener-Policy", None)
        return super().finalize_response(request, response, *args, **kwargs)


handler500 = "mpc.ui.views.errors.server_error"

urlpatterns = [
    path("", include("mpc.ui.urls")),
    path("health/", health, name="health"),
    path("account/", include("allauth.account.urls")),
    path("people/", include("mpc.accounts.urls")),
    path("products/", include("mpc.products.urls")),
    path("runs/", include("mpc.runs.urls")),
    path("trends/", include("mpc.monitoring.urls")),
    path("quality/", include("qc.urls")),
    path("api/v1/", include((_api_urls(), "api"))),
    path("api/schema/", SchemaView.as_view(), name="schema"),
    path("api/docs/", DocsView.as_view(url_name="schema"), name="api-docs"),
]
