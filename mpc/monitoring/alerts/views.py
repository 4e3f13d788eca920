"""Pages of alerts and of changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db.models import Prefetch, QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views import View

from mpc.accounts import policy
from mpc.accounts.models import RoleGrant, User
from mpc.monitoring.alerts import bulk, forms, reading, states, words
from mpc.monitoring.alerts.filters import AlertFilter, ChangeFilter
from mpc.monitoring.alerts.plots import part_figure
from mpc.monitoring.alerts.tables import PART_SIGN, SEVERITY_SIGN, STATE_SIGN, AlertTable, ChangeTable
from mpc.monitoring.models import Alert, AlertPart, ChangePoint, Severity, Waiver
from mpc.monitoring.waivers.reading import holding
from mpc.ui.figures import FigureResponse
from mpc.ui.search import SearchHit
from mpc.ui.views import DetailPage, ListPage, PolicyMixin

PLOTS = 6
PARTS_SHOWN = 200
NOTES_SHOWN = 200
SUGGESTIONS = 50


class TriageList(ListPage):
    """What waits for people, the gravest and then the oldest first."""

    policy_action = "monitoring.view"
    title = "Alerts"
    subtitle = "Changes that no event explains, and requirements that are not met"
    queryset = Alert.objects.select_related("assigned_to").prefetch_related(
        Prefetch("parts", AlertPart.objects.only("alert", "state"))
    )
    filterset_class = AlertFilter
    table_class = AlertTable
    template_name = "monitoring/alerts/list.html"
    list_name = "monitoring.TriageList"
    primary_filters = ("q", "state", "severity", "unit")
    columns_off = ("id", "last_seen_at", "snoozed_until", "closed_at", "closed_why")
    default_query = "state=open&state=acknowledged"
    bulk_kind = bulk.KIND
    empty_text = (
        "An alert appears here when a detector finds a change that no mission event explains, or when a requirement is "
        "not met. None is here: nothing of that kind was found."
    )
    empty_action = ("See what was looked at", "monitoring:changes")


class ChangeList(ListPage):
    """Everything that detectors found, also what alerts nobody, and why."""

    policy_action = "monitoring.view"
    title = "Changes"
    subtitle = "All that the detectors found, explained or not"
    queryset = ChangePoint.objects.select_related("series__metric", "event")
    filterset_class = ChangeFilter
    table_class = ChangeTable
    list_name = "monitoring.ChangeList"
    primary_filters = ("unit", "kind", "explained")
    columns_off = ("unit", "text", "score", "detector", "version", "mode", "found_at", "gone_at")
    default_query = "mode=live&gone=false"
    empty_text = (
        "A change appears here when a detector finds one. Detectors look at a series when it has new values, and "
        "at each once a day."
    )
    empty_action = ("Detectors and their settings", "monitoring:detectors")


class AlertPage(DetailPage):
    """One alert: what, where, since when, what to do next."""

    policy_action = "monitoring.view"
    panel_kind = "monitoring.alert"
    queryset = Alert.objects.select_related("assigned_to", "acknowledged_by")
    template_name = "monitoring/alerts/detail.html"

    def get_breadcrumb(self) -> list[tuple[str, str]]:
        return [("Alerts", reverse("monitoring:alerts"))]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        alert = self.object
        parts = list(
            alert.parts.select_related("series__metric", "requirement", "change__event", "product", "run").order_by(
                "pk"
            )[:PARTS_SHOWN]
        )
        notes = list(alert.notes.select_related("actor").order_by("-pk")[:NOTES_SHOWN])
        holding_parts = [p for p in parts if p.state == AlertPart.State.HOLDS]
        drawn = (holding_parts + [p for p in parts if p.state != AlertPart.State.HOLDS])[:PLOTS]
        return super().get_context_data(
            alert=alert,
            parts=parts,
            rows=[PartRow(part) for part in parts],
            plots=[PartRow(part) for part in drawn],
            more_plots=max(len(parts) - PLOTS, 0),
            holds=len(holding_parts),
            notes=notes,
            seen=notes[0].pk if notes else 0,
            severity=Severity(alert.severity).label,
            severity_sign=SEVERITY_SIGN[Severity(alert.severity)],
            state_sign=STATE_SIGN.get(alert.state, "idle"),
            events=reading.events_near(parts),
            waivers=_waivers(parts),
            messages_sent=list(alert.notifications.select_related("subscription__user").order_by("pk")[:20]),
            next_step=words.what_next(alert, parts),
            people=suggested_people() if policy.allowed(self.request.user, states.ACTION) else [],
            steps=STEPS,
            assign_form=forms.AssignForm(initial={"to": alert.assigned_to.username if alert.assigned_to else ""}),
            snooze_form=forms.SnoozeForm(),
            judge_form=forms.JudgeForm(auto_id="judge_%s"),
            close_form=forms.CloseForm(auto_id="close_%s"),
            note_form=forms.NoteForm(auto_id="note_%s"),
            **kwargs,
        )


class PartRow:
    """A part as the page shows it."""

    def __init__(self, part: AlertPart) -> None:
        self.part = part
        self.id = str(part.pk)
        self.noun = words.NOUNS.get(part.kind, part.kind)
        self.sign = PART_SIGN[part.state]
        self.value = words.value_of(part)
        self.trend = reading.trend_of(part.series, part.time)
        self.url = reverse("monitoring:alert-part", kwargs={"pk": part.alert_id, "part": part.pk})


def _waivers(parts: list[AlertPart]) -> list[Waiver]:
    """Waivers of today that concern a part: of its requirement, or of its metric."""
    metrics = {p.series.metric_id for p in parts}
    requirements = {p.requirement_id for p in parts if p.requirement_id}
    rows = holding().select_related("requirement", "metric")
    return [
        w
        for w in rows
        if (w.metric_id in metrics or w.requirement_id in requirements) and any(w.concerns(p.series) for p in parts)
    ]


def suggested_people() -> list[User]:
    """Some of those who may deal with alerts; any other name can be written."""
    granted = RoleGrant.objects.filter(role__in=policy.ACTIONS[states.ACTION]).values("user")
    return list(User.objects.filter(pk__in=granted, is_active=True).order_by("username")[:SUGGESTIONS])


class PartData(PolicyMixin, View):
    """The figure of one part: its series around the moment, the change or the limit marked."""

    policy_action = "monitoring.view"
    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, pk: int, part: int) -> HttpResponse:
        found = get_object_or_404(
            AlertPart.objects.select_related("series__metric", "change", "requirement"), pk=part, alert=pk
        )
        return FigureResponse(part_figure(found))


# --- What people do ---------------------------------------------------------------------------------------------------
class Step:
    """One thing that can be done to an alert: its form, and the function that takes the form's values."""

    def __init__(self, apply: Callable[..., Any], form: type[Form], said: str) -> None:
        self.apply = apply
        self.form = form
        self.said = said


