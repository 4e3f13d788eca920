"""Compliance, requirements, waivers and mission events over REST. Views are thin callers of the services."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from mpc.monitoring.compliance.filters import ComplianceFilter
from mpc.monitoring.events import services as events
from mpc.monitoring.events.filters import EventFilter
from mpc.monitoring.models import Compliance, Metric, MissionEvent, Requirement, RequirementLimit, Waiver
from mpc.monitoring.requirements import services as requirements
from mpc.monitoring.requirements.limits import FIELDS as LIMIT_FIELDS
from mpc.monitoring.requirements.limits import LimitRow
from mpc.monitoring.requirements.views import RequirementFilter
from mpc.monitoring.waivers import services as waivers
from mpc.monitoring.waivers.views import WaiverFilter, state_of

VIEW = {"GET": "monitoring.view", "HEAD": "monitoring.view", "OPTIONS": "monitoring.view"}
NOT_NOW = OpenApiResponse(description="it is in no state for that")


def refused(error: ValidationError) -> serializers.ValidationError:
    """What a service refused, by field."""
    found = error.message_dict if hasattr(error, "error_dict") else {"non_field_errors": error.messages}
    return serializers.ValidationError(found)


def not_now(reason: Exception) -> Response:
    return Response({"detail": str(reason)}, status=status.HTTP_409_CONFLICT)


class Reason(serializers.Serializer):
    reason = serializers.CharField(max_length=300)


# --- Mission events --------------------------------------------------------------------------------------------------
class EventRow(serializers.ModelSerializer):
    bands = serializers.ListField(child=serializers.CharField(max_length=3), required=False, max_length=13)
    detectors = serializers.ListField(child=serializers.CharField(max_length=2), required=False, max_length=12)
    created_by = serializers.SlugRelatedField("username", read_only=True)

    class Meta:
        model = MissionEvent
        fields = ("id", *events.FIELDS, "origin", "created_by", "created_at", "withdrawn_at", "withdrawn_why")
        read_only_fields = ("origin", "created_at", "withdrawn_at", "withdrawn_why")


class EventViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """Mission events, the newest first. POST records one; nothing is deleted: what was wrong is withdrawn."""

    queryset = MissionEvent.objects.select_related("created_by").order_by("-start", "-id")
    serializer_class = EventRow
    filterset_class = EventFilter
    lookup_value_regex = "[0-9]+"
    policy_actions = {**VIEW, "POST": "monitoring.events", "PATCH": "monitoring.events"}

    @extend_schema(request=EventRow, responses={201: EventRow})
    def create(self, request: Request) -> Response:
        asked = EventRow(data=request.data)
        asked.is_valid(raise_exception=True)
        try:
            event = events.record_event(request.user, asked.validated_data, MissionEvent.Origin.API)
        except ValidationError as error:
            raise refused(error) from None
        return Response(EventRow(event).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=EventRow, responses={200: EventRow, 409: NOT_NOW})
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change the fields that are sent."""
        event = self.get_object()
        asked = EventRow(event, data=request.data, partial=True)
        asked.is_valid(raise_exception=True)
        try:
            events.change_event(event, request.user, asked.validated_data)
        except ValidationError as error:
            raise refused(error) from None
        except events.CannotChange as reason:
            return not_now(reason)
        return Response(EventRow(event).data)

    @extend_schema(request=Reason, responses={200: EventRow, 409: NOT_NOW})
    @action(detail=True, methods=["post"], policy_actions={"POST": "monitoring.events"})
    def withdraw(self, request: Request, pk: str) -> Response:
        """Take the event out of plots and explanations, with the reason; it stays to be read."""
        event, asked = self.get_object(), Reason(data=request.data)
        asked.is_valid(raise_exception=True)
        try:
            events.withdraw_event(event, request.user, asked.validated_data["reason"])
        except events.CannotChange as reason:
            return not_now(reason)
        return Response(EventRow(event).data)


# --- Requirements ----------------------------------------------------------------------------------------------------
class LimitPart(serializers.ModelSerializer):
    class Meta:
        model = RequirementLimit
        fields = ("unit", "band", *LIMIT_FIELDS)
        validators: list[Callable] = []


class RequirementRow(serializers.ModelSerializer):
    metric = serializers.PrimaryKeyRelatedField(queryset=Metric.objects.all(), help_text="code of the metric")
    limits = LimitPart(many=True)

    class Meta:
        model = Requirement
        fields = ("code", *requirements.FIELDS, "limits", "from_table", "edited")
        read_only_fields = ("from_table", "edited")

    def validate_code(self, code: str) -> str:
        if self.instance is not None and code != self.instance.code:
            raise serializers.ValidationError("a code is never changed")
        if self.instance is None and not all(letter.isalnum() or letter in "._-" for letter in code):
            raise serializers.ValidationError("letters, digits, point, hyphen and underscore only")
        return code

    @staticmethod
    def rows(limits: list[dict[str, Any]]) -> list[LimitRow]:
        return [(one.get("unit", ""), one.get("band", ""), *(one.get(name) for name in LIMIT_FIELDS)) for one in limits]  # type: ignore[misc]


class RequirementViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """Requirements with their limits, by code. ``limits`` of a change are all limits that there shall be."""

    queryset = Requirement.objects.prefetch_related("limits").order_by("code")
    serializer_class = RequirementRow
    filterset_class = RequirementFilter
    lookup_field = "code"
    lookup_value_regex = "[^/]+"
    policy_actions = {**VIEW, "POST": "monitoring.requirements", "PATCH": "monitoring.requirements"}

    @extend_schema(request=RequirementRow, responses={201: RequirementRow})
    def create(self, request: Request) -> Response:
        asked = RequirementRow(data=request.data)
        asked.is_valid(raise_exception=True)
        fields = dict(asked.validated_data)
        limits = RequirementRow.rows(fields.pop("limits"))
        try:
            made = requirements.make_requirement(request.user, fields.pop("code"), fields, limits)
        except ValidationError as error:
            raise refused(error) from None
        return Response(RequirementRow(self.get_queryset().get(pk=made.pk)).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=RequirementRow, responses=RequirementRow)
    def partial_update(self, request: Request, code: str) -> Response:
        """Change the fields that are sent; from then on the centre's table leaves the requirement alone."""
        found = self.get_object()
        asked = RequirementRow(found, data=request.data, partial=True)
        asked.is_valid(raise_exception=True)
        fields = {name: value for name, value in asked.validated_data.items() if name != "code"}
        limits = RequirementRow.rows(fields.pop("limits")) if "limits" in fields else None
        try:
            requirements.change_requirement(found, request.user, fields, limits)
        except ValidationError as error:
            raise refused(error) from None
        return Response(RequirementRow(self.get_queryset().get(pk=found.pk)).data)


# --- Waivers ---------------------------------------------------------------------------------------------------------
class WaiverRow(serializers.ModelSerializer):
    requirement = serializers.SlugRelatedField(
        "code", queryset=Requirement.objects.all(), required=False, allow_null=True
    )
    metric = serializers.PrimaryKeyRelatedField(queryset=Metric.objects.all(), required=False, allow_null=True)
    author = serializers.SlugRelatedField("username", read_only=True)
    state = serializers.SerializerMethodField(help_text="holds, later, over or withdrawn")

    class Meta:
        model = Waiver
        fields = ("id", "state", *waivers.FIELDS, "author", "created_at", "withdrawn_at")
        read_only_fields = ("created_at", "withdrawn_at")
        validators: list[Callable] = []

    @extend_schema_field(serializers.CharField())
    def get_state(self, waiver: Waiver) -> str:
        return state_of(waiver)


class WaiverViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """Waivers, the one that ends last first. POST grants one; it is not changed afterwards, only withdrawn."""

    queryset = Waiver.objects.select_related("requirement", "author").order_by("-valid_to", "-id")
    serializer_class = WaiverRow
    filterset_class = WaiverFilter
    lookup_value_regex = "[0-9]+"
    policy_actions = {**VIEW, "POST": "monitoring.waive"}

    @extend_schema(request=WaiverRow, responses={201: WaiverRow})
    def create(self, request: Request) -> Response:
        asked = WaiverRow(data=request.data)
        asked.is_valid(raise_exception=True)
        try:
            waiver = waivers.grant(request.user, asked.validated_data)
        except ValidationError as error:
            raise refused(error) from None
        return Response(WaiverRow(waiver).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=Reason, responses={200: WaiverRow, 409: NOT_NOW})
    @action(detail=True, methods=["post"], policy_actions={"POST": "monitoring.waive"})
    def withdraw(self, request: Request, pk: str) -> Response:
        """End the waiver now."""
        waiver, asked = self.get_object(), Reason(data=request.data)
        asked.is_valid(raise_exception=True)
        try:
            waivers.withdraw(waiver, request.user, asked.validated_data["reason"])
        except waivers.CannotChange as reason:
            return not_now(reason)
        return Response(WaiverRow(waiver).data)


# --- Compliance ------------------------------------------------------------------------------------------------------
class ComplianceRow(serializers.ModelSerializer):
    requirement = serializers.CharField(source="requirement.code")
    metric = serializers.CharField(source="requirement.metric_id")
    metric_unit = serializers.CharField(source="requirement.metric.unit", help_text="of value, margin and slope")
    verified = serializers.BooleanField(source="requirement.verified", help_text="whether the limit is")
    waiver = serializers.PrimaryKeyRelatedField(read_only=True)

    class Meta:
        model = Compliance
        fields = (
            *("id", "requirement", "metric", "metric_unit", "verified", "unit", "band", "state", "why", "value"),
            *("uncertainty", "count", "margin", "goal_met", "slope", "slope_low", "slope_high", "breach_on"),
            *("breach_from", "breach_to", "days_left", "first_time", "last_time", "waiver", "computed_at"),
        )


class ComplianceViewSet(viewsets.ReadOnlyModelViewSet):
    """The cells of the compliance matrix: a requirement, a unit, a band. ``slope`` is a change a year."""

    serializer_class = ComplianceRow
    filterset_class = ComplianceFilter
    policy_action = "monitoring.view"

    def get_queryset(self) -> QuerySet:
        found = Compliance.objects.select_related("requirement__metric")
        return found.order_by("requirement__code", "unit", "band", "id")


router_entries = [
    ("events", EventViewSet, "event"),
    ("requirements", RequirementViewSet, "requirement"),
    ("waivers", WaiverViewSet, "waiver"),
    ("compliance", ComplianceViewSet, "compliance"),
]
