"""Forms of the accounts' pages. They hold values; ``mpc.accounts.services`` judges them."""

from __future__ import annotations

from collections.abc import Iterable

from django import forms
from django.db.models import Q

from mpc.accounts.models import Organisation, User
from mpc.accounts.roles import Role
from mpc.accounts.services import TOKEN_DAYS_MAX

SUGGESTIONS = 50


class OrganisationField(forms.CharField):
    """An organisation by its name or short name; the page suggests the first active ones, never the whole table."""

    def clean(self, value: str | None) -> Organisation | None:
        name = super().clean(value).strip()
        if not name:
            return None
        found = Organisation.objects.filter(Q(short_name__iexact=name) | Q(name__iexact=name)).first()
        if found is None:
            raise forms.ValidationError(f"No organisation “{name}”; add it under Organisations first.")
        return found


def suggested_organisations() -> Iterable[Organisation]:
    return Organisation.objects.filter(active=True)[:SUGGESTIONS]


class PersonForm(forms.Form):
    """What an administrator changes on an account."""

    display_name = forms.CharField(max_length=150, required=False, label="Name", help_text="as pages show it")
    email = forms.EmailField(required=False, label="E-mail", help_text="where links to reset the password go")
    organisation = OrganisationField(
        required=False, label="Organisation", widget=forms.TextInput(attrs={"list": "organisations"})
    )
    is_active = forms.BooleanField(required=False, label="Active", help_text="an inactive account cannot sign in")
    roles = forms.TypedMultipleChoiceField(
        choices=Role.choices(), coerce=Role, required=False, widget=forms.CheckboxSelectMultiple, label="Roles"
    )

    @classmethod
    def initial_of(cls, person: User) -> dict[str, object]:
        return {
            "display_name": person.display_name,
            "email": person.email,
            "organisation": person.organisation.short_name if person.organisation else "",
            "is_active": person.is_active,
            "roles": [grant.role for grant in person.role_grants.all()],
        }


class NewPersonForm(PersonForm):
    """An account to be made; its person sets the password through an e-mailed link."""

    username = forms.CharField(max_length=150, label="User name", help_text="to sign in with")
    email = forms.EmailField(label="E-mail", help_text="the link to set the password goes there")
    is_active = None
    field_order = ["username", "display_name", "email", "organisation", "roles"]


class TokenForm(forms.Form):
    """A new API token."""

    name = forms.CharField(max_length=80, label="Name", help_text="what will use it")
    days = forms.IntegerField(
        min_value=1, max_value=TOKEN_DAYS_MAX, initial=30, label="Days", help_text=f"at most {TOKEN_DAYS_MAX}"
    )


class OrganisationForm(forms.ModelForm):
    class Meta:
        model = Organisation
        fields = ["name", "short_name", "kind", "country", "active"]