STEPS: dict[str, Step] = {
    "acknowledge": Step(states.acknowledge, Form, "Acknowledged."),
    "assign": Step(bulk.assign, forms.AssignForm, "Assigned."),
    "snooze": Step(bulk.snooze, forms.SnoozeForm, "Snoozed."),
    "judge": Step(states.judge, forms.JudgeForm, "Judged."),
    "close": Step(states.close, forms.CloseForm, "Closed."),
    "reopen": Step(states.reopen, Form, "Reopened."),
    "note": Step(states.write_note, forms.NoteForm, "Noted."),
}


class DoStep(PolicyMixin, View):
    """Does one step and goes back to the alert. What cannot be done is said there, with the reason."""

    policy_action = states.ACTION
    http_method_names = ["post"]
    step = ""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        alert = get_object_or_404(Alert, pk=pk)
        step = STEPS[self.step]
        form = step.form(request.POST)
        if not form.is_valid():
            for field, errors in form.errors.items():
                name = form.fields[field].label if field in form.fields else ""
                messages.error(request, f"{name}: {' '.join(map(str, errors))}".removeprefix(": "))
            return HttpResponseRedirect(alert.get_absolute_url())
        values = dict(form.cleaned_data)
        seen = request.POST.get("seen", "")
        if seen.isdecimal() and len(seen) < 19 and self.step != "note":
            values["seen"] = int(seen)
        try:
            step.apply(alert, request.user, **values)
        except states.NotNow as why:
            messages.warning(request, str(why))
        else:
            messages.success(request, step.said)
        return HttpResponseRedirect(alert.get_absolute_url())


# --- For other pages --------------------------------------------------------------------------------------------------
def open_alerts(request: HttpRequest) -> int | None:
    """The number beside the entry of the navigation; the home page has counted them already."""
    counted = getattr(request, "_waiting_alerts", None)
    if counted is not None:
        return sum(n for (_, _, state), n in counted.items() if state == Alert.State.OPEN) or None
    return reading.open_count() or None


def search_alerts(user: Any, query: str, limit: int) -> list[SearchHit]:
    """Alerts whose title holds every word, the newest first."""
    found: QuerySet[Alert] = Alert.objects.all()
    for word in query.split():
        found = found.filter(title__icontains=word)
    return [
        SearchHit(a.title, f"alert {a.pk}, {a.get_state_display()}", a.get_absolute_url(), "alert")
        for a in found.order_by("-opened_at", "-pk")[:limit]
    ]


def run_panel(request: HttpRequest, run: Any) -> dict[str, Any] | None:
    """On the page of a run: alerts whose parts show values that it measured."""
    return _panel(AlertPart.objects.filter(run=run))


def product_panel(request: HttpRequest, product: Any) -> dict[str, Any] | None:
    """On the page of a product: alerts that began with what was measured of it."""
    return _panel(AlertPart.objects.filter(product=product))


def _panel(parts: QuerySet[AlertPart]) -> dict[str, Any] | None:
    alerts = list(Alert.objects.filter(pk__in=parts.values("alert")).order_by("-opened_at", "-pk")[:20])
    if not alerts:
        return None
    return {"alerts": [(a, STATE_SIGN.get(a.state, "idle")) for a in alerts]}
