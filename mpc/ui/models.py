"""What people keep about pages: the filters that they use again."""

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
