"""What people keep about pages: the filters that they use again, and what they ask to be done to all that match."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.http import QueryDict


class SavedFilter(models.Model):
    """A named filter of one list. ``query`` is its part of the address without page and format."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_filters")
    list_name = models.CharField(max_length=80)
    name = models.CharField(max_length=80)
    query = models.TextField(blank=True)
    shared = models.BooleanField(default=False)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name", "pk")
        constraints = [
            models.UniqueConstraint(fields=("user", "list_name", "name"), name="ui_savedfilter_one_name"),
        ]
        indexes = [models.Index(fields=("list_name", "shared"), name="ui_savedfilter_list")]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def seen_by(cls, user: models.Model, list_name: str) -> models.QuerySet[SavedFilter]:
        """The filters of a list that ``user`` may apply: their own and the shared ones."""
        return cls.objects.filter(Q(user=user) | Q(shared=True), list_name=list_name).select_related("user")

    def params(self) -> QueryDict:
        return QueryDict(self.query)


class BulkRequest(models.Model):
    """Something that a person wants done to rows of a list: those that they ticked, or all that a filter matches.

    ``keys`` are the ticked rows; without any the ``query`` says which. ``newest`` is the last key that there was when
    it was asked: what came later is not meant. ``values`` is what the person gave with it (a reason, a name).
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="bulk_requests")
    kind = models.CharField(max_length=60, help_text="of the list that it is about")
    action = models.CharField(max_length=40)
    query = models.TextField(blank=True)
    keys = models.JSONField(default=list)
    newest = models.BigIntegerField(default=0)
    count = models.IntegerField(default=0, help_text="rows that it was confirmed for")
    values = models.JSONField(default=dict)
    asked_at = models.DateTimeField(auto_now_add=True)
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.action} of {self.kind}"

    def params(self) -> QueryDict:
        return QueryDict(self.query)
