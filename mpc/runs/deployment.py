"""Which software may work. Setting up the centre declares its own version; workers of another then take no run.

Results name the software that made them, and a worker that was forgotten on some host at an upgrade would write results
of the old one, into tables of the new one. The rule is part of the claim, so it holds from the declaration's commit.
"""

from __future__ import annotations

from django.conf import settings
from django.db.models import Exists, Q, QuerySet
from django.db.models.functions import Now

from mpc.runs.models import Deployment, Run

# The commit of software that is in no checkout; nothing can be said about it.
UNKNOWN = ("", "unknown")


def declare() -> Deployment:
    """This software is the one that is deployed."""
    row, _ = Deployment.objects.update_or_create(
        pk=Deployment.THE_ONE,
        defaults={"version": settings.MPC_SOFTWARE_VERSION, "commit": settings.MPC_GIT_COMMIT, "at": Now()},
    )
    row.refresh_from_db()
    return row


def for_this_software(waiting: QuerySet[Run]) -> QuerySet[Run]:
    """The runs, or none of them while other software is deployed."""
    return waiting.filter(~Exists(Deployment.objects.filter(_is_other())))


def _is_other() -> Q:
    other = ~Q(version=settings.MPC_SOFTWARE_VERSION)
    if settings.MPC_GIT_COMMIT not in UNKNOWN:
        other |= ~Q(commit__in=[settings.MPC_GIT_COMMIT, *UNKNOWN])
    return other


def refusal() -> str:
    """Why this process may not work, in words for people; empty when it may."""
    wanted = Deployment.objects.filter(_is_other()).first()
    if wanted is None:
        return ""
    mine = Deployment(version=settings.MPC_SOFTWARE_VERSION, commit=settings.MPC_GIT_COMMIT)
    return f"Refused: this worker is of version {mine}, deployed is {wanted}. Start it anew from the deployed software."
