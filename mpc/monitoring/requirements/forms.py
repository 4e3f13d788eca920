"""The form of a requirement and the lines of its limits."""

from __future__ import annotations

from typing import Any

from django import forms

from mpc.monitoring.events.services import BAND_NAMES
from mpc.monitoring.models import Metric, Requirement, Statistic
from mpc.monitoring.requirements.limits import FIELDS, LimitRow, limits_of
from mpc.monitoring.requirements.services import FIELDS as REQUIREMENT_FIELDS
from mpc.monitoring.waivers.forms import CodeField
from mpc.msi.units import UNITS
from mpc.ui.filters import DayInput

LEVELS = ("L1A", "L1B", "L1C", "L2A")
MOST_LIMITS = 100
EMPTY_LINES = 3


class MetricField(CodeField):
    def clean(self, value: Any) -> Any:
        found = super().clean(value)
        if found is None:
            raise forms.ValidationError("Say which metric it is about.")
        return found


class RequirementForm(forms.Form):
    title = forms.CharField(max_length=200, label="Title")
    metric = MetricField(Metric, "metric", label="Metric", help_text="its code")
    statistic = forms.ChoiceField(choices=Statistic.choices, label="Statistic", help_text="of the values of the window")
    absolute = forms.BooleanField(required=False, label="Absolute value", help_text="the sign does not count")
    level = forms.ChoiceField(
        choices=[("", "any"), *((level, level) for level in LEVELS)], required=False, label="Level of products"
    )
    window_days = forms.IntegerField(min_value=1, max_value=36_500, label="Window, days", help_text="what is judged")
    valid_from = forms.DateField(required=False, widget=DayInput, label="Valid from")
    valid_to = forms.DateField(required=False, widget=DayInput, label="Valid to, with this day")
    document = forms.CharField(max_length=200, label="Source document")
    section = forms.CharField(max_length=80, required=False, label="Section")
    verified = forms.BooleanField(required=False, label="Verified", help_text="the value was seen in that document")
    text = forms.CharField(max_length=10_000, required=False, widget=forms.Textarea({"rows": 3}), label="Text")
    note = forms.CharField(max_length=10_000, required=False, widget=forms.Textarea({"rows": 2}), label="Note")

    @classmethod
    def initial_of(cls, requirement: Requirement) -> dict[str, Any]:
        found = {name: getattr(requirement, name) for name in REQUIREMENT_FIELDS}
        return {**found, "metric": requirement.metric_id}


class NewRequirementForm(RequirementForm):
    code = forms.RegexField(
        r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        max_length=60,
        label="Code",
        help_text="short, never changed: letters, digits, point, hyphen",
        error_messages={"invalid": "Letters, digits, point, hyphen and underscore only."},
    )
    field_order = ["code"]

    def clean_code(self) -> str:
        code = self.cleaned_data["code"]
        if code in ("add",) or Requirement.objects.filter(code__iexact=code).exists():
            raise forms.ValidationError(f"The code “{code}” is taken.")
        return code


class LimitForm(forms.Form):
    """One line: a limit of one unit and band or of all. A line without numbers is none."""

    unit = forms.ChoiceField(choices=[("", "all"), *((u, u) for u in UNITS)], required=False, label="Unit")
    band = forms.ChoiceField(choices=[("", "all"), *((b, b) for b in BAND_NAMES)], required=False, label="Band")
    low = forms.FloatField(required=False, label="At least")
    high = forms.FloatField(required=False, label="At most")
    goal_low = forms.FloatField(required=False, label="Goal at least")
    goal_high = forms.FloatField(required=False, label="Goal at most")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in FIELDS:
            self.fields[name].widget.attrs.update({"step": "any", "aria-label": str(self.fields[name].label)})
        for name in ("unit", "band"):
            self.fields[name].widget.attrs["aria-label"] = str(self.fields[name].label)

    def has_changed(self) -> bool:
        """A line in which only a unit or band was chosen is left out."""
        return any(self.data.get(self.add_prefix(name), "") != "" for name in FIELDS)


LimitFormSet = forms.formset_factory(
    LimitForm, extra=EMPTY_LINES, max_num=MOST_LIMITS, absolute_max=MOST_LIMITS, validate_max=True
)


def limit_lines(data: Any = None, requirement: Requirement | None = None) -> Any:
    """The lines of a new or known requirement; bound where ``data`` is given."""
    rows = limits_of(requirement) if requirement is not None else ()
    names = ("unit", "band", *FIELDS)
    initial = [dict(zip(names, row, strict=True)) for row in rows]
    return LimitFormSet(data, initial=initial, prefix="limits")


def rows_of(lines: Any) -> list[LimitRow]:
    """The limits of valid lines."""
    return [
        (line["unit"], line["band"], *(line[name] for name in FIELDS))
        for line in lines.cleaned_data
        if line and any(line[name] is not None for name in FIELDS)
    ]
