"""The page of one's subscriptions."""

from __future__ import annotations

import smtplib
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse, reverse_lazy
from django.views import View

from mpc.monitoring.models import Notification, Subscription
from mpc.monitoring.notifying import services, webhooks
from mpc.monitoring.notifying.forms import SubscriptionForm
from mpc.monitoring.notifying.sending import Undeliverable
from mpc.ui.views import Page, PolicyMixin

LIST = reverse_lazy("monitoring:subscriptions")
MESSAGES_SHOWN = 20


class Subscriptions(Page):
    """Mine, what was sent to me, and the form of a new one."""

    policy_action = services.ACTION
    template_name = "monitoring/subscriptions/list.html"
    title = "My subscriptions"
    subtitle = "Which alerts are brought to me, and how"
    http_method_names = ["get", "head", "post"]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = self.request.user
        kwargs.setdefault("form", SubscriptionForm(initial={"active": True, "channel": Subscription.Channel.MAIL}))
        return super().get_context_data(
            subscriptions=list(Subscription.objects.filter(user=user).order_by("pk")),
            sent=list(
                Notification.objects.filter(subscription__user=user)
                .select_related("alert", "subscription")
                .order_by("-pk")[:MESSAGES_SHOWN]
            ),
            address=user.email,
            **kwargs,
        )

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = SubscriptionForm(request.POST)
        if _kept(request, form, None):
            return HttpResponseRedirect(str(LIST))
        return self.render_to_response(self.get_context_data(form=form), status=422)


class EditSubscription(Page):
    policy_action = services.ACTION
    template_name = "monitoring/subscriptions/edit.html"
    title = "Change a subscription"
    http_method_names = ["get", "head", "post"]

    def own(self) -> Subscription:
        return get_object_or_404(Subscription, pk=self.kwargs["pk"], user=self.request.user)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        own = self.own()
        kwargs.setdefault("form", SubscriptionForm(instance=own))
        trail = [("My subscriptions", reverse("monitoring:subscriptions"))]
        return super().get_context_data(subscription=own, breadcrumb=trail, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = SubscriptionForm(request.POST)
        if _kept(request, form, self.own()):
            return HttpResponseRedirect(str(LIST))
        return self.render_to_response(self.get_context_data(form=form), status=422)


def _kept(request: HttpRequest, form: SubscriptionForm, subscription: Subscription | None) -> bool:
    if not form.is_valid():
        return False
    try:
        services.save(request.user, form.cleaned_data, subscription)
    except services.CannotSubscribe as error:
        form.add_error(error.field or None, str(error))
        return False
    messages.success(request, "Kept.")
    return True


class _OfOne(PolicyMixin, View):
    policy_action = services.ACTION
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        self.do(get_object_or_404(Subscription, pk=pk, user=request.user))
        return HttpResponseRedirect(str(LIST))

    def do(self, subscription: Subscription) -> None:
        raise NotImplementedError


class RemoveSubscription(_OfOne):
    def do(self, subscription: Subscription) -> None:
        services.remove(self.request.user, subscription)
        messages.success(self.request, "Taken away.")


class TrySubscription(_OfOne):
    """Sends a test message, and says how that went."""

    def do(self, subscription: Subscription) -> None:
        try:
            services.send_test(self.request.user, subscription)
        except (Undeliverable, webhooks.Refused, webhooks.Unreached, OSError, smtplib.SMTPException) as error:
            messages.error(self.request, f"The test was not delivered: {error}")
        else:
            messages.success(self.request, "The test message was sent.")
