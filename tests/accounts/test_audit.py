"""The audit is only ever added to."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.test import RequestFactory

from mpc.accounts import audit
from mpc.accounts.models import AuditEntry, AuditIsAppendOnly, Organisation

pytestmark = pytest.mark.django_db


@pytest.fixture
def entry(administrator):
    return audit.record(administrator, "test.done", administrator, before={"a": 1}, after={"a": 2})


@pytest.mark.parametrize(
    "attempt",
    [
        lambda entry: entry.save(),
        lambda entry: entry.save(update_fields=["action"]),
        lambda entry: entry.delete(),
        lambda entry: AuditEntry.objects.get(pk=entry.pk).save(),
        lambda entry: AuditEntry.objects.all().delete(),
        lambda entry: AuditEntry.objects.filter(pk=entry.pk).update(action="other"),
        lambda entry: AuditEntry.objects.bulk_update([entry], ["action"]),
        lambda entry: AuditEntry.objects.update_or_create(pk=entry.pk, defaults={"action": "other"}),
        lambda entry: AuditEntry.objects.bulk_create(
            [entry], update_conflicts=True, update_fields=["action"], unique_fields=["id"]
        ),
        lambda entry: AuditEntry._base_manager.all().delete(),
        lambda entry: entry.actor.audit_entries.all().delete(),
        lambda entry: entry.actor.audit_entries.update(action="other"),
    ],
)
def test_an_entry_is_neither_changed_nor_deleted(entry, attempt):
    with pytest.raises(AuditIsAppendOnly), transaction.atomic():
        attempt(entry)
    assert AuditEntry.objects.get(pk=entry.pk).action == "test.done"


def test_a_copy_of_an_entry_cannot_take_its_place(entry):
    forged = AuditEntry(pk=entry.pk, action="other")
    with pytest.raises(IntegrityError), transaction.atomic():
        forged.save()
    assert AuditEntry.objects.get(pk=entry.pk).action == "test.done"


def test_a_person_whom_the_audit_names_cannot_be_deleted(entry, administrator):
    with pytest.raises(ProtectedError):
        administrator.delete()


def test_an_entry_says_who_what_and_where(administrator):
    request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.7")
    request.request_id = "0b9f"
    organisation = Organisation.objects.create(name="European Space Agency", short_name="ESA")
    entry = audit.record(administrator, "test.done", organisation, after={"x": [1, "two"]}, request=request)
    entry.refresh_from_db()
    assert (entry.actor, entry.actor_name, entry.action) == (administrator, "root", "test.done")
    assert (entry.object_kind, entry.object_id, entry.object_label) == (
        "accounts.organisation",
        str(organisation.pk),
        "ESA",
    )
    assert (entry.before, entry.after) == (None, {"x": [1, "two"]})
    assert (entry.address, entry.request_id) == ("192.0.2.7", "0b9f")


def test_what_is_rolled_back_leaves_no_entry(administrator):
    with transaction.atomic():
        audit.record(administrator, "test.done")
        transaction.set_rollback(True)
    assert not AuditEntry.objects.filter(action="test.done").exists()


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "", "192.0.2.7"),
        (0, "203.0.113.5", "192.0.2.7"),  # nobody of ours wrote it
        (1, "203.0.113.5", "203.0.113.5"),
        (1, "198.51.100.1, 203.0.113.5", "203.0.113.5"),  # what stands before is the client's claim
        (2, "203.0.113.5, 10.0.0.2", "203.0.113.5"),
        (2, "203.0.113.5", "192.0.2.7"),
        (1, "not an address", None),
    ],
)
def test_the_address_trusts_only_our_own_proxies(settings, proxies, forwarded, address):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    headers = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}
    assert audit.origin_of(RequestFactory().get("/", REMOTE_ADDR="192.0.2.7", **headers)).address == address
