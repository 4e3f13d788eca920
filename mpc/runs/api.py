"""Runs, jobs and workers over REST."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import Prefetch
from django.http import FileResponse, Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from mpc.jobs import Job, UnknownJob, all_jobs, describe_params
from mpc.products.models import Product
from mpc.runs import queues, services
from mpc.runs.filters import RunFilter
from mpc.runs.models import Run, RunArtifact, RunAttempt, RunLogLine, State, Trigger, Worker
from mpc.runs.views import LEVELS, artifact_response

LOG_PAGE = 1000
_JSON_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string"}


class RunRow(serializers.ModelSerializer):
    product = serializers.SlugRelatedField("name", read_only=True)
    requested_by = serializers.SlugRelatedField("username", read_only=True)
    worker = serializers.SlugRelatedField("name", read_only=True)

    class Meta:
        model = Run
        exclude = ("params", "facts", "request_key", "heartbeat_at", "claimed_at", "cancel_requested_by")


class AttemptPart(serializers.ModelSerializer):
    class Meta:
        model = RunAttempt
        exclude = ("id", "run", "worker")


class ArtifactPart(serializers.ModelSerializer):
    url = serializers.CharField(source="get_absolute_url", read_only=True)

    class Meta:
        model = RunArtifact
        exclude = ("run", "path")


class LogLinePart(serializers.ModelSerializer):
    class Meta:
        model = RunLogLine
        exclude = ("run",)


class RunWhole(RunRow):
    attempts = AttemptPart(many=True, read_only=True)
    artifacts = ArtifactPart(many=True, read_only=True)

    class Meta(RunRow.Meta):
        exclude = ("request_key", "heartbeat_at", "claimed_at", "cancel_requested_by")


class RunRequest(serializers.Serializer):
    """What is to be done: a kind of ``/jobs/``, the name of a product where the job needs one, the job's parameters."""

    kind = serializers.CharField(max_length=60)
    product = serializers.CharField(max_length=200, required=False, allow_null=True)
    params = serializers.DictField(required=False, default=dict)

    def validate_product(self, name: str | None) -> Product | None:
        if not name:
            return None
        found = Product.objects.filter(name=name.removesuffix(".SAFE")).first()
        if found is None:
            raise serializers.ValidationError(f"no product “{name}” in the inventory")
        return found


def _not_now(reason: services.NotNow) -> Response:
    return Response({"detail": str(reason)}, status=status.HTTP_409_CONFLICT)


NOT_NOW = OpenApiResponse(description="the run is in no state for that")


class RunViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """Runs, newest first, with the filters of the page. POST asks for one."""

    queryset = Run.objects.select_related("product", "requested_by", "worker")
    filterset_class = RunFilter
    policy_actions = {"GET": "runs.view", "HEAD": "runs.view", "OPTIONS": "runs.view", "POST": "runs.start"}
    lookup_value_regex = "[0-9]+"

    def get_queryset(self) -> Any:
        found = super().get_queryset()
        return found.prefetch_related("attempts", "artifacts") if self.action == "retrieve" else found

    def get_serializer_class(self) -> Any:
        return RunRow if self.action == "list" else RunWhole

    @extend_schema(
        request=RunRequest,
        responses={
            201: RunWhole,
            200: OpenApiResponse(RunWhole, description="the same work is queued or running already: that run"),
            400: OpenApiResponse(OpenApiTypes.OBJECT, description="what is wrong, by field"),
        },
    )
    def create(self, request: Request) -> Response:
        asked = RunRequest(data=request.data)
        asked.is_valid(raise_exception=True)
        try:
            run, created = services.request_run(
                asked.validated_data["kind"],
                actor=request.user,
                product=asked.validated_data.get("product"),
                params=asked.validated_data["params"],
                trigger=Trigger.API,
            )
        except UnknownJob as error:
            return Response({"kind": [str(error)]}, status=status.HTTP_400_BAD_REQUEST)
        except services.CannotRequest as error:
            wrong = {name: [text] for name, text in error.errors.items() if name == "product"}
            params = {name: [text] for name, text in error.errors.items() if name != "product"}
            body = {**wrong, "params": params} if params else wrong
            return Response(body, status=status.HTTP_400_BAD_REQUEST)
        return Response(RunWhole(run).data, status=status.HTTP_201_CREATED if created else status.HTTP_200_OK)

    @extend_schema(request=None, responses={200: RunWhole, 409: NOT_NOW})
    @action(detail=True, methods=["post"], policy_actions={"POST": "runs.cancel"})
    def cancel(self, request: Request, pk: str) -> Response:
        """Stop a run: one that waits never starts, one that runs is stopped within seconds."""
        try:
            run = services.cancel_run(self.get_object(), request.user)
        except services.NotNow as reason:
            return _not_now(reason)
        return Response(RunWhole(run).data)

    @extend_schema(request=None, responses={200: RunWhole, 409: NOT_NOW})
    @action(detail=True, methods=["post"], policy_actions={"POST": "runs.retry"})
    def retry(self, request: Request, pk: str) -> Response:
        """Queue a failed or cancelled run again, as a further attempt."""
        try:
            run = services.retry_run(self.get_object(), request.user)
        except services.NotNow as reason:
            return _not_now(reason)
        return Response(RunWhole(run).data)

    @extend_schema(
        parameters=[
            OpenApiParameter("after", int, description="only lines with a greater id"),
            OpenApiParameter("level", str, enum=list(LEVELS), description="lowest level; debug when not given"),
        ],
        responses=LogLinePart(many=True),
        filters=False,
    )
    @action(
        detail=True,
        methods=["get"],
        pagination_class=None,
        filter_backends=[],
        policy_actions={"GET": "runs.view", "HEAD": "runs.view", "OPTIONS": "runs.view"},
    )
    def log(self, request: Request, pk: str) -> Response:
        """At most 1000 lines of the log, oldest first; ask again with ``after`` the last id."""
        level = request.query_params.get("level", "debug")
        if level not in LEVELS:
            raise serializers.ValidationError({"level": [f"one of {', '.join(LEVELS)}"]})
        try:
            after = int(request.query_params.get("after", 0))
        except ValueError:
            raise serializers.ValidationError({"after": ["the id of a line, a whole number"]}) from None
        lines = self.get_object().log_lines.filter(pk__gt=after, level__in=LEVELS[level]).order_by("pk")[:LOG_PAGE]
        return Response(LogLinePart(lines, many=True).data)

    @extend_schema(responses=ArtifactPart(many=True), filters=False)
    @action(
        detail=True,
        methods=["get"],
        pagination_class=None,
        filter_backends=[],
        policy_actions={"GET": "runs.view", "HEAD": "runs.view", "OPTIONS": "runs.view"},
    )
    def artifacts(self, request: Request, pk: str) -> Response:
        """The files that the run left."""
        return Response(ArtifactPart(self.get_object().artifacts.all(), many=True).data)

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY}, filters=False)
    @action(
        detail=True,
        methods=["get"],
        url_path="artifacts/(?P<artifact_pk>[0-9]+)",
        url_name="artifact",
        pagination_class=None,
        filter_backends=[],
        policy_actions={"GET": "runs.view", "HEAD": "runs.view", "OPTIONS": "runs.view"},
    )
    def artifact(self, request: Request, pk: str, artifact_pk: str) -> FileResponse:
        """One of them."""
        return artifact_response(get_object_or_404(RunArtifact, run=self.get_object(), pk=artifact_pk))


class ParamPart(serializers.Serializer):
    name = serializers.CharField()
    type = serializers.ChoiceField(list(_JSON_TYPES.values()))
    required = serializers.BooleanField()
    default = serializers.JSONField(allow_null=True)
    help = serializers.CharField()
    minimum = serializers.FloatField(allow_null=True)
    maximum = serializers.FloatField(allow_null=True)
    choices = serializers.ListField(child=serializers.CharField(), allow_null=True)
    unit = serializers.CharField()


class JobPart(serializers.Serializer):
    """A kind of work, as it is declared."""

    kind = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    needs_product = serializers.BooleanField()
    product_levels = serializers.ListField(child=serializers.CharField())
    queue = serializers.CharField()
    on_arrival = serializers.BooleanField()
    time_limit_s = serializers.IntegerField()
    memory_limit_mb = serializers.IntegerField()
    max_attempts = serializers.IntegerField()
    params = serializers.SerializerMethodField()

    @extend_schema_field(ParamPart(many=True))
    def get_params(self, job: Job) -> list[dict[str, Any]]:
        described = [{**vars(d), "type": _JSON_TYPES[d.type]} for d in describe_params(job.params)]
        return list(ParamPart(described, many=True).data)


class JobViewSet(viewsets.ViewSet):
    """The kinds of work that can be asked for, with their parameters."""

    policy_action = "runs.view"
    lookup_value_regex = "[a-z0-9_.]+"

    @extend_schema(responses=JobPart(many=True), operation_id="jobs_list")
    def list(self, request: Request) -> Response:
        return Response(JobPart([job for job in all_jobs() if not job.hidden], many=True).data)


