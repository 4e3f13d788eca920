"""The job as it is run: asked for, in a child process, in batches; and what the documentation says of it."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from mpc.jobs import get_job
from mpc.monitoring.detecting import inputs, jobs, marking
from mpc.monitoring.models import ChangePoint, Watch, WatchMark
from mpc.monitoring.notifying import webhooks
from mpc.monitoring.rollups.roller import rebuild
from mpc.monitoring.services import hide_product
from mpc.products.models import Product
from mpc.products.signals import product_withdrawn
from mpc.runs.models import Run
from tests import factories
from tests.monitoring.watching.making import NOW, a_metric, a_series, fill, look, noise, stepped

DOC = (Path(__file__).resolve().parents[3] / "docs/alerts.md").read_text()


@pytest.mark.django_db(transaction=True)
def test_the_command_of_the_documentation_looks_at_everything(tmp_path: Path, settings: Any) -> None:
    settings.MPC_RUNS_DIR = tmp_path / "runs"
    fill(a_series(), stepped())
    WatchMark.objects.all().delete()
    command = re.search(r"manage.py (run monitoring.detect .*)", DOC)[1].split()
    call_command(*command)
    run = Run.objects.get(kind="monitoring.detect")
    assert (run.state, run.facts["series"], run.facts["failures"]) == ("succeeded", 1, 0), run.error
    assert ChangePoint.objects.filter(kind="step", mode="live").count() == 1
    assert Watch.objects.get().run == run


@pytest.mark.django_db
def test_it_is_asked_for_where_something_is_marked_and_not_too_often(settings: Any) -> None:
    asked = Run.objects.filter(kind="monitoring.detect")
    jobs.ask()
    assert not asked.exists()
    fill(a_series(), noise(5))
    jobs.ask()
    jobs.ask()
    assert asked.count() == 1
    asked.update(state="succeeded", requested_at=timezone.now() - timedelta(seconds=299))
    jobs.ask()
    assert asked.count() == 1
    asked.update(requested_at=timezone.now() - timedelta(seconds=301))
    jobs.ask()
    assert asked.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_batch_is_bounded_and_asks_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "SERIES_MAX", 2)
    for band in ("B02", "B03", "B04"):
        fill(a_series(band=band), noise(30))
    assert len(look().results["seen"]) == 2
    assert Run.objects.filter(kind="monitoring.detect", state="queued").count() == 1
    assert len(look().results["seen"]) == 1
    assert not WatchMark.objects.exists()


@pytest.mark.django_db
def test_a_mark_that_comes_while_it_looks_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    series = fill(a_series(), noise(30))
    ask = inputs.inputs_for

    def meanwhile(params: Any) -> Any:
        found = ask(params)
        marking.mark([series.pk])
        return found

    monkeypatch.setattr(inputs, "inputs_for", meanwhile)
    look()
    assert WatchMark.objects.count() == 1


@pytest.mark.django_db
def test_declared_and_unwatched_metrics_are_left_alone() -> None:
    a_metric("image.declared", declared=True)
    a_metric("image.ignored", watched=False)
    for code in ("image.declared", "image.ignored", "image.level"):
        fill(a_series(code), noise(30))
    assert [s.series for s in look().results["seen"]] == [a_series("image.level").pk]


@pytest.mark.django_db
def test_a_quiet_series_is_looked_at_once_a_day() -> None:
    series = fill(a_series(), noise(30))
    look()
    assert marking.mark_unseen() == 0
    Watch.objects.update(looked_at=timezone.now() - timedelta(hours=25))
    assert marking.mark_unseen() == 1
    assert marking.mark_unseen() == 0
    assert WatchMark.objects.get().series == series


@pytest.mark.django_db
def test_a_withdrawn_product_has_its_series_looked_at_again() -> None:
    measured = factories.measurement(0)
    WatchMark.objects.all().delete()
    hide_product(measured.product_id)
    product_withdrawn.send(sender=Product, product=measured.product, actor=None)
    assert WatchMark.objects.get().series == measured.series


@pytest.mark.django_db
def test_what_a_run_measures_marks_its_series() -> None:
    from mpc.runs.sinks import all_sinks

    assert marking.mark_measured in all_sinks()
    measured = factories.measurement(0)
    WatchMark.objects.all().delete()
    marking.mark_measured(measured.run, type("Outcome", (), {"measurements": (1,)}))
    assert WatchMark.objects.get().series == measured.series


@pytest.mark.django_db
def test_many_values_are_seen_by_days() -> None:
    series = fill(a_series(), noise(6000), every_days=0.05)
    rebuild()
    [seen] = look().results["seen"]
    assert (seen.by_day, 295 <= seen.count <= 303) == (True, True)
    assert Watch.objects.get(series=series).by_day


@pytest.mark.django_db
def test_a_detector_that_fails_leaves_the_others_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    from mpc.monitoring.detecting import work

    known = work.run_detector

    def broken(code: str, *arguments: Any) -> Any:
        if code == "drift":
            raise ZeroDivisionError("a fault of its own")
        return known(code, *arguments)

    fill(a_series(), stepped())
    look()
    monkeypatch.setattr(work, "run_detector", broken)
    fill(a_series(), [1.1], end=NOW - timedelta(minutes=1))
    outcome = look()
    assert outcome.facts["failures"] == 1
    assert Watch.objects.get().failed == "drift: ZeroDivisionError: a fault of its own"
    assert ChangePoint.objects.get(kind="step").gone_at is None


@pytest.mark.django_db
def test_a_day_that_is_none_is_refused() -> None:
    from mpc.jobs import HopelessError, parse_params

    params = parse_params(get_job("monitoring.detect").params, {"since": "tomorrow"})
    with pytest.raises(HopelessError, match="is no day"):
        inputs.inputs_for(params)


def test_the_receiver_in_the_documentation_knows_our_signature() -> None:
    names: dict[str, Any] = {}
    exec(re.search(r"```python\n(.*?)```", DOC, re.S)[1], names)  # noqa: S102 - our own page
    signed = webhooks.signature("secret", "1764000000", b"{}")
    assert names["is_ours"]("secret", "1764000000", b"{}", signed)
    assert not names["is_ours"]("secret", "1764000001", b"{}", signed)
