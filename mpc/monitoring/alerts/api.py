"""Alerts and changes over REST: to be read, and dealt with one by one."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from mpc.monitoring.alerts import states
from mpc.monitoring.alerts.filters import AlertFilter, ChangeFilter
from mpc.monitoring.alerts.views import STEPS
from mpc.monitoring.models import Alert, AlertNote, AlertPart, ChangePoint


class AlertPartRow(serializers.ModelSerializer):
    metric = serializers.CharField(source="series.metric_id")
    unit = serializers.CharField(source="series.unit")
    band = serializers.CharField(source="series.band")
    detector = serializers.CharField(source="series.detector")
    requirement = serializers.SlugRelatedField("code", read_only=True)
    product = serializers.SlugRelatedField("name", read_only=True)

    class Meta:
        model = AlertPart
        fields = (
            *("id", "series", "metric", "unit", "band", "detector", "kind", "state", "time", "value", "uncertainty"),
            *("limit", "requirement", "text", "back_points", "change", "product", "run"),
        )


class AlertNoteRow(serializers.ModelSerializer):
    actor = serializers.SlugRelatedField("username", read_only=True)

    class Meta:
        model = AlertNote
        fields = ("id", "at", "actor", "what", "text")


class AlertRow(serializers.ModelSerializer):
    severity = serializers.CharField(source="get_severity_display")
    assigned_to = serializers.SlugRelatedField("username", read_only=True)

    class Meta:
        model = Alert
        fields = (
            *("id", "title", "unit", "severity", "state", "judgement", "judged_why", "time", "opened_at"),
            *("last_seen_at", "closed_at", "closed_why", "snoozed_until", "assigned_to", "reopened"),
        )


class AlertWhole(AlertRow):
    parts = AlertPartRow(many=True)
    notes = AlertNoteRow(many=True)

    class Meta(AlertRow.Meta):
        fields = (*AlertRow.Meta.fields, "parts", "notes")


class SeenBody(serializers.Serializer):
    seen = serializers.IntegerField(
        required=False, min_value=0, help_text="number of the newest note that you saw; refused if another came since"
    )


class AssignBody(SeenBody):
    to = serializers.CharField(required=False, allow_blank=True, default="", max_length=150, help_text="user name")


class SnoozeBody(SeenBody):
    days = serializers.IntegerField(min_value=1, max_value=states.SNOOZE_DAYS_MAX)
    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=states.REASON_LENGTH)


class JudgeBody(SeenBody):
    judgement = serializers.ChoiceField(choices=[j for j in Alert.Judgement.values if j])
    reason = serializers.CharField(max_length=states.REASON_LENGTH)


class CloseBody(SeenBody):
    reason = serializers.CharField(max_length=states.REASON_LENGTH)


class NoteBody(serializers.Serializer):
    text = serializers.CharField(max_length=states.REASON_LENGTH)


class AlertViewSet(viewsets.ReadOnlyModelViewSet):
    """Alerts, the gravest and then the oldest first. A step that cannot be taken now is answered with 409."""

    queryset = Alert.objects.select_related("assigned_to")
    serializer_class = AlertRow
    filterset_class = AlertFilter
    policy_actions = {**dict.fromkeys(("GET", "HEAD", "OPTIONS"), "monitoring.view"), "POST": states.ACTION}
    lookup_value_regex = "[0-9]+"

    def get_queryset(self) -> Any:
        rows = super().get_queryset()
        if self.action == "list":
            return rows.order_by("-severity", "opened_at", "pk")
        return rows.prefetch_related("parts__series", "parts__requirement", "parts__product", "notes__actor")

    def get_serializer_class(self) -> Any:
        return AlertRow if self.action == "list" else AlertWhole

    def _do(self, request: Request, name: str, body: type[serializers.Serializer]) -> Response:
        alert = self.get_object()
        sent = body(data=request.data)
        sent.is_valid(raise_exception=True)
        try:
            STEPS[name].apply(alert, request.user, **sent.validated_data)
        except states.NotNow as why:
            return Response({"detail": str(why)}, status=status.HTTP_409_CONFLICT)
        return Response(AlertWhole(self.get_queryset().get(pk=alert.pk)).data)

    @extend_schema(request=SeenBody, responses=AlertWhole)
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, pk: str = "") -> Response:
        """Somebody looks after it."""
        return self._do(request, "acknowledge", SeenBody)

    @extend_schema(request=AssignBody, responses=AlertWhole)
    @action(detail=True, methods=["post"])
    def assign(self, request: Request, pk: str = "") -> Response:
        """Say who looks after it."""
        return self._do(request, "assign", AssignBody)

    @extend_schema(request=SnoozeBody, responses=AlertWhole)
    @action(detail=True, methods=["post"])
    def snooze(self, request: Request, pk: str = "") -> Response:
        """Out of the queue for some days."""
        return self._do(request, "snooze", SnoozeBody)

    @extend_schema(request=JudgeBody, responses=AlertWhole)
    @action(detail=True, methods=["post"])
    def judge(self, request: Request, pk: str = "") -> Response:
        """Noise or expected (closes it), or real."""
        return self._do(request, "judge", JudgeBody)

    @extend_schema(request=CloseBody, responses=AlertWhole)
    @action(detail=True, methods=["post"])
    def close(self, request: Request, pk: str = "") -> Response:
        """There is nothing more to do."""
        return self._do(request, "close", CloseBody)

    @extend_schema(request=SeenBody, responses=AlertWhole)
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: str = "") -> Response:
        """It was closed wrongly."""
        return self._do(request, "reopen", SeenBody)

    @extend_schema(request=NoteBody, responses=AlertWhole)
    @action(detail=True, methods=["post"])
    def note(self, request: Request, pk: str = "") -> Response:
        """A line for its time line."""
        return self._do(request, "note", NoteBody)


class ChangeRow(serializers.ModelSerializer):
    metric = serializers.CharField(source="series.metric_id")
    unit = serializers.CharField(source="series.unit")
    band = serializers.CharField(source="series.band")

    class Meta:
        model = ChangePoint
        fields = (
            *("id", "series", "metric", "unit", "band", "detector", "version", "mode", "kind", "time"),
            *("interval_start", "interval_end", "magnitude", "magnitude_uncertainty", "score", "before", "after"),
            *("text", "explained", "event", "held", "found_at", "gone_at"),
        )


class ChangeViewSet(viewsets.ReadOnlyModelViewSet):
    """All that detectors found, the newest change first; ``held`` says why one alerts nobody."""

    queryset = ChangePoint.objects.select_related("series").order_by("-time", "-pk")
    serializer_class = ChangeRow
    filterset_class = ChangeFilter
    policy_action = "monitoring.view"


router_entries = [("alerts", AlertViewSet, "alert"), ("changes", ChangeViewSet, "change")]
