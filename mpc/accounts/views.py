"""Pages: one's own profile, people, organisations, the audit log."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from mpc.accounts import policy, services
from mpc.accounts.filters import AuditFilter, OrganisationFilter, PersonFilter
from mpc.accounts.forms import NewPersonForm, OrganisationForm, PersonForm, TokenForm, suggested_organisations
from mpc.accounts.models import ApiToken, AuditEntry, Organisation, User
from mpc.accounts.tables import AuditTable, OrganisationTable, PersonTable
from mpc.ui.views import ListPage, Page, PolicyMixin

logger = logging.getLogger(__name__)

LATEST_ENTRIES = 20


def add_errors(form: BaseForm, error: ValidationError) -> None:
    """Show what a service refused beside the fields that it is about, or above the form."""
    if not hasattr(error, "error_dict"):
        form.add_error(None, error)
        return
    for field, found in error.error_dict.items():
        form.add_error(field if field in form.fields else None, found)


# --- One's own account -----------------------------------------------------------------------------------------------
class ProfilePage(Page):
    """Who I am, what my roles let me do, my API tokens."""

    policy_action = "accounts.self"
    template_name = "accounts/profile.html"
    title = "My account"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = self.request.user
        abilities = [
            (policy.TITLES[action], policy.could(user, action), roles_text(action)) for action in policy.ACTIONS
        ]
        kwargs.setdefault("token_form", TokenForm())
        return super().get_context_data(
            abilities=abilities, tokens=ApiToken.objects.filter(user=user), api_limit=services.TOKEN_DAYS_MAX, **kwargs
        )


def roles_text(action: str) -> str:
    """The roles that an action takes, as words."""
    roles = policy.ACTIONS[action]
    if roles == policy.EVERYONE:
        return "every role"
    words = ", ".join(role.label for role in policy.Role if role in roles)
    return f"{words}; and who asked for the run" if action in policy.FOR_SOME_OBJECTS else words


@method_decorator([never_cache, sensitive_post_parameters()], name="dispatch")
class TokenMade(ProfilePage):
    """Makes a token and shows it this once; the page is not kept by any cache."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        form = TokenForm(request.POST)
        if form.is_valid():
            try:
                token, secret = services.make_token(request.user, form.cleaned_data["name"], form.cleaned_data["days"])
            except ValidationError as error:
                add_errors(form, error)
            else:
                return self.render_to_response(self.get_context_data(made=token, secret=secret))
        return self.render_to_response(self.get_context_data(token_form=form), status=422)


class TokenRevoke(PolicyMixin, View):
    """Ends a token: one's own, or another's for administrators."""

    policy_action = "accounts.self"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, handle: str) -> HttpResponse:
        found = ApiToken.objects.select_related("user").filter(digest__startswith=handle)
        token = get_object_or_404(found)
        services.revoke_token(token, actor=request.user)
        messages.success(request, f"The token “{token.name}” is revoked.")
        if token.user_id == request.user.pk:
            return HttpResponseRedirect(reverse("accounts:profile"))
        return HttpResponseRedirect(reverse("accounts:person", args=[token.user_id]))


# --- People ----------------------------------------------------------------------------------------------------------
class PeopleList(ListPage):
    policy_action = "accounts.manage"
    title = "People"
    template_name = "accounts/people.html"
    queryset = User.objects.select_related("organisation").prefetch_related("role_grants")
    filterset_class = PersonFilter
    table_class = PersonTable
    primary_filters = ("q", "role", "active")
    empty_text = "Nobody fits these filters."


class PersonFormPage(Page):
    """What adding and changing a person share."""

    policy_action = "accounts.manage"
    template_name = "accounts/person.html"
    form_class: type[PersonForm] = PersonForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(organisations=suggested_organisations(), **kwargs)

    def refuse_form(self, form: BaseForm) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)


class PersonAdd(PersonFormPage):
    title = "Add a person"
    form_class = NewPersonForm

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=self.form_class()))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = self.form_class(request.POST)
        if not form.is_valid():
            return self.refuse_form(form)
        try:
            person = services.create_person(actor=request.user, **form.cleaned_data)
        except ValidationError as error:
            add_errors(form, error)
            return self.refuse_form(form)
        mail_password_link(request, person)
        return HttpResponseRedirect(reverse("accounts:person", args=[person.pk]))


