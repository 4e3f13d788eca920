"""The form of an entry of the catalogue."""

from __future__ import annotations

from typing import Any

from django import forms

from mpc.monitoring.metrics.services import EDITABLE
from mpc.monitoring.models import Metric


class MetricForm(forms.ModelForm):
    class Meta:
        model = Metric
        fields = EDITABLE
        labels = {
            "description": "What it measures",
            "method": "How it is measured",
            "document": "By which document",
            "group": "Belongs to",
            "per_band": "One series a band",
            "per_detector": "One series a detector",
            "per_site": "One series a site",
            "direction": "Which way is better",
            "declared": "Declared, not measured",
            "watched": "Watched by detectors",
        }
        widgets = {"description": forms.Textarea(attrs={"rows": 3}), "method": forms.Textarea(attrs={"rows": 3})}

    def changes(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in EDITABLE}
