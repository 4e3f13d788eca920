"""A mission with one of everything, so that every address leads to something."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from rest_framework.throttling import SimpleRateThrottle

from mpc.accounts.models import Organisation, User
from mpc.accounts.policy import Role
from mpc.products import resumable
from mpc.runs.models import Run, State
from tests import factories


@dataclass(frozen=True)
class Mission:
    """What is there; ``known(name)`` gives the parts of an address of this name."""

    product: Any
    withdrawn: Any
    member: User
    organisation: Organisation
    done: Run
    queued: Run
    failed: Run
    artifact: Any
    token: Any
    filters: Any
    upload: Any
    measurement: Any
    digest: Any
    alert: Any
    closed_alert: Any
    setting: Any
    subscription: Any
    bulk: Any
    event: Any
    requirement: Any
    waiver: Any
    cell: Any

    def known(self, view_name: str) -> Mapping[str, Any]:
        pk = next((row.pk for start, row in self._rows() if view_name.startswith(start)), None)
        name = self.withdrawn.name if view_name.endswith("reinstate") else self.product.name
        return {
            "part": self.alert.parts.get().pk,
            "pk": "qc" if view_name.startswith("api:queue") else pk,
            "name": "qc" if view_name.startswith("runs:queue") else name,
            "code": self._code(view_name),
            "handle": self.token.handle,
            "artifact_pk": self.artifact.pk,
            "day": self.digest.day.isoformat(),
        }

    def _code(self, view_name: str) -> str:
        if ":requirement" in view_name:
            return self.requirement.code
        if ":detector" in view_name or ":setting" in view_name:
            return "step"
        return self.measurement.series.metric_id

    def _rows(self) -> tuple[tuple[str, Any], ...]:
        return (
            ("bulk-confirm", self.bulk), ("monitoring:alert-reopen", self.closed_alert),
            ("monitoring:alert", self.alert), ("api:alert-reopen", self.closed_alert), ("api:alert", self.alert),
            ("api:change", self.alert.parts.get().change),
            ("monitoring:setting", self.setting), ("monitoring:subscription", self.subscription),
            ("filter-delete", self.filters), ("accounts:organisation", self.organisation), ("accounts:", self.member),
            ("products:upload", self.upload), ("api:upload", self.upload), ("runs:cancel", self.queued),
            ("api:run-cancel", self.queued), ("runs:retry", self.failed), ("api:run-retry", self.failed),
            ("runs:", self.done), ("api:run", self.done), ("api:series", self.measurement.series),
            ("api:measurement", self.measurement), ("monitoring:point", self.measurement),
            ("monitoring:event", self.event), ("api:event", self.event), ("monitoring:waiver", self.waiver),
            ("api:waiver", self.waiver), ("api:compliance", self.cell),
            ("monitoring:bucket", self.measurement.series), ("api:arrival", self.product.intakes.first()),
        )  # fmt: skip


@pytest.fixture
def own_folders(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.MPC_RUNS_DIR = tmp_path / "runs"
    settings.MPC_UPLOADS_DIR = tmp_path / "uploads"
    cache.clear()
    # A walk asks more often in a minute than a person may.
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", {"anon": "9999/min", "user": "9999/min"})


@pytest.fixture
def mission(db: None, own_folders: None) -> Mission:
    """Everything that belongs to somebody belongs to ``member``."""
    member = factories.member(1)
    product = factories.product(0)
    factories.intake(0, product=product)
    done = factories.report(product, "FAILED").run
    factories.log_line(done)
    return Mission(
        product=product,
        withdrawn=factories.product(7, withdrawn_at=factories.START, withdrawn_reason="a test"),
        member=member,
        organisation=member.organisation,
        done=done,
        queued=factories.run(1, state=State.QUEUED),
        failed=factories.run(2, state=State.FAILED, product=product),
        artifact=factories.artifact(done),
        token=factories.token(member)[0],
        filters=factories.saved_filter(member),
        upload=resumable.create(actor=factories.person(Role.OPERATOR), name="S2A_MSI.zip", size=10, sha256=""),
        measurement=factories.measurement(3),
        digest=factories.digest(0),
        alert=factories.alert(0),
        closed_alert=factories.alert(3),
        setting=factories.detector_setting(0, detector="step"),
        subscription=factories.subscription(member),
        bulk=factories.bulk_request(member, "monitoring.alerts_bulk", "close"),
        event=factories.mission_event(0),
        requirement=(asked := factories.requirement(0)),
        waiver=factories.waiver(0, requirement=asked),
        cell=factories.compliance(0, requirement=asked),
    )


@contextmanager
def undone() -> Iterator[None]:
    """What is done inside is taken back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def browser_of(db: None) -> Callable[..., Client]:
    return factories.client
