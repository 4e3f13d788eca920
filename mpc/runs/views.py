"""Pages of runs."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Prefetch, Q
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.generic import View
from django_htmx.http import HttpResponseClientRefresh

from mpc.accounts import policy
from mpc.jobs import Job, describe_params
from mpc.products.models import Product
from mpc.runs import exports, files, queues, services
from mpc.runs.filters import RunFilter
from mpc.runs.forms import StartForm
from mpc.runs.models import ACTIVE, Deployment, Run, RunArtifact, RunLogLine, State, Worker
from mpc.runs.tables import RunTable
from mpc.ui.views import DetailPage, ListPage, Page, PolicyMixin

LOG_LINES = 500
PRODUCT_NAMES = 20
LEVELS = {
    "debug": ("debug", "info", "warning", "error"),
    "info": ("info", "warning", "error"),
    "warning": ("warning", "error"),
    "error": ("error",),
}
# What a browser may show in place of saving it: nothing that can carry a script.
INLINE_TYPES = frozenset({"image/png", "image/jpeg", "text/plain", "text/csv", "application/json"})


class RunList(ListPage):
    policy_action = "runs.view"
    title = "Runs"
    subtitle = "All work: what people, arrivals and the schedule asked for, and how it went"
    queryset = Run.objects.select_related("product", "requested_by", "worker").defer("params", "facts", "summary")
    filterset_class = RunFilter
    table_class = RunTable
    primary_filters = ("q", "state", "kind")
    columns_off = (
        "kind",
        "finished_at",
        "queue",
        "priority",
        "worker",
        "cpu_s",
        "peak_rss_mb",
        "started_at",
        "trigger",
        "attempt",
    )
    empty_text = "Runs appear here when a product arrives, when the schedule asks for one, or when you start one."
    empty_action = ("Start a run", "runs:start")
    template_name = "runs/list.html"


class RunDetail(DetailPage):
    policy_action = "runs.view"
    panel_kind = "runs.run"
    queryset = Run.objects.select_related("product", "requested_by", "worker", "cancel_requested_by")
    template_name = "runs/detail.html"

    def get_title(self) -> str:
        return self.object.title

    def get_subtitle(self) -> str:
        return f"Run {self.object.pk} · {self.object.kind}"

    def get_breadcrumb(self) -> list[tuple[str, str]]:
        listing = reverse("runs:list")
        return [("Runs", listing), (self.object.kind, f"{listing}?kind={self.object.kind}")]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        run = self.object
        return super().get_context_data(
            run=run,
            attempts=run.attempts.order_by("-attempt"),
            artifacts=run.artifacts.all(),
            plain_facts={k: v for k, v in run.facts.items() if not isinstance(v, dict | list)},
            long_facts={k: json.dumps(v, indent=1) for k, v in run.facts.items() if isinstance(v, dict | list)},
            params=_described_params(run),
            **_live(run),
            **_log(run, "info"),
            **kwargs,
        )


def _described_params(run: Run) -> list[tuple[str, Any, str]]:
    """Name, value and help of each parameter; help only where this version still declares the job."""
    job = services.job_of(run.kind)
    helps = {d.name: d.help for d in describe_params(job.params)} if job is not None else {}
    return [(name, value, helps.get(name, "")) for name, value in run.params.items()]


def _live(run: Run) -> dict[str, Any]:
    waits = run.state == State.QUEUED
    return {
        "waiting_reason": (queues.why_held(run) or services.waiting_reason(run.queue)) if waits else "",
        "ahead": Run.objects.filter(state=State.QUEUED, queue=run.queue)
        .filter(Q(priority__gt=run.priority) | Q(priority=run.priority, pk__lt=run.pk))
        .count()
        if waits
        else 0,
    }


def _log(run: Run, level: str) -> dict[str, Any]:
    """The last lines of at least this level, oldest first; one line more is read to know whether there are others."""
    level = level if level in LEVELS else "info"
    newest = list(run.log_lines.filter(level__in=LEVELS[level]).order_by("-id")[: LOG_LINES + 1])
    return {
        "level": level,
        "levels": list(LEVELS),
        "lines": newest[:LOG_LINES][::-1],
        "cut": len(newest) > LOG_LINES,
        "limit": LOG_LINES,
    }


class RunPart(PolicyMixin, View):
    """A part of the run's page, asked for again and again while the run is active."""

    policy_action = "runs.view"
    template_name = ""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        run = get_object_or_404(RunDetail.queryset, pk=pk)
        return render(request, self.template_name, {"run": run, "part": True, **self.context(run)})

    def context(self, run: Run) -> dict[str, Any]:
        return {}


