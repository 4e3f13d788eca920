"""Forms of mission events. They hold values; the services judge them."""

from __future__ import annotations

from typing import Any

from django import forms

from mpc.monitoring.events.csvfile import MOST_BYTES
from mpc.monitoring.events.services import BAND_NAMES, DETECTOR_NAMES
from mpc.monitoring.models import EventKind, MissionEvent
from mpc.msi.units import UNITS
from mpc.ui.filters import ChipChoices

TIME_FORMAT = "%Y-%m-%dT%H:%M:%S"


class TimeInput(forms.DateTimeInput):
    """The browser's own picker; what it sends has no zone and is UTC."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__({"step": "1"}, format=TIME_FORMAT)


def names_field(names: tuple[str, ...], label: str, help_text: str) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        choices=[(name, name) for name in names], required=False, widget=ChipChoices, label=label, help_text=help_text
    )


class EventForm(forms.Form):
    kind = forms.ChoiceField(choices=EventKind.choices, label="Kind")
    title = forms.CharField(max_length=120, label="Title", help_text="a few words, as plots show them")
    unit = forms.ChoiceField(
        choices=[("", "all units"), *((unit, unit) for unit in UNITS)], required=False, label="Unit"
    )
    start = forms.DateTimeField(widget=TimeInput, label="Start, UTC")
    end = forms.DateTimeField(
        widget=TimeInput, required=False, label="End, UTC", help_text="empty for an event at one moment"
    )
    bands = names_field(BAND_NAMES, "Bands", "none chosen: it concerns all")
    detectors = names_field(DETECTOR_NAMES, "Detectors", "none chosen: it concerns all")
    text = forms.CharField(max_length=10_000, required=False, widget=forms.Textarea({"rows": 4}), label="Text")
    source = forms.CharField(max_length=200, required=False, label="Source", help_text="document, report or person")
    verified = forms.BooleanField(required=False, label="Verified", help_text="the source was seen")

    @classmethod
    def initial_of(cls, event: MissionEvent) -> dict[str, Any]:
        return {name: getattr(event, name) for name in cls.base_fields}


class ImportForm(forms.Form):
    """The file, or (to confirm) the text that was read of it."""

    file = forms.FileField(
        required=False,
        allow_empty_file=True,
        label="CSV file",
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv", "data-limit-mb": f"{MOST_BYTES / 1e6:g}"}),
    )
    text = forms.CharField(required=False, strip=False, widget=forms.HiddenInput)
    confirm = forms.BooleanField(required=False, widget=forms.HiddenInput)
