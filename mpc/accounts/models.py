"""Who works at the centre: organisations, people, the roles they hold, their API tokens, and what they did."""

from __future__ import annotations

import uuid
from typing import Any, NoReturn

from django.conf import settings
from django.contrib.auth.models import AbstractUser, UserManager
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import salted_hmac
from knox.models import AbstractAuthToken

from mpc.accounts import policy
from mpc.accounts.roles import Role


class Organisation(models.Model):
    """Whom a person works for: the agency, the operator of the centre, an expert support laboratory ..."""

    class Kind(models.TextChoices):
        AGENCY = "agency", "Space agency"
        CENTRE = "centre", "Mission performance centre"
        ESL = "esl", "Expert support laboratory"
        GROUND_SEGMENT = "ground_segment", "Ground segment"
        INDUSTRY = "industry", "Industry"
        SCIENCE = "science", "Science user"
        OTHER = "other", "Other"

    name = models.CharField(max_length=200, unique=True)
    short_name = models.CharField(max_length=40, unique=True)
    kind = models.CharField(max_length=20, choices=Kind.choices, default=Kind.OTHER)
    country = models.CharField(max_length=2, blank=True, help_text="ISO 3166-1 code of two letters")
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.short_name or self.name


class PeopleManager(UserManager):
    """Creates accounts; names are compared without regard to case, so that Ann and ann are one person."""

    def get_by_natural_key(self, username: str) -> User:
        return self.get(username__iexact=username)


class User(AbstractUser):
    """A person or an acting account. Never deleted, only made inactive: the audit goes on naming it."""

    organisation = models.ForeignKey(
        Organisation, null=True, blank=True, on_delete=models.PROTECT, related_name="people"
    )
    display_name = models.CharField(max_length=150, blank=True)
    session_epoch = models.PositiveIntegerField(
        default=0, editable=False, help_text="Raised to end every session of the account"
    )

    objects = PeopleManager()

    class Meta:
        ordering = ["username"]
        constraints = [
            models.UniqueConstraint(
                Lower("username"),
                name="accounts_user_name_once",
                violation_error_message="An account with this user name exists already.",
            ),
            models.UniqueConstraint(
                Lower("email"),
                condition=~models.Q(email=""),
                name="accounts_user_email_once",
                violation_error_message="An account with this e-mail address exists already.",
            ),
        ]

    def __str__(self) -> str:
        return self.get_full_name() or self.username

    def get_full_name(self) -> str:
        return self.display_name or super().get_full_name()

    @property
    def for_commands(self) -> bool:
        """Whether this is the account that commands act as; nobody signs in with it and no page changes it."""
        return self.username == settings.LOCAL_ACTOR

    @property
    def roles(self) -> list[Role]:
        """The roles that the account acts with, in the order of the table; none while it is inactive."""
        held = policy.roles_of(self)
        return [role for role in Role if role in held]

    @property
    def role_titles(self) -> list[str]:
        """The same as words for a page."""
        return [role.label for role in self.roles]

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What a session must carry to count: a change of the password or of the epoch ends it."""
        salt = "mpc.accounts.models.User.session"
        bound = f"{self.session_epoch}:{self.password}"
        return salted_hmac(salt, bound, secret=secret, algorithm="sha256").hexdigest()

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        self.forget_roles()
        super().refresh_from_db(*args, **kwargs)

    def forget_roles(self) -> None:
        """Let the policy read the roles again; it keeps them on the object for the length of a request."""
        self.__dict__.pop("_policy_roles", None)


class RoleGrant(models.Model):
    """A role that a person holds, by whose decision and since when."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="role_grants")
    role = models.CharField(max_length=20, choices=Role.choices())
    granted_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    granted_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["user", "role"]
        constraints = [models.UniqueConstraint(fields=["user", "role"], name="accounts_role_once")]

    def __str__(self) -> str:
        return f"{self.user}: {Role(self.role).label}"


class ApiToken(AbstractAuthToken):
    """A token of the API. Only its digest is kept; the token itself is shown once, when it is made."""

    name = models.CharField(max_length=80)

    class Meta:
        ordering = ["-created"]

    def __str__(self) -> str:
        return f"{self.name} of {self.user}"

    @property
    def handle(self) -> str:
        """What an address calls the token by: enough of the digest to find it, nothing of the token itself."""
        return self.digest[:32]

    @property
    def expired(self) -> bool:
        return self.expiry is not None and self.expiry <= timezone.now()


class IdempotencyRecord(models.Model):
    """A request that a client may send again: the first answer to it, or that the first is under way (no status yet).

    ``claim`` tells one attempt from a later one of the same key, so that a late answer takes nobody's place.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255, help_text="what the client sent as Idempotency-Key")
    claim = models.UUIDField(default=uuid.uuid4, editable=False)
    method = models.CharField(max_length=8)
    path = models.TextField()
    digest = models.CharField(max_length=64, help_text="SHA-256 of method, address and content")
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    body = models.BinaryField(null=True, help_text="empty where the answer holds a secret or is too long to keep")
    created = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        ordering = ["-created"]
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="accounts_idempotency_once")]

    def __str__(self) -> str:
        return f"{self.method} {self.path}: {self.status or 'under way'}"


class AuditIsAppendOnly(TypeError):
    """Something tried to change or delete an entry of the audit."""


def _refuse(what: str) -> NoReturn:
    raise AuditIsAppendOnly(f"the audit is append-only: an entry cannot be {what}")


class AuditQuerySet(models.QuerySet):
    """Reads and appends."""

    def update(self, **kwargs: Any) -> NoReturn:
        _refuse("changed")

    def delete(self) -> NoReturn:
        _refuse("deleted")

    def bulk_update(self, *args: Any, **kwargs: Any) -> NoReturn:
        _refuse("changed")

    def bulk_create(self, objs: Any, *args: Any, **kwargs: Any) -> list[AuditEntry]:
        if kwargs.get("update_conflicts"):
            _refuse("changed")
        return super().bulk_create(objs, *args, **kwargs)


# Django looks for these marks when templates and managers call the methods.
AuditQuerySet.delete.alters_data = True
AuditQuerySet.delete.queryset_only = True


class AuditEntry(models.Model):
    """Who did what to what, when, from where; written once and never changed."""

    at = models.DateTimeField(default=timezone.now, editable=False, db_index=True)
    actor = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="audit_entries")
    actor_name = models.CharField(max_length=150, blank=True)
    action = models.CharField(max_length=60, db_index=True)
    object_kind = models.CharField(max_length=60, blank=True)
    object_id = models.CharField(max_length=64, blank=True)
    object_label = models.CharField(max_length=250, blank=True)
    before = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    after = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    address = models.GenericIPAddressField(null=True)
    request_id = models.CharField(max_length=36, blank=True)

    objects = AuditQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        base_manager_name = "objects"
        indexes = [models.Index(fields=["object_kind", "object_id", "-at"], name="accounts_audit_object")]
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.actor_name or 'nobody'}: {self.action} {self.object_label}".rstrip()

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            _refuse("changed")
        kwargs["force_insert"] = True
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        _refuse("deleted")
