"""The gate before every page, and pages that show one thing."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import resolve_url
from django.views.generic import DetailView, TemplateView
from django_htmx.http import HttpResponseClientRedirect

from mpc.ui import access, panels


class PolicyMixin:
    """Asks the policy before anything else: ``policy_action`` for the view, ``policy_actions`` where methods differ.

    ::

        policy_action = "runs.view"
        policy_actions = {"POST": "runs.start"}

    Who is not signed in is led to the sign-in page (from a part of a page: the whole page is), who may not gets the
    403 page with the policy's reason.
    """

    policy_action: str = ""
    policy_actions: dict[str, str] = {}

    def get_policy_action(self) -> str:
        method = self.request.method or "GET"  # type: ignore[attr-defined]
        # Asking what an address would answer, or what it takes, is no more than looking.
        alias = "GET" if method in ("HEAD", "OPTIONS") else method
        action = self.policy_actions.get(method) or self.policy_actions.get(alias) or self.policy_action
        if not action:
            raise ImproperlyConfigured(f"{type(self).__name__} does not say which policy_action it needs")
        return action

    def get_policy_object(self) -> Any:
        """The object that the action is about; None asks about the action in general."""
        return None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        refusal = self.refuse(request)
        return refusal if refusal is not None else super().dispatch(request, *args, **kwargs)  # type: ignore[misc]

    def refuse(self, request: HttpRequest) -> HttpResponseBase | None:
        """The answer for who may not pass, None for who may. Raises PermissionDenied with the reason."""
        action = self.get_policy_action()
        if access.could(request.user, action):
            self.check_object(action, self.get_policy_object())
            return None
        if request.user.is_authenticated:
            raise PermissionDenied(access.reason(request.user, action))
        if getattr(request, "htmx", False):
            return HttpResponseClientRedirect(f"{resolve_url(settings.LOGIN_URL)}?next={request.path}")
        return redirect_to_login(request.get_full_path())

    def check_object(self, action: str, obj: Any) -> None:
        """Ask again with the object in hand. Raises PermissionDenied with the reason."""
        if obj is not None and not access.allowed(self.request.user, action, obj):  # type: ignore[attr-defined]
            raise PermissionDenied(access.reason(self.request.user, action, obj))  # type: ignore[attr-defined]


class Page(PolicyMixin, TemplateView):
    """A page of its own: ``title``, ``subtitle``, a template that extends ``base.html``."""

    title = ""
    subtitle = ""

    def get_title(self) -> str:
        return self.title

    def get_subtitle(self) -> str:
        return self.subtitle

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            **{"page_title": self.get_title(), "page_subtitle": self.get_subtitle(), **kwargs}
        )


class DetailPage(PolicyMixin, DetailView):
    """The page of one object, with the panels that other apps registered for its kind.

    ::

        class ProductPage(DetailPage):
            model = Product
            policy_action = "products.view"
            panel_kind = "products.product"
            template_name = "products/detail.html"     # extends "ui/detail.html"

    The template has ``object``, ``main_panels`` and ``side_panels``; the title is ``str(object)`` unless
    ``get_title`` says otherwise, ``get_status`` gives the word of the sign before it.
    """

    panel_kind = ""
    template_name = "ui/detail.html"

    def get_object(self, queryset: Any = None) -> Any:
        found = super().get_object(queryset)
        self.check_object(self.get_policy_action(), found)
        return found

    def get_title(self) -> str:
        return str(self.object)

    def get_subtitle(self) -> str:
        return ""

    def get_status(self) -> str:
        """The status word whose sign stands before the title; "" for none."""
        return ""

    def get_breadcrumb(self) -> list[tuple[str, str]]:
        """Pairs (text, url) that lead here from above."""
        return []

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        drawn = panels.panels_for(self.request, self.panel_kind, self.object) if self.panel_kind else []
        return super().get_context_data(
            **{
                "page_title": self.get_title(),
                "page_subtitle": self.get_subtitle(),
                "page_status": self.get_status(),
                "breadcrumb": self.get_breadcrumb(),
                "main_panels": [panel for panel in drawn if not panel.side],
                "side_panels": [panel for panel in drawn if panel.side],
                **kwargs,
            }
        )
