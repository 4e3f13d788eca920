"""Digests by mail, to those whose subscription says so: text with a simple page beside it, once to each person."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import IntegrityError, transaction
from django.template.loader import render_to_string
from django.utils import timezone

from mpc.accounts import audit, policy
from mpc.accounts.models import User
from mpc.monitoring.digests.content import Section, as_text, from_json
from mpc.monitoring.digests.making import today
from mpc.monitoring.models import Digest, DigestMail, Subscription

logger = logging.getLogger(__name__)

DAYS = 2
"""Digests of older days are news no more; they stand on their pages."""

ABANDONED = timedelta(minutes=10)
"""A letter that was begun so long ago and not sent lost its process."""

BAD = ("failed", "warning", "error")


def send_due(now: datetime | None = None) -> int:
    """Send the digests of the last two days to who has not had them; hands back how many letters went."""
    now = now or timezone.now()
    due = Digest.objects.filter(mailed_at=None, day__gte=today(now) - timedelta(days=DAYS)).order_by("day")
    return sum(send(digest, now) for digest in due)


def send_for(actor: Any, digest: Digest) -> int:
    """As ``send``, because somebody asks. Raises PermissionDenied."""
    policy.require(actor, "monitoring.digest")
    sent = send(digest)
    audit.record(actor, "monitoring.digest_mail", digest, after={"letters": sent})
    return sent


def send(digest: Digest, now: datetime | None = None) -> int:
    """Send one digest to everybody who wants it and has not had it; a letter that fails is tried again by the next."""
    now = now or timezone.now()
    wanting = readers()
    if not wanting:
        return 0
    had = set(digest.letters.filter(sent_at__isnull=False).values_list("user", flat=True))
    letter = Letter(digest)
    sent = sum(_send_once(letter, user, now) for user in wanting if user.pk not in had)
    served = set(digest.letters.filter(sent_at__isnull=False).values_list("user", flat=True))
    if served.issuperset(user.pk for user in wanting):
        Digest.objects.filter(pk=digest.pk, mailed_at=None).update(mailed_at=now)
    return sent


def readers() -> list[User]:
    """Who wants the digest by mail, has an address and may see what is in it."""
    asked = Subscription.objects.filter(active=True, digest=True, channel=Subscription.Channel.MAIL)
    people = User.objects.filter(is_active=True, pk__in=asked.values("user")).exclude(email="").order_by("pk")
    return [user for user in people if policy.allowed(user, "monitoring.view")]


def _send_once(letter: Letter, user: User, now: datetime) -> int:
    if not _claim(letter.digest, user, now):
        return 0
    row = DigestMail.objects.filter(digest=letter.digest, user=user)
    try:
        letter.to(user).send()
    except OSError as error:  # also what smtplib raises: away, or it refuses
        logger.warning("%s could not be mailed to %s: %s", letter.digest, user, error)
        row.update(error=str(error)[:300], begun_at=now - ABANDONED)
        return 0
    row.update(sent_at=timezone.now(), error="")
    return 1


def _claim(digest: Digest, user: User, now: datetime) -> bool:
    """Whether this process is the one to send this letter."""
    try:
        with transaction.atomic():
            DigestMail.objects.create(digest=digest, user=user, begun_at=now)
        return True
    except IntegrityError:
        abandoned = DigestMail.objects.filter(digest=digest, user=user, sent_at=None, begun_at__lte=now - ABANDONED)
        return bool(abandoned.update(begun_at=now))


class Letter:
    """A digest as a mail; written once, sent to several."""

    def __init__(self, digest: Digest) -> None:
        self.digest = digest
        base = settings.MPC_SITE_URL
        sections = from_json(digest.content)
        self.subject = subject(digest, sections)
        place = f"{base}{digest.get_absolute_url()}"
        self.text = f"{as_text(digest.day, digest.made_at, sections, base)}\nWith links: {place}\n"
        self.html = render_to_string(
            "monitoring/digests/mail.html", {"digest": digest, "sections": sections, "base": base, "place": place}
        )

    def to(self, user: User) -> EmailMultiAlternatives:
        mail = EmailMultiAlternatives(self.subject, self.text, to=[user.email])
        mail.attach_alternative(self.html, "text/html")
        return mail


def subject(digest: Digest, sections: list[Section]) -> str:
    """What matters, in one line."""
    told = [s.summary for s in sections if s.sign in BAD and s.key in ("missing", "found")]
    return f"[S2 MPC] {digest.day:%Y-%m-%d}: {'; '.join(told) or 'all quiet'}"[:180]
