"""Everything that an address changes is written to the audit: who, what, from, to, when, from where.

``DEEDS`` says for each address and method how it is done with success and what the audit calls it; what leaves no
entry says why. An address that stands in neither makes the test fail.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from mpc.accounts.models import AuditEntry
from mpc.accounts.policy import Role
from mpc.monitoring.models import Metric
from mpc.products import resumable
from mpc.runs import queues
from mpc.runs.models import Run, State
from tests import factories
from tests.policy.conftest import Mission
from tests.policy.walking import addresses, closed_addresses

PERSON = {"display_name": "Another Name", "email": "other@example.org", "organisation": "", "roles": ["operator"]}
ORGANISATION = {"name": "A New Laboratory", "short_name": "NEW", "kind": "esl", "country": "DE", "active": "on"}
PASSWORDS = {"oldpassword": factories.PASSWORD, "password1": "another long phrase", "password2": "another long phrase"}
NEW_PASSWORD = {"password1": "another long phrase", "password2": "another long phrase"}
EVENT = {"kind": "manoeuvre", "title": "Out of plane", "start": "2026-09-03T10:00:00Z", "source": "operations"}
EVENTS_FILE = {"text": "kind,title,start\noutage,Ground station,2026-09-04", "confirm": "1"}
LINES = {"limits-TOTAL_FORMS": "1", "limits-INITIAL_FORMS": "0", "limits-0-high": "4.0"}
REQUIREMENT = {"title": "A title", "statistic": "mean", "window_days": "90", "document": "SRD"}
WAIVER = {"title": "Known", "reason": "a test", "valid_from": "2026-11-01", "valid_to": "2026-12-01"}
FILTER = {"list_name": "mpc.products.ProductList", "name": "mine", "query": "unit=S2A", "next": "/products/"}
BULK = {"kind": "monitoring.alerts_bulk", "action": "acknowledge", "next": "/trends/alerts/"}
JUDGED = {"judgement": "real", "reason": "a test"}
SUBSCRIPTION = {"channel": "mail", "severity": "30", "active": "on"}


def zipped(*_: Any) -> dict[str, Any]:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("note.txt", "x" * 5000)
    return {"file": SimpleUploadedFile("S2A_MSI.SAFE.zip", held.getvalue(), content_type="application/zip")}


def as_owner(mission: Mission, client: Client) -> None:
    client.force_login(mission.member)


def without_password(mission: Mission, client: Client) -> None:
    client.user.set_unusable_password()
    client.user.save()
    client.force_login(client.user)


def paused(mission: Mission, client: Client) -> None:
    queues.pause_queue("qc", client.user, "a test")


def only_one(mission: Mission, client: Client) -> None:
    """Nothing else of the kind is under way, so that a new run is a new one."""
    Run.objects.filter(state__in=(State.QUEUED, State.RUNNING)).update(state=State.CANCELLED)


def edited_metric(mission: Mission, client: Client) -> None:
    Metric.objects.filter(pk="image.mean_reflectance").update(edited=True, name="Edited")


def older_version(mission: Mission, client: Client) -> None:
    """A live setting that was decided for a version that the software has no more."""
    factories.detector_setting(1, mode="live", version="0.1")


@dataclass(frozen=True)
class Deed:
    """What is sent, what the audit says of it, and what must be so before. API bodies are JSON."""

    action: str
    data: Any = None
    before: Callable[[Mission, Client], None] | None = None
    entry_of: str = ""  # the field of the mission that the entry is about


DEEDS: dict[tuple[str, str], Deed] = {
    ("filter-save", "post"): Deed("ui.filter_save", FILTER),
    ("filter-delete", "post"): Deed("ui.filter_delete", {"next": "/products/"}, as_owner, "filters"),
    ("account_change_password", "post"): Deed("accounts.password_change", PASSWORDS),
    ("account_set_password", "post"): Deed("accounts.password_change", NEW_PASSWORD, without_password),
    ("accounts:person-add", "post"): Deed("accounts.create", {**PERSON, "username": "newcomer"}),
    ("accounts:person", "post"): Deed("accounts.change", {**PERSON, "is_active": "on"}, None, "member"),
    ("accounts:person-password-link", "post"): Deed("accounts.password_link", {}, None, "member"),
    ("accounts:organisation-add", "post"): Deed("accounts.organisation_create", ORGANISATION),
    ("accounts:organisation", "post"): Deed("accounts.organisation_change", ORGANISATION, None, "organisation"),
    ("accounts:token-make", "post"): Deed("accounts.token_make", {"name": "nightly", "days": "7"}),
    ("accounts:token-revoke", "post"): Deed("accounts.token_revoke", {}, None, "member"),
    ("products:upload", "post"): Deed("products.uploaded", zipped),
    ("products:withdraw", "post"): Deed("products.withdrawn", {"reason": "a test"}, None, "product"),
    ("products:reinstate", "post"): Deed("products.reinstated", {}, None, "withdrawn"),
    ("runs:start", "post"): Deed("runs.start", lambda m: {"kind": "qc.product", "product": m.product.name}, only_one),
    ("runs:cancel", "post"): Deed("runs.cancel", {}, None, "queued"),
    ("runs:retry", "post"): Deed("runs.retry", {}, None, "failed"),
    ("runs:queue-pause", "post"): Deed("runs.pause_queue", {"reason": "a test"}),
    ("runs:queue-resume", "post"): Deed("runs.resume_queue", {}, paused),
    ("runs:queue-limit", "post"): Deed("runs.limit_queue", {"limit": "3", "per_product": "1"}),
    ("monitoring:metric-edit", "post"): Deed("monitoring.metric_change", {"name": "Another name", "direction": ""}),
    ("monitoring:metric-follow", "post"): Deed("monitoring.metric_follow", {}, edited_metric),
    ("api:catalogue-detail", "patch"): Deed("monitoring.metric_change", {"name": "Another name"}),
    ("runs:export", "post"): Deed("runs.start", {"address": "/products/?unit=S2A&format=csv"}),
    ("bulk", "post"): Deed("ui.bulk", lambda m: {**BULK, "key": m.alert.pk}),
    ("bulk-confirm", "post"): Deed("ui.bulk", {"count": "1", "reason": "a test"}, as_owner),
    ("monitoring:alert-acknowledge", "post"): Deed("monitoring.alert_acknowledge", {}, None, "alert"),
    ("monitoring:alert-assign", "post"): Deed("monitoring.alert_assign", {"to": ""}, None, "alert"),
    ("monitoring:alert-snooze", "post"): Deed("monitoring.alert_snooze", {"days": "3"}, None, "alert"),
    ("monitoring:alert-judge", "post"): Deed("monitoring.alert_judge", JUDGED, None, "alert"),
    ("monitoring:alert-close", "post"): Deed("monitoring.alert_close", {"reason": "a test"}, None, "alert"),
    ("monitoring:alert-reopen", "post"): Deed("monitoring.alert_reopen", {}, None, "closed_alert"),
    ("monitoring:alert-note", "post"): Deed("monitoring.alert_note", {"text": "a note"}, None, "alert"),
    ("monitoring:setting", "post"): Deed(
        "monitoring.detector_change", {"mode": "shadow", "threshold": "7", "note": "a test"}, None, "setting"
    ),
    ("monitoring:setting-add", "post"): Deed(
        "monitoring.detector_add", {"mode": "shadow", "threshold": "7", "note": "a test"}
    ),
    ("monitoring:setting-live", "post"): Deed("monitoring.detector_live", {"reason": "a test"}),
    ("monitoring:setting-remove", "post"): Deed("monitoring.detector_remove", {}, None, "setting"),
    ("monitoring:detector-accept", "post"): Deed("monitoring.detector_live", {"reason": "a test"}, older_version),
    ("monitoring:subscriptions", "post"): Deed("monitoring.subscription_add", SUBSCRIPTION),
    ("monitoring:subscription", "post"): Deed("monitoring.subscription_change", SUBSCRIPTION, as_owner, "subscription"),
    ("monitoring:subscription-remove", "post"): Deed("monitoring.subscription_remove", {}, as_owner, "subscription"),
    ("monitoring:subscription-test", "post"): Deed("monitoring.subscription_test", {}, as_owner, "subscription"),
    ("api:alert-acknowledge", "post"): Deed("monitoring.alert_acknowledge", {}, None, "alert"),
    ("api:alert-assign", "post"): Deed("monitoring.alert_assign", {"to": ""}, None, "alert"),
    ("api:alert-snooze", "post"): Deed("monitoring.alert_snooze", {"days": 3}, None, "alert"),
    ("api:alert-judge", "post"): Deed("monitoring.alert_judge", JUDGED, None, "alert"),
    ("api:alert-close", "post"): Deed("monitoring.alert_close", {"reason": "a test"}, None, "alert"),
    ("api:alert-reopen", "post"): Deed("monitoring.alert_reopen", {}, None, "closed_alert"),
    ("api:alert-note", "post"): Deed("monitoring.alert_note", {"text": "a note"}, None, "alert"),
    ("qc:check", "post"): Deed("runs.start", {}, only_one),
    ("monitoring:event-add", "post"): Deed("monitoring.event_record", EVENT),
    ("monitoring:event-edit", "post"): Deed("monitoring.event_change", EVENT, None, "event"),
    ("monitoring:event-withdraw", "post"): Deed("monitoring.event_withdraw", {"reason": "a test"}, None, "event"),
    ("monitoring:events-import", "post"): Deed("monitoring.events_import", EVENTS_FILE),
    ("api:event-list", "post"): Deed("monitoring.event_record", EVENT),
    ("api:event-detail", "patch"): Deed("monitoring.event_change", {"title": "Another"}, None, "event"),
    ("api:event-withdraw", "post"): Deed("monitoring.event_withdraw", {"reason": "a test"}, None, "event"),
    ("monitoring:requirement-add", "post"): Deed(
        "monitoring.requirement_make",
        lambda m: {**REQUIREMENT, **LINES, "code": "NEW", "metric": m.requirement.metric_id},
    ),
    ("monitoring:requirement-edit", "post"): Deed(
        "monitoring.requirement_change",
        lambda m: {**REQUIREMENT, **LINES, "metric": m.requirement.metric_id},
        None,
        "requirement",
    ),
    ("api:requirement-list", "post"): Deed(
        "monitoring.requirement_make",
        lambda m: {**REQUIREMENT, "code": "NEW", "metric": m.requirement.metric_id, "limits": [{"low": 1.0}]},
    ),
    ("api:requirement-detail", "patch"): Deed(
        "monitoring.requirement_change", {"limits": [{"low": 1.0}]}, None, "requirement"
    ),
    ("monitoring:waiver-add", "post"): Deed(
        "monitoring.waiver_grant", lambda m: {**WAIVER, "requirement": m.requirement.code}
    ),
    ("monitoring:waiver-withdraw", "post"): Deed("monitoring.waiver_withdraw", {"reason": "a test"}, None, "waiver"),
    ("api:waiver-list", "post"): Deed(
        "monitoring.waiver_grant", lambda m: {**WAIVER, "requirement": m.requirement.code}
    ),
    ("api:waiver-withdraw", "post"): Deed("monitoring.waiver_withdraw", {"reason": "a test"}, None, "waiver"),
    ("monitoring:digest-make", "post"): Deed("monitoring.digest_make", {"day": "2026-08-30"}),
    ("api:product-list", "post"): Deed("products.uploaded", zipped),
    ("api:product-withdraw", "post"): Deed("products.withdrawn", {"reason": "a test"}, None, "product"),
    ("api:product-reinstate", "post"): Deed("products.reinstated", {}, None, "withdrawn"),
    ("api:run-list", "post"): Deed("runs.start", lambda m: {"kind": "qc.product", "product": m.product.name}, only_one),
    ("api:run-cancel", "post"): Deed("runs.cancel", {}, None, "queued"),
    ("api:run-retry", "post"): Deed("runs.retry", {}, None, "failed"),
    ("api:queue-pause", "post"): Deed("runs.pause_queue", {"reason": "a test"}),
    ("api:queue-resume", "post"): Deed("runs.resume_queue", {}, paused),
    ("api:queue-limit", "post"): Deed("runs.limit_queue", {"limit": 3, "per_product": 1}),
}

NO_ENTRY: dict[tuple[str, str], str] = {
    ("list-columns", "post"): "the columns that somebody likes; kept in the session alone",
    ("account_reauthenticate", "post"): "changes nothing; signing in is written down",
    ("account_reauthenticate", "put"): "as post",
    ("account_change_password", "put"): "as post, without a form: refused",
    ("account_set_password", "put"): "as post, without a form: refused",
    ("products:upload", "put"): "as post, without a form: refused",
    ("products:upload-cancel", "post"): "nothing had come yet; what came whole is written down",
    ("api:upload-list", "post"): "nothing has come yet",
    ("api:upload-detail", "patch"): "written down when the last piece is here (test below)",
    ("api:upload-detail", "delete"): "nothing had come yet",
}


def test_every_address_that_changes_something_is_listed():
    there = {(a.view_name, m) for a in closed_addresses() for m in a.methods if m != "get"}
    listed = DEEDS.keys() | NO_ENTRY.keys()
    assert sorted(there - listed) == [], "say in DEEDS how it is done and what the audit calls it"
    assert sorted(listed - there) == [], "these addresses are gone"


@pytest.mark.django_db
@pytest.mark.parametrize(("view_name", "method"), DEEDS)
def test_what_is_done_is_written_down(mission: Mission, mailoutbox: list, view_name: str, method: str) -> None:
    deed = DEEDS[view_name, method]
    client = factories.client(Role.ADMINISTRATOR, password=factories.PASSWORD)
    if deed.before is not None:
        deed.before(mission, client)
    address = next(a for a in addresses() if a.view_name == view_name)
    place = address.example(mission.known(view_name))
    data = deed.data(mission) if callable(deed.data) else deed.data
    known = set(AuditEntry.objects.values_list("pk", flat=True))
    as_json = view_name.startswith("api:") and not any(hasattr(value, "read") for value in (data or {}).values())
    more = {"content_type": "application/json"} if as_json else {}
    answer = getattr(client, method)(place, data or {}, REMOTE_ADDR="192.0.2.7", **more)
    assert answer.status_code in (200, 201, 202, 302), answer.content.decode()[:2000]

    new = AuditEntry.objects.exclude(pk__in=known)
    entry = new.filter(action=deed.action).first()
    assert entry is not None, f"the audit says {[e.action for e in new]}, not {deed.action}"
    actor = mission.member if deed.before is as_owner else client.user
    for one in new:
        assert (one.actor, one.address, one.request_id) == (actor, "192.0.2.7", answer["X-Request-ID"])
        assert one.actor_name == actor.username
    assert entry.object_label
    if deed.entry_of:
        assert entry.object_id == str(getattr(mission, deed.entry_of).pk)
    if deed.action.endswith((".change", "_change")) and "password" not in deed.action:
        assert entry.before
        assert entry.before.keys() == entry.after.keys()
    written = str([(e.before, e.after, e.object_label) for e in new])
    assert factories.PASSWORD not in written
    assert "another long phrase" not in written


@pytest.mark.django_db
def test_an_upload_in_pieces_is_written_down_when_it_is_whole(mission: Mission) -> None:
    client = factories.client(Role.QC_ENGINEER)
    content = zipped()["file"].read()
    upload = resumable.create(actor=client.user, name="S2A_MSI.SAFE.zip", size=len(content), sha256="")
    place = f"/api/v1/uploads/{upload.pk}/"
    for start, stop in ((0, 100), (100, len(content))):
        assert not AuditEntry.objects.filter(action="products.uploaded").exists()
        answer = client.patch(
            place, content[start:stop], content_type="application/octet-stream", headers={"Upload-Offset": str(start)}
        )
        assert answer.status_code == 200, answer.content
    entry = AuditEntry.objects.get(action="products.uploaded")
    assert (entry.actor, entry.object_label) == (client.user, "S2A_MSI.SAFE.zip")


@pytest.mark.django_db
def test_what_is_refused_leaves_no_entry_of_a_deed(mission: Mission) -> None:
    """Who may not does nothing, and the audit does not say they did."""
    client = factories.client(Role.VIEWER)
    for (view_name, method), deed in DEEDS.items():
        address = next(a for a in addresses() if a.view_name == view_name)
        before = AuditEntry.objects.count()
        answer = getattr(client, method)(address.example(mission.known(view_name)), {})
        if answer.status_code == 403:
            assert AuditEntry.objects.count() == before, f"{view_name}: {deed.action}"