class PersonPage(PersonFormPage):
    """One person: the account, its roles, its tokens, what was done to it last."""

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.person: User | None = None

    def load(self) -> User:
        """The person of the address; read only after the policy let the visitor in."""
        if self.person is None:
            people = User.objects.select_related("organisation").prefetch_related("role_grants__granted_by")
            self.person = get_object_or_404(people, pk=self.kwargs["pk"])
        return self.person

    def get_title(self) -> str:
        return str(self.load())

    def get_subtitle(self) -> str:
        return self.load().username

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        person = self.load()
        entries = AuditEntry.objects.filter(object_kind="accounts.user", object_id=str(person.pk))
        return super().get_context_data(
            person=person,
            grants=person.role_grants.all(),
            tokens=ApiToken.objects.filter(user=person),
            entries=entries[:LATEST_ENTRIES],
            **kwargs,
        )

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        form = self.form_class(initial=self.form_class.initial_of(self.load()))
        return self.render_to_response(self.get_context_data(form=form))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        person = self.load()
        form = self.form_class(request.POST)
        if not form.is_valid():
            return self.refuse_form(form)
        changes = dict(form.cleaned_data)
        roles = changes.pop("roles")
        try:
            with transaction.atomic():
                changed = services.update_person(person, actor=request.user, **changes)
                changed = services.set_roles(person, roles, actor=request.user) or changed
        except ValidationError as error:
            add_errors(form, error)
            return self.refuse_form(form)
        if person == request.user and person.is_active:
            update_session_auth_hash(request, person)  # one's own session goes on; one's others end
        messages.success(request, f"{person} is changed." if changed else "Nothing was changed.")
        return HttpResponseRedirect(reverse("accounts:person", args=[person.pk]))


class PersonPasswordLink(PolicyMixin, View):
    """Sends a person the link that sets a new password."""

    policy_action = "accounts.manage"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        person = get_object_or_404(User, pk=pk)
        mail_password_link(request, person)
        return HttpResponseRedirect(reverse("accounts:person", args=[person.pk]))


def mail_password_link(request: HttpRequest, person: User) -> None:
    """Send the link and say on the next page whether it went."""
    try:
        services.send_password_link(person, actor=request.user, request=request)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    except OSError as error:  # the mail server cannot be reached or refuses
        logger.warning("no password link to %s: %s", person.username, error)
        messages.error(request, f"The account {person.username} is kept, but the link could not be mailed: {error}")
    else:
        messages.success(request, f"A link to set the password of {person.username} went to {person.email}.")


# --- Organisations ---------------------------------------------------------------------------------------------------
class OrganisationList(ListPage):
    policy_action = "accounts.manage"
    title = "Organisations"
    template_name = "accounts/organisations.html"
    queryset = Organisation.objects.annotate(people_count=Count("people")).order_by("name")
    filterset_class = OrganisationFilter
    table_class = OrganisationTable
    primary_filters = ("q", "kind", "active")
    empty_text = "Organisations are whom people work for: the agency, the centre, the expert support laboratories."
    empty_action = ("Add an organisation", "accounts:organisation-add")


class OrganisationPage(Page):
    """Adds an organisation, or changes the one of the address."""

    policy_action = "accounts.manage"
    template_name = "accounts/organisation.html"

    def get_title(self) -> str:
        return str(self.form.instance.name) if "pk" in self.kwargs else "Add an organisation"

    def get(self, request: HttpRequest, pk: int | None = None) -> HttpResponse:
        self.form = OrganisationForm(instance=self._kept(pk))
        return self.render_to_response(self.get_context_data(form=self.form))

    def post(self, request: HttpRequest, pk: int | None = None) -> HttpResponse:
        self.form = OrganisationForm(request.POST, instance=self._kept(pk))
        if self.form.is_valid():
            services.save_organisation(self.form.instance, actor=request.user)
            messages.success(request, f"{self.form.instance.name} is kept.")
            return HttpResponseRedirect(reverse("accounts:organisations"))
        return self.render_to_response(self.get_context_data(form=self.form), status=422)

    def _kept(self, pk: int | None) -> Organisation | None:
        return get_object_or_404(Organisation, pk=pk) if pk is not None else None


# --- Audit -----------------------------------------------------------------------------------------------------------
class AuditList(ListPage):
    policy_action = "audit.view"
    title = "Audit log"
    subtitle = "Who did what to what. Entries are only ever added."
    queryset = AuditEntry.objects.all()
    filterset_class = AuditFilter
    table_class = AuditTable
    primary_filters = ("q", "actor", "action")
    columns_off = ("object_kind", "object_id", "request_id")
    empty_text = "No entry fits these filters."
