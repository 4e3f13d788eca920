"""Pages of the detectors: what they are, how they are set, what they would say in shadow."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views import View

from mpc.accounts import policy
from mpc.jobs import describe_params
from mpc.monitoring.alerts.reading import trend_of
from mpc.monitoring.detecting import services
from mpc.monitoring.detecting.comparing import Comparison, Pair, compare
from mpc.monitoring.detecting.forms import LiveForm, SettingForm
from mpc.monitoring.detecting.settings import LIMITS
from mpc.monitoring.detectors.registry import Detector, UnknownDetector, all_detectors, get_detector
from mpc.monitoring.drills.reading import newest_by_detector
from mpc.monitoring.filters import day_begins
from mpc.monitoring.models import ChangePoint, DetectorMode, DetectorSetting, Watch
from mpc.msi.units import UNITS
from mpc.ui.panels import panels_for
from mpc.ui.views import Page, PolicyMixin

PAIRS_A_PAGE = 100
SETTINGS_SHOWN = 300
HISTORY_SHOWN = 50


class Detectors(Page):
    """All detectors that this software has, and whether they may alert."""

    policy_action = "monitoring.view"
    template_name = "monitoring/detectors/list.html"
    title = "Detectors"
    subtitle = "What looks at the series, and how it is set"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        settings = list(DetectorSetting.objects.order_by("id"))
        counts = {
            (detector, mode): n
            for detector, mode, n in ChangePoint.objects.filter(gone_at=None)
            .order_by()
            .values_list("detector", "mode")
            .annotate(n=Count("pk"))
        }
        watches = Watch.objects.aggregate(
            looked=Count("pk"), failed=Count("pk", filter=~Q(failed="")), little=Count("pk", filter=~Q(too_little=""))
        )
        return super().get_context_data(
            detectors=[DetectorRow(d, settings, counts) for d in all_detectors()],
            watches=watches,
            worth=newest_by_detector(),
            **kwargs,
        )


class DetectorRow:
    """A detector in the list: how many settings it has, how many changes stand."""

    def __init__(self, detector: Detector, settings: list[DetectorSetting], counts: dict[tuple[str, str], int]) -> None:
        own = [s for s in settings if s.detector == detector.code]
        live = [s for s in own if s.mode == DetectorMode.LIVE]
        self.detector = detector
        self.live = any(s.version in ("", detector.version) for s in live)
        self.resting = [s for s in live if s.version not in ("", detector.version)]
        self.shadow = any(s.mode == DetectorMode.SHADOW for s in own) or bool(self.resting)
        self.settings = len(own)
        self.found_live = counts.get((detector.code, DetectorMode.LIVE), 0)
        self.found_shadow = counts.get((detector.code, DetectorMode.SHADOW), 0)
        self.is_limits = detector.code == LIMITS


class OneDetector:
    """The detector in the address. Raises Http404."""

    kwargs: dict[str, Any]

    @property
    def detector(self) -> Detector:
        try:
            return get_detector(self.kwargs["code"])
        except UnknownDetector as error:
            raise Http404(str(error)) from error


def _trail(detector: Detector | None = None) -> list[tuple[str, str]]:
    trail = [("Detectors", reverse("monitoring:detectors"))]
    if detector is not None:
        trail.append((detector.title, reverse("monitoring:detector", kwargs={"code": detector.code})))
    return trail


class DetectorPage(OneDetector, Page):
    """One detector: its settings, their history, and what others know of it (panels of ``monitoring.detector``)."""

    policy_action = "monitoring.view"
    template_name = "monitoring/detectors/detail.html"

    def get_title(self) -> str:
        return self.detector.title

    def get_subtitle(self) -> str:
        return f"{self.detector.description}. Version {self.detector.version}"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        detector = self.detector
        rows = DetectorSetting.objects.filter(detector=detector.code).select_related("metric", "series")
        settings = list(rows.order_by("metric", "series", "mode")[:SETTINGS_SHOWN])
        live = [s for s in settings if s.mode == DetectorMode.LIVE]
        return super().get_context_data(
            detector=detector,
            breadcrumb=_trail(),
            params=[
                d
                for d in describe_params(detector.params)
                if not (detector.code == LIMITS and d.name in services.OF_LIMITS)
            ],
            settings=settings,
            resting=[s for s in live if s.version not in ("", detector.version)],
            has_live=bool(live),
            has_shadow=any(s.mode == DetectorMode.SHADOW for s in settings),
            is_limits=detector.code == LIMITS,
            history=list(
                DetectorSetting.history.filter(detector=detector.code)
                .select_related("history_user", "metric")
                .order_by("-history_date", "-history_id")[:HISTORY_SHOWN]
            ),
            panels=panels_for(self.request, "monitoring.detector", detector),
            live_form=LiveForm(),
            **kwargs,
        )


class EditSetting(OneDetector, Page):
    """Makes a setting, or changes one."""

    policy_actions = {"GET": services.ACTION, "POST": services.ACTION}
    template_name = "monitoring/detectors/setting.html"
    http_method_names = ["get", "head", "post"]

    def setting_of(self) -> DetectorSetting | None:
        pk = self.kwargs.get("pk")
        if pk is None:
            return None
        return get_object_or_404(DetectorSetting.objects.select_related("metric", "series"), pk=pk)

    @property
    def detector(self) -> Detector:
        setting = self.setting_of()
        code = setting.detector if setting is not None else self.kwargs["code"]
        try:
            return get_detector(code)
        except UnknownDetector as error:
            raise Http404(str(error)) from error

    def get_title(self) -> str:
        setting = self.setting_of()
        return f"{self.detector.title}: {'setting for ' + scope_of(setting) if setting else 'a new setting'}"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        setting = self.setting_of()
        kwargs.setdefault("form", SettingForm(detector=self.detector, setting=setting))
        return super().get_context_data(
            breadcrumb=_trail(self.detector), detector=self.detector, setting=setting, **kwargs
        )

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        setting, detector = self.setting_of(), self.detector
        form = SettingForm(request.POST, detector=detector, setting=setting)
        if form.is_valid():
            try:
                services.save_setting(
                    request.user,
                    detector.code,
                    mode=form.cleaned_data["mode"],
                    params=form.params(),
                    note=form.cleaned_data["note"],
                    metric=form.cleaned_data.get("metric"),
                    series=form.cleaned_data.get("series"),
                    setting=setting,
                )
            except services.CannotSet as error:
                for name, text in error.errors.items():
                    form.add_error(name if name in form.fields else None, text)
            else:
                messages.success(request, "Kept. The series that it is about are looked at anew.")
                return HttpResponseRedirect(reverse("monitoring:detector", kwargs={"code": detector.code}))
        return self.render_to_response(self.get_context_data(form=form), status=422)


def scope_of(setting: DetectorSetting) -> str:
    """What a setting stands for, in words."""
    if setting.series_id is not None:
        return f"series {setting.series}"
    return str(setting.metric) if setting.metric_id is not None else "all series"


class _ChangeSetting(PolicyMixin, View):
    policy_action = services.ACTION
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        setting = get_object_or_404(DetectorSetting, pk=pk)
        place = reverse("monitoring:detector", kwargs={"code": setting.detector})
        try:
            messages.success(request, self.do(setting))
        except services.CannotSet as error:
            messages.error(request, str(error))
        return HttpResponseRedirect(place)

    def do(self, setting: DetectorSetting) -> str:
        raise NotImplementedError


class MakeLive(_ChangeSetting):
    """A setting that ran in shadow may alert from now on."""

    def do(self, setting: DetectorSetting) -> str:
        services.make_live(setting, self.request.user, self.request.POST.get("reason", ""))
        return "It is live: what it finds from now on may alert."


class RemoveSetting(_ChangeSetting):
    def do(self, setting: DetectorSetting) -> str:
        services.remove_setting(setting, self.request.user)
        return "Taken away; what stands above it holds again."


class AcceptVersion(OneDetector, PolicyMixin, View):
    """The version of the detector that the software has now may alert."""

    policy_action = services.ACTION
    http_method_names = ["post"]

    def post(self, request: HttpRequest, code: str) -> HttpResponse:
        detector = self.detector
        try:
            services.accept_version(detector.code, request.user, request.POST.get("reason", ""))
            messages.success(request, f"Version {detector.version} is live.")
        except services.CannotSet as error:
            messages.error(request, str(error))
        return HttpResponseRedirect(reverse("monitoring:detector", kwargs={"code": detector.code}))


class Compare(OneDetector, Page):
    """Live against shadow: both found, only live, only shadow, each with its trend."""

    policy_action = "monitoring.view"
    template_name = "monitoring/detectors/compare.html"

    def get_title(self) -> str:
        return f"{self.detector.title}: live and in shadow"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        query = self.request.GET
        detector = self.detector
        unit = query.get("unit", "") if query.get("unit", "") in UNITS else ""
        metric, who = query.get("metric", "").replace("\x00", "")[:60], query.get("who", "")
        found: Comparison = compare(detector.code, metric=metric, unit=unit, since=_day(query.get("since", "")))
        pairs = [p for p in found.pairs if who not in ("both", "live", "shadow") or p.who == who]
        page = Paginator(pairs, PAIRS_A_PAGE).get_page(query.get("page"))
        shadows = DetectorSetting.objects.filter(detector=detector.code, mode=DetectorMode.SHADOW)
        return super().get_context_data(
            breadcrumb=_trail(detector),
            detector=detector,
            comparison=found,
            page=page,
            rows=[PairRow(p) for p in page.object_list],
            units=UNITS,
            whos=[("both", "by both"), ("live", "only live"), ("shadow", "only in shadow")],
            asked={"unit": unit, "metric": metric, "who": who, "since": query.get("since", "")[:10]},
            shadows=list(shadows.select_related("metric", "series")[:20]),
            may_set=policy.allowed(self.request.user, services.ACTION),
            why_not=policy.reason(self.request.user, services.ACTION),
            **kwargs,
        )


def _day(text: str) -> Any:
    try:
        return day_begins(date.fromisoformat(text))
    except ValueError:
        return None


class PairRow:
    """A pair as the page shows it."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.trend = trend_of(pair.series, pair.time)
        self.sign = {"both": "pass", "live": "warn", "shadow": "warn"}[pair.who]
        self.word = {"both": "both", "live": "only live", "shadow": "only in shadow"}[pair.who]