class RunLive(RunPart):
    """State and progress. When the run is over the whole page is loaded again: its results are there now."""

    template_name = "runs/parts/live.html"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        if getattr(request, "htmx", False) and not Run.objects.filter(pk=pk, state__in=ACTIVE).exists():
            return HttpResponseClientRefresh()
        return super().get(request, pk)

    def context(self, run: Run) -> dict[str, Any]:
        return _live(run)


class RunLog(RunPart):
    """The log from a level up."""

    template_name = "runs/parts/log.html"

    def context(self, run: Run) -> dict[str, Any]:
        return _log(run, self.request.GET.get("level", "info"))


class RunLogText(PolicyMixin, View):
    """The whole log as a text file."""

    policy_action = "runs.view"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        run = get_object_or_404(Run, pk=pk)
        lines = RunLogLine.objects.filter(run=run).iterator(chunk_size=2000)
        text = "".join(f"{x.at:%Y-%m-%dT%H:%M:%S.%fZ} {x.attempt} {x.level:<7} {x.text}\n" for x in lines)
        return HttpResponse(
            text,
            content_type="text/plain; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="run-{run.pk}.log"'},
        )


class StartExport(PolicyMixin, View):
    """Have a run write what is too long for a list to stream."""

    policy_action = "runs.export"
    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        try:
            run, created = exports.ask_for_export(request.POST.get("address", ""), request.user)
        except exports.CannotExport as why:
            messages.error(request, str(why))
            return HttpResponseRedirect(reverse("runs:list"))
        if not created:
            messages.info(request, "The same export is under way already.")
        return HttpResponseRedirect(run.get_absolute_url())


class StartRun(Page):
    """First the kind of work, then its form."""

    policy_action = "runs.start"
    template_name = "runs/start.html"
    title = "Start a run"

    def job(self) -> Job | None:
        kind = self.request.POST.get("kind") or self.request.GET.get("kind")
        if not kind:
            return None
        job = services.job_of(kind)
        if job is None or job.hidden:
            raise Http404(f"no job of kind {kind}")
        self.check_object("runs.start", job.kind)
        return job

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        job = kwargs.pop("job", None) or self.job()
        kwargs.setdefault("form", StartForm(job, initial=self._initial()) if job is not None else None)
        return super().get_context_data(job=job, jobs=services.startable_jobs(self.request.user), **kwargs)

    def _initial(self) -> dict[str, str]:
        return {"product": self.request.GET.get("product", "")}

    def get_subtitle(self) -> str:
        return "Choose what to do; the form is that of the job"

    def post(self, request: HttpRequest) -> HttpResponse:
        job = self.job()
        if job is None:
            return HttpResponseRedirect(request.path)
        form = StartForm(job, request.POST)
        if form.is_valid():
            try:
                run, created = services.request_run(
                    job.kind, actor=request.user, product=form.cleaned_data.get("product"), params=form.params()
                )
            except services.CannotRequest as error:
                form.add_errors(error.errors)
            else:
                if not created:
                    messages.info(request, f"The same work is {run.get_state_display()} already: this is it.")
                return HttpResponseRedirect(run.get_absolute_url())
        return self.render_to_response(self.get_context_data(job=job, form=form), status=422)


class ProductNames(PolicyMixin, View):
    """Names for the product field, as options of its datalist: never the whole table."""

    policy_action = "runs.start"

    def get(self, request: HttpRequest) -> HttpResponse:
        text = request.GET.get("product", "").strip().removesuffix(".SAFE")
        job = services.job_of(request.GET.get("kind", ""))
        found = Product.objects.filter(name__icontains=text) if text else Product.objects.all()
        if job is not None and job.product_levels:
            found = found.filter(level__in=job.product_levels)
        found = found.order_by("-sensing_start").only("name", "unit", "level")[:PRODUCT_NAMES]
        return render(request, "runs/parts/product_names.html", {"products": found})


