"""What lists can do to many rows, by the tests that they share."""

from __future__ import annotations

from typing import Any, ClassVar

from mpc.accounts.policy import ENGINEERS
from mpc.monitoring.models import Alert
from tests import factories
from tests.generic.cases import BulkListCase


class AlertBulk(BulkListCase):
    url_name = "monitoring:alerts"
    narrow = "all=1"
    bulk_kind = "monitoring.alerts_bulk"
    bulk_roles = ENGINEERS
    one = "q=number+000"

    @staticmethod
    def make(n: int) -> Any:
        return factories.alert(n, state="open")

    def refuse(self, row: Alert) -> None:
        Alert.objects.filter(pk=row.pk).update(state="closed")


class TestAcknowledge(AlertBulk):
    bulk_action = "acknowledge"
    audited = "monitoring.alert_acknowledge"

    def is_done(self, row: Alert) -> bool:
        return Alert.objects.get(pk=row.pk).state == "acknowledged"


class TestJudge(AlertBulk):
    bulk_action = "judge"
    audited = "monitoring.alert_judge"
    values: ClassVar = {"judgement": "noise", "reason": "a lamp that flickers"}
    wrong_values: ClassVar = {"judgement": "nice"}

    def is_done(self, row: Alert) -> bool:
        found = Alert.objects.get(pk=row.pk)
        return (found.judgement, found.judged_why) == ("noise", "a lamp that flickers")