class WorkerPart(serializers.ModelSerializer):
    running = serializers.SerializerMethodField()

    class Meta:
        model = Worker
        exclude = ("node", "process_started")

    def get_running(self, worker: Any) -> list[int]:
        """Ids of the runs that it works on."""
        return [run.pk for run in worker.under_way]


UNDER_WAY = Prefetch("runs", Run.objects.filter(state=State.RUNNING).order_by("pk"), to_attr="under_way")


class WorkerViewSet(viewsets.ViewSet):
    """The workers that are alive."""

    policy_action = "runs.view"

    @extend_schema(responses=WorkerPart(many=True), operation_id="workers_list")
    def list(self, request: Request) -> Response:
        return Response(WorkerPart(services.live_workers().prefetch_related(UNDER_WAY), many=True).data)


class QueuePart(serializers.Serializer):
    """A queue: what it holds, and what holds it back."""

    name = serializers.CharField()
    waiting = serializers.IntegerField()
    running = serializers.IntegerField()
    limit = serializers.IntegerField(allow_null=True, help_text="how many of its runs may run at once")
    per_product = serializers.IntegerField(allow_null=True, help_text="how many of them on one product")
    paused = serializers.BooleanField(source="state.paused")
    paused_at = serializers.DateTimeField(source="state.paused_at", allow_null=True)
    paused_by = serializers.CharField(source="state.paused_by.username", allow_null=True, default=None)
    pause_reason = serializers.CharField(source="state.pause_reason")
    served = serializers.BooleanField(help_text="whether a worker takes runs of it")


class PauseRequest(serializers.Serializer):
    reason = serializers.CharField(max_length=300, required=False, default="", allow_blank=True)


class LimitRequest(serializers.Serializer):
    limit = serializers.IntegerField(min_value=1, max_value=queues.LIMIT_MAX, allow_null=True)
    per_product = serializers.IntegerField(min_value=1, max_value=queues.LIMIT_MAX, allow_null=True)


class QueueViewSet(viewsets.ViewSet):
    """The queues, and what holds them back."""

    policy_actions = {"GET": "runs.view", "HEAD": "runs.view", "OPTIONS": "runs.view"}
    lookup_value_regex = "[A-Za-z0-9_.-]+"

    @extend_schema(responses=QueuePart(many=True), operation_id="queues_list")
    def list(self, request: Request) -> Response:
        return Response(QueuePart(_queues(), many=True).data)

    @extend_schema(request=PauseRequest, responses={200: QueuePart, 409: NOT_NOW}, operation_id="queues_pause")
    @action(detail=True, methods=["post"], policy_actions={"POST": "runs.manage_queues"})
    def pause(self, request: Request, pk: str) -> Response:
        """Let no further run of the queue start; those under way go on."""
        return self._change(pk, PauseRequest, lambda asked: queues.pause_queue(pk, request.user, asked["reason"]))

    @extend_schema(request=None, responses={200: QueuePart, 409: NOT_NOW}, operation_id="queues_resume")
    @action(detail=True, methods=["post"], policy_actions={"POST": "runs.manage_queues"})
    def resume(self, request: Request, pk: str) -> Response:
        """Let runs of the queue start again."""
        return self._change(pk, None, lambda asked: queues.resume_queue(pk, request.user))

    @extend_schema(request=LimitRequest, responses=QueuePart, operation_id="queues_limit")
    @action(detail=True, methods=["post"], policy_actions={"POST": "runs.manage_queues"})
    def limit(self, request: Request, pk: str) -> Response:
        """How many runs of the queue may run at once, and how many of them on one product; null is without limit."""
        return self._change(pk, LimitRequest, lambda asked: queues.limit_queue(pk, request.user, **asked))

    def _change(self, name: str, form: Any, change: Callable[[dict[str, Any]], Any]) -> Response:
        if not queues.is_known(name):
            raise Http404(f"no queue {name}")
        asked = form(data=self.request.data) if form is not None else None
        if asked is not None:
            asked.is_valid(raise_exception=True)
        try:
            change(asked.validated_data if asked is not None else {})
        except queues.NotNow as reason:
            return Response({"detail": str(reason)}, status=status.HTTP_409_CONFLICT)
        return Response(QueuePart(next(queue for queue in _queues() if queue.name == name)).data)


def _queues() -> list[queues.QueueView]:
    served = services.live_workers().filter(refuses="").values_list("queues", flat=True)
    return queues.all_queues({name for names in served for name in names})


router_entries = [
    ("runs", RunViewSet, "run"),
    ("jobs", JobViewSet, "job"),
    ("workers", WorkerViewSet, "worker"),
    ("queues", QueueViewSet, "queue"),
]
