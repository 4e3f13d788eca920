"""The form of a job, made from its declaration."""

from __future__ import annotations

from typing import Any

from django import forms
from django.urls import reverse_lazy

from mpc.jobs import Job, describe_params
from mpc.jobs.params import ParamDescription
from mpc.products.models import Product

PREFIX = "p-"


class StartForm(forms.Form):
    """A product by name, where the job needs one, and the job's parameters with their help and bounds."""

    def __init__(self, job: Job, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.job = job
        if job.needs_product:
            self.fields["product"] = _product_field(job)
        for described in describe_params(job.params):
            self.fields[PREFIX + described.name] = _field(described)

    def clean_product(self) -> Product:
        name = self.cleaned_data["product"].strip().removesuffix(".SAFE")
        found = Product.objects.filter(name=name).first()
        if found is None:
            raise forms.ValidationError("No product of this name is in the inventory; type some of it and choose one.")
        return found

    def params(self) -> dict[str, Any]:
        """What was given; an empty field leaves the job's own default."""
        given = {d.name: self.cleaned_data.get(PREFIX + d.name) for d in describe_params(self.job.params)}
        return {name: value for name, value in given.items() if value not in (None, "")}

    def add_errors(self, errors: dict[str, str]) -> None:
        """Put the job's own objections to the fields that they are about."""
        for name, text in errors.items():
            field = name if name in self.fields else PREFIX + name
            self.add_error(field if field in self.fields else None, text)


def _product_field(job: Job) -> forms.CharField:
    levels = f" of level {', '.join(job.product_levels)}" if job.product_levels else ""
    return forms.CharField(
        help_text=f"Type part of the name of a product{levels} and choose one.",
        max_length=200,
        widget=forms.TextInput(
            attrs={
                "list": "product-names",
                "autocomplete": "off",
                "spellcheck": "false",
                "hx-get": reverse_lazy("runs:products"),
                "hx-trigger": "input changed delay:250ms, focus once",
                "hx-target": "#product-names",
                "hx-swap": "innerHTML",
                "hx-include": "#job-kind",
            }
        ),
    )


def _field(described: ParamDescription) -> forms.Field:
    words = described.name.replace("_", " ").capitalize()
    options: dict[str, Any] = {
        "label": f"{words} ({described.unit})" if described.unit else words,
        "help_text": _help(described),
        "required": described.required and described.type is not bool,
        "initial": described.default,
    }
    if described.type is bool:
        return forms.BooleanField(**{**options, "required": False})
    if described.type in (int, float):
        kind = forms.IntegerField if described.type is int else forms.FloatField
        return kind(min_value=described.minimum, max_value=described.maximum, **options)
    if described.choices:
        return forms.ChoiceField(choices=[(c, c) for c in described.choices], **options)
    return forms.CharField(max_length=described.max_length, **options)


def _help(described: ParamDescription) -> str:
    low, high = described.minimum, described.maximum
    if low is not None and high is not None:
        return f"{described.help}; {low:g} to {high:g}"
    if low is not None:
        return f"{described.help}; at least {low:g}"
    if high is not None:
        return f"{described.help}; at most {high:g}"
    return described.help
