"""Forms of what people do with alerts. They hold values; ``states`` judges them. All values are plain, so that the same
forms serve many alerts at once."""

from __future__ import annotations

from django import forms

from mpc.accounts.models import User
from mpc.monitoring.alerts.states import REASON_LENGTH, SNOOZE_DAYS_MAX
from mpc.monitoring.models import Alert


def reason_field(label: str = "Reason") -> forms.CharField:
    return forms.CharField(max_length=REASON_LENGTH, label=label, widget=forms.Textarea(attrs={"rows": 2}))


class AssignForm(forms.Form):
    to = forms.CharField(
        max_length=150, required=False, label="To", help_text="user name; empty is nobody",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip

    def clean_to(self) -> str:
        name = self.cleaned_data["to"].strip()
        if name and not User.objects.filter(username__iexact=name, is_active=True).exists():
            raise forms.ValidationError(f"No active account has the name “{name}”.")
        return name


class SnoozeForm(forms.Form):
    days = forms.IntegerField(min_value=1, max_value=SNOOZE_DAYS_MAX, initial=7, label="Days")
    reason = forms.CharField(max_length=REASON_LENGTH, required=False, label="Why, if others should know")


class JudgeForm(forms.Form):
    judgement = forms.ChoiceField(
        choices=[(j.value, j.label) for j in Alert.Judgement if j != Alert.Judgement.NONE],
        widget=forms.RadioSelect,
        label="It is",
        help_text="noise and expected close it",
    )
    reason = reason_field()


class CloseForm(forms.Form):
    reason = reason_field("Why it is closed")


class NoteForm(forms.Form):
    text = reason_field("Note")