class RunChange(PolicyMixin, View):
    """A POST that changes one run and leads back to its page, with the reason where it could not."""

    http_method_names = ["post"]

    def change(self, run: Run) -> str:
        raise PermissionDenied

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        run = get_object_or_404(Run, pk=pk)
        try:
            messages.success(request, self.change(run))
        except services.NotNow as reason:
            messages.error(request, str(reason))
        return HttpResponseRedirect(run.get_absolute_url())


class CancelRun(RunChange):
    policy_actions = {"POST": "runs.cancel"}

    def change(self, run: Run) -> str:
        services.cancel_run(run, self.request.user)
        return "The run is cancelled." if run.state == State.CANCELLED else "The run is being stopped."


class RetryRun(RunChange):
    policy_actions = {"POST": "runs.retry"}

    def change(self, run: Run) -> str:
        services.retry_run(run, self.request.user)
        return "The run is queued again."


class Artifact(PolicyMixin, View):
    """One file of a run."""

    policy_action = "runs.view"

    def get(self, request: HttpRequest, pk: int, artifact_pk: int) -> HttpResponse:
        artifact = get_object_or_404(RunArtifact, run_id=pk, pk=artifact_pk)
        return artifact_response(artifact, inline="inline" in request.GET)


def artifact_response(artifact: RunArtifact, *, inline: bool = False) -> FileResponse:
    """The file, to be saved; shown in place only when asked for and of a type that can carry no script.

    Raises Http404 when the file is gone.
    """
    try:
        path = files.path_of(artifact)
    except FileNotFoundError as error:
        raise Http404(str(error)) from error
    harmless = artifact.media_type in INLINE_TYPES
    response = FileResponse(
        path.open("rb"),
        as_attachment=not (inline and harmless),
        filename=path.name,
        content_type=artifact.media_type if harmless else "application/octet-stream",
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["ETag"] = f'"{artifact.sha256}"'
    return response


class Workers(Page):
    policy_action = "runs.view"
    template_name = "runs/workers.html"
    title = "Workers and queues"
    subtitle = "The processes that take runs, and what holds runs back"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        under_way = Prefetch("runs", Run.objects.filter(state=State.RUNNING).order_by("pk"), to_attr="under_way")
        done = Count("attempts", filter=Q(attempts__finished_at__isnull=False))
        alive = list(services.live_workers().annotate(done=done).prefetch_related(under_way))
        served = {name for worker in alive if not worker.refuses for name in worker.queues}
        return super().get_context_data(
            alive=alive,
            gone=Worker.objects.exclude(pk__in=[worker.pk for worker in alive]).order_by("-last_seen_at")[:20],
            queues=queues.all_queues(served),
            deployed=Deployment.objects.first(),
            limit_max=queues.LIMIT_MAX,
            may_manage=policy.allowed(self.request.user, "runs.manage_queues"),
            why_not_manage=policy.reason(self.request.user, "runs.manage_queues"),
            **kwargs,
        )


class QueueChange(PolicyMixin, View):
    """Changes a queue and leads back to the page of workers, with the reason where it could not."""

    http_method_names = ["post"]
    policy_actions = {"POST": "runs.manage_queues"}

    def change(self, name: str, data: QueryDict) -> str:
        raise PermissionDenied

    def post(self, request: HttpRequest, name: str) -> HttpResponse:
        if not queues.is_known(name):
            raise Http404(f"no queue {name}")
        try:
            messages.success(request, self.change(name, request.POST))
        except (queues.NotNow, ValueError) as reason:
            messages.error(request, str(reason))
        return HttpResponseRedirect(reverse("runs:workers"))


class PauseQueue(QueueChange):
    def change(self, name: str, data: QueryDict) -> str:
        queues.pause_queue(name, self.request.user, data.get("reason", ""))
        return f"The queue “{name}” is paused: what is under way goes on, nothing further starts."


class ResumeQueue(QueueChange):
    def change(self, name: str, data: QueryDict) -> str:
        queues.resume_queue(name, self.request.user)
        return f"The queue “{name}” goes on."


class LimitQueue(QueueChange):
    def change(self, name: str, data: QueryDict) -> str:
        queues.limit_queue(
            name, self.request.user, limit=_number(data.get("limit")), per_product=_number(data.get("per_product"))
        )
        return f"The limits of the queue “{name}” are kept."


def _number(text: str | None) -> int | None:
    """The number of a field that may be empty. Raises ValueError with words for people."""
    if not text or not text.strip():
        return None
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"“{text[:20]}” is no whole number.") from None
