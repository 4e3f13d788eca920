"""The form of a setting: its scope and mode, and the parameters as the detector declares them."""

from __future__ import annotations

from typing import Any

from django import forms

from mpc.jobs import describe_params
from mpc.monitoring.detecting.services import NOTE_LENGTH, OF_LIMITS
from mpc.monitoring.detecting.settings import LIMITS
from mpc.monitoring.detectors.registry import Detector
from mpc.monitoring.models import DetectorMode, DetectorSetting, Metric, Series


class SettingForm(forms.Form):
    """Empty parameters are left to the wider setting, and at last to the detector, whose values stand in the fields."""

    def __init__(self, data: Any = None, *, detector: Detector, setting: DetectorSetting | None = None) -> None:
        initial = {} if setting is None else {"mode": setting.mode, **setting.params}
        super().__init__(data, initial=initial)
        self.detector = detector
        self.setting = setting
        if setting is None:
            self.fields["metric"] = forms.CharField(
                max_length=60, required=False, label="Metric", help_text="code; empty for all metrics"
            )
            self.fields["series"] = forms.IntegerField(
                min_value=1, max_value=2**63 - 1, required=False, label="Series", help_text="number; empty for all"
            )
        modes = [(DetectorMode.SHADOW.value, "in shadow"), (DetectorMode.OFF.value, "off")]
        if detector.code == LIMITS:
            modes = [(DetectorMode.LIVE.value, "live"), (DetectorMode.OFF.value, "off")]
        elif setting is not None and setting.mode == DetectorMode.LIVE:
            modes[0] = (DetectorMode.SHADOW.value, "in shadow, beside what is live")
        self.fields["mode"] = forms.ChoiceField(
            choices=modes, label="Mode", widget=forms.RadioSelect, initial=modes[0][0]
        )
        self.names = []
        for d in describe_params(detector.params):
            if detector.code == LIMITS and d.name in OF_LIMITS:
                continue
            self.names.append(d.name)
            limits = {"minimum": d.minimum, "maximum": d.maximum}
            told = ", ".join(f"{name} {value:g}" for name, value in limits.items() if value is not None)
            default = f"{d.default:g}" if isinstance(d.default, int | float) else str(d.default or "none")
            self.fields[d.name] = forms.CharField(
                required=False,
                max_length=200,
                label=f"{d.name.replace('_', ' ')}{f' ({d.unit})' if d.unit else ''}",
                help_text=f"{d.help}. Default {default}{f'; {told}' if told else ''}.",
                widget=forms.TextInput(attrs={"placeholder": default, "spellcheck": "false", "autocomplete": "off"}),
            )
        self.fields["note"] = forms.CharField(
            max_length=NOTE_LENGTH,
            label="Why",
            help_text="others will read it",
            widget=forms.Textarea(attrs={"rows": 2}),
        )

    def params(self) -> dict[str, Any]:
        return {name: self.cleaned_data.get(name, "") for name in self.names}

    def clean_metric(self) -> Metric | None:
        code = self.cleaned_data["metric"].strip()
        if not code:
            return None
        found = Metric.objects.filter(code=code).first()
        if found is None:
            raise forms.ValidationError(f"No metric has the code “{code}”.")
        return found

    def clean_series(self) -> Series | None:
        pk = self.cleaned_data["series"]
        if pk is None:
            return None
        found = Series.objects.filter(pk=pk).first()
        if found is None:
            raise forms.ValidationError(f"There is no series {pk}.")
        return found

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("metric") is not None and cleaned.get("series") is not None:
            raise forms.ValidationError("A setting stands for a metric or for one series, not for both.")
        return cleaned


class LiveForm(forms.Form):
    reason = forms.CharField(max_length=NOTE_LENGTH, label="Why", widget=forms.Textarea(attrs={"rows": 2}))
