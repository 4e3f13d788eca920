"""The form of a subscription."""

from __future__ import annotations

from django import forms

from mpc.monitoring.models import Metric, Severity, Subscription
from mpc.msi.bands import BANDS
from mpc.msi.units import UNITS


def groups() -> list[tuple[str, str]]:
    names = Metric.objects.exclude(group="").order_by("group").values_list("group", flat=True).distinct()
    return [("", "any"), *((name, name) for name in names)]


class SubscriptionForm(forms.ModelForm):
    channel = forms.ChoiceField(choices=Subscription.Channel.choices, widget=forms.RadioSelect, label="By")
    url = forms.CharField(
        required=False, max_length=400, label="Address of the webhook",
        widget=forms.TextInput(attrs={"inputmode": "url", "spellcheck": "false", "placeholder": "https://…"}),
        help_text="gets a signed POST for each alert; see the page about alerts in the documentation",
    )  # fmt: skip
    unit = forms.ChoiceField(choices=[("", "any"), *((u, u) for u in UNITS)], required=False, label="Unit")
    band = forms.ChoiceField(choices=[("", "any"), *((b.name, b.name) for b in BANDS)], required=False, label="Band")
    group = forms.ChoiceField(choices=groups, required=False, label="Group of metrics")
    severity = forms.TypedChoiceField(
        choices=Severity.choices, coerce=int, initial=Severity.MINOR, label="Severity", help_text="this and above"
    )

    class Meta:
        model = Subscription
        fields = ("channel", "url", "unit", "band", "group", "severity", "digest", "active")
        labels = {"digest": "The daily digest, too (by mail)", "active": "Active"}
        help_texts = {"digest": ""}

    def clean_url(self) -> str:
        return self.cleaned_data["url"].strip()
