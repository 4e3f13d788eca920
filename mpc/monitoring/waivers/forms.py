"""The form of a waiver."""

from __future__ import annotations

from typing import Any

from django import forms

from mpc.monitoring.events.services import BAND_NAMES, DETECTOR_NAMES
from mpc.monitoring.models import Metric, Requirement
from mpc.msi.units import UNITS
from mpc.ui.filters import DayInput

SUGGESTIONS = 200


class CodeField(forms.CharField):
    """A row by its code; the page suggests codes, never the whole table."""

    def __init__(self, model: Any, what: str, **kwargs: Any) -> None:
        super().__init__(required=False, max_length=60, widget=forms.TextInput({"list": f"{what}s"}), **kwargs)
        self.model, self.what = model, what

    def clean(self, value: Any) -> Any:
        code = super().clean(value).strip()
        if not code:
            return None
        found = self.model.objects.filter(code__iexact=code).first()
        if found is None:
            raise forms.ValidationError(f"There is no {self.what} “{code}”.")
        return found


def _choices(names: tuple[str, ...]) -> list[tuple[str, str]]:
    return [("", "all"), *((name, name) for name in names)]


class WaiverForm(forms.Form):
    title = forms.CharField(max_length=150, label="Title", help_text="a few words, as the matrix shows them")
    reason = forms.CharField(max_length=10_000, widget=forms.Textarea({"rows": 4}), label="Reason")
    requirement = CodeField(Requirement, "requirement", label="Requirement", help_text="its code")
    metric = CodeField(
        Metric, "metric", label="or metric", help_text="its code: every requirement on it, and its alerts, are excused"
    )
    unit = forms.ChoiceField(choices=_choices(UNITS), required=False, label="Unit")
    band = forms.ChoiceField(choices=_choices(BAND_NAMES), required=False, label="Band")
    detector = forms.ChoiceField(choices=_choices(DETECTOR_NAMES), required=False, label="Detector")
    valid_from = forms.DateField(widget=DayInput, label="From")
    valid_to = forms.DateField(widget=DayInput, label="Until, with this day")


def suggestions() -> dict[str, list[str]]:
    """Codes for the form's lists; two queries."""
    return {
        "requirements": list(Requirement.objects.order_by("code").values_list("code", flat=True)[:SUGGESTIONS]),
        "metrics": list(Metric.objects.order_by("code").values_list("code", flat=True)[:SUGGESTIONS]),
    }
