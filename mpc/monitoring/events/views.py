"""Pages of mission events."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views import View

from mpc.monitoring.events import csvfile, services
from mpc.monitoring.events.filters import EventFilter
from mpc.monitoring.events.forms import EventForm, ImportForm
from mpc.monitoring.events.tables import EventTable, when
from mpc.monitoring.forms import add_errors
from mpc.monitoring.history import history_of
from mpc.monitoring.models import ChangePoint, MissionEvent
from mpc.ui.search import SearchHit
from mpc.ui.views import DetailPage, ListPage, Page, PolicyMixin

EDIT = "monitoring.events"
HISTORY_FIELDS = (*services.FIELDS, "withdrawn_at", "withdrawn_why")
EXPLAINED = 20


class EventList(ListPage):
    policy_action = "monitoring.view"
    title = "Mission events"
    subtitle = "What happened to the satellites and the processing, and may explain what the numbers do"
    template_name = "monitoring/events/list.html"
    queryset = MissionEvent.objects.all()
    filterset_class = EventFilter
    table_class = EventTable
    primary_filters = ("q", "unit", "kind")
    columns_off = ("detectors", "text", "origin")
    empty_text = (
        "Events are recorded by hand, imported from a file, loaded from the centre's table, and found by themselves "
        "when a baseline or a GIPP first comes in a product."
    )


class EventPage(DetailPage):
    policy_action = "monitoring.view"
    queryset = MissionEvent.objects.select_related("created_by")
    template_name = "monitoring/events/detail.html"
    panel_kind = "monitoring.event"

    def get_title(self) -> str:
        return self.object.title

    def get_subtitle(self) -> str:
        return f"{self.object.get_kind_display()} · {when(self.object)}"

    def get_status(self) -> str:
        return "withdrawn" if self.object.withdrawn_at else ""

    def get_breadcrumb(self) -> list[tuple[str, str]]:
        return [("Mission events", reverse("monitoring:events"))]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        explains = ChangePoint.objects.filter(event=self.object).select_related("series").order_by("-time")
        return super().get_context_data(
            history=history_of(self.object.history.all(), HISTORY_FIELDS),
            explains=list(explains[:EXPLAINED]),
            wide=True,
            **kwargs,
        )


class EventFormPage(Page):
    """What recording and changing an event share."""

    policy_action = EDIT
    template_name = "monitoring/events/form.html"

    def answer(self, form: BaseForm, status: int = 200) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=status)


class EventAdd(EventFormPage):
    title = "Record a mission event"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.answer(EventForm(initial={"unit": request.GET.get("unit", ""), "verified": True}))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = EventForm(request.POST)
        if form.is_valid():
            try:
                event = services.record_event(request.user, form.cleaned_data)
            except ValidationError as error:
                add_errors(form, error)
            else:
                messages.success(request, f"“{event.title}” is recorded and stands in every plot of its time.")
                return HttpResponseRedirect(event.get_absolute_url())
        return self.answer(form, 422)


class EventEdit(EventFormPage):
    def load(self) -> MissionEvent:
        if not hasattr(self, "event"):
            self.event = get_object_or_404(MissionEvent, pk=self.kwargs["pk"])
        return self.event

    def get_title(self) -> str:
        return f"Change “{self.load().title}”"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(event=self.load(), **kwargs)

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self.answer(EventForm(initial=EventForm.initial_of(self.load())))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        event, form = self.load(), EventForm(request.POST)
        if form.is_valid():
            try:
                changed = services.change_event(event, request.user, form.cleaned_data)
            except ValidationError as error:
                add_errors(form, error)
            except services.CannotChange as reason:
                form.add_error(None, str(reason))
            else:
                messages.success(request, "The event is changed." if changed else "Nothing was changed.")
                return HttpResponseRedirect(event.get_absolute_url())
        return self.answer(form, 422)


class EventWithdraw(PolicyMixin, View):
    policy_action = EDIT
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        event = get_object_or_404(MissionEvent, pk=pk)
        try:
            services.withdraw_event(event, request.user, request.POST.get("reason", ""))
        except services.CannotChange as reason:
            messages.error(request, str(reason))
        else:
            messages.success(request, f"“{event.title}” is withdrawn: it stands in no plot any more.")
        return HttpResponseRedirect(event.get_absolute_url())


class EventImport(Page):
    """First the file, then what would come of it, line by line; only a confirmed one is written."""

    policy_action = EDIT
    template_name = "monitoring/events/import.html"
    title = "Import mission events"
    subtitle = "From a CSV file with the columns of the export"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        limits = {"columns": csvfile.COLUMNS, "most_rows": csvfile.MOST_ROWS}
        return super().get_context_data(**limits, **kwargs)

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=ImportForm()))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = ImportForm(request.POST, request.FILES)
        if not form.is_valid():
            return self.refused(form)
        try:
            text = self.text_of(form)
            read = csvfile.read_csv(text)
        except csvfile.Unreadable as reason:
            form.add_error("file", str(reason))
            return self.refused(form)
        if not form.cleaned_data["confirm"]:
            return self.render_to_response(self.get_context_data(form=form, read=read, text=text))
        made = services.import_events(request.user, read.new)
        messages.success(request, f"{len(made)} event{'' if len(made) == 1 else 's'} imported.")
        return HttpResponseRedirect(f"{reverse('monitoring:events')}?origin=csv")

    def text_of(self, form: ImportForm) -> str:
        sent = form.cleaned_data["file"]
        if sent is None:
            if not form.cleaned_data["text"]:
                raise csvfile.Unreadable("Choose a file first.")
            return form.cleaned_data["text"]
        if sent.size > csvfile.MOST_BYTES:
            raise csvfile.Unreadable(f"The file has {sent.size} bytes; at most {csvfile.MOST_BYTES} are read.")
        return csvfile.decoded(sent.read())

    def refused(self, form: ImportForm) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)


def search_events(user: Any, query: str, limit: int) -> list[SearchHit]:
    """Standing events whose title, text or source hold every word of the query; one query."""
    found = MissionEvent.objects.filter(withdrawn_at__isnull=True)
    for word in query.split():
        found = found.filter(Q(title__icontains=word) | Q(text__icontains=word) | Q(source__icontains=word))
    return [
        SearchHit(str(e), f"{e.get_kind_display()} · {when(e)}", e.get_absolute_url(), "event") for e in found[:limit]
    ]
