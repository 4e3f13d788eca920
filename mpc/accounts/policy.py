"""Who may do what: the one table that pages, API, services and commands ask.

``ACTIONS`` says which roles an action needs. Where it also depends on the object (a run, a kind of job),
``OBJECT_RULES`` holds the whole test for that object. An action that is not in the table is a programming error and
raises.
"""

from __future__ import annotations

from typing import Any

import rules
from django.core.exceptions import PermissionDenied

from mpc.accounts.roles import Role

__all__ = ["ACTIONS", "OBJECT_RULES", "Role", "UnknownAction", "allowed", "could", "reason", "require", "roles_of"]

EVERYONE = frozenset(Role)
ENGINEERS = frozenset({Role.QC_ENGINEER, Role.ESL_EXPERT, Role.OPERATOR, Role.ADMINISTRATOR})
EXPERTS = frozenset({Role.ESL_EXPERT, Role.OPERATOR, Role.ADMINISTRATOR})
OPERATIONS = frozenset({Role.OPERATOR, Role.ADMINISTRATOR})
ADMINISTRATION = frozenset({Role.ADMINISTRATOR})
# What any active account may do, whatever its roles, even none.
SIGNED_IN = frozenset({"accounts.self"})

ACTIONS: dict[str, frozenset[Role]] = {
    "accounts.self": EVERYONE,
    "accounts.manage": ADMINISTRATION,
    "audit.view": ADMINISTRATION,
    "api.docs": EVERYONE,
    "products.view": EVERYONE,
    "products.ingest": OPERATIONS,
    "products.upload": ENGINEERS,
    "products.withdraw": OPERATIONS,
    "runs.view": EVERYONE,
    "runs.export": EVERYONE,
    "runs.start": ENGINEERS,
    "runs.cancel": OPERATIONS,
    "runs.retry": OPERATIONS,
    "runs.manage_queues": OPERATIONS,
    "qc.view": EVERYONE,
    "monitoring.view": EVERYONE,
    "monitoring.requirements": EXPERTS,
    "monitoring.waive": EXPERTS,
    "monitoring.events": ENGINEERS,
    "monitoring.digest": OPERATIONS,
    "monitoring.catalogue": ENGINEERS,
    "monitoring.triage": ENGINEERS,
    "monitoring.set_detectors": ENGINEERS,
    "monitoring.subscribe": EVERYONE,
    "site.run": OPERATIONS,
    "site.maintain": ADMINISTRATION,
}

# The kind of job that writes the rows of a list to a file.
EXPORT = "ui.export"

# What each action is called in a sentence: "You may not ... ".
TITLES: dict[str, str] = {
    "accounts.self": "see and change one's own account",
    "accounts.manage": "manage people, roles and organisations",
    "audit.view": "read the audit log",
    "api.docs": "read the description of the API",
    "products.view": "see products",
    "products.ingest": "take in products from the centre's disks",
    "products.upload": "upload products",
    "products.withdraw": "withdraw and reinstate products",
    "runs.export": "have a long list written to a file",
    "runs.view": "see runs, their logs and artifacts",
    "runs.start": "start runs",
    "runs.cancel": "cancel runs",
    "runs.retry": "retry runs",
    "runs.manage_queues": "pause, resume and limit queues",
    "qc.view": "see quality reports and statistics",
    "monitoring.view": "see trends",
    "monitoring.requirements": "change requirements and their limits",
    "monitoring.waive": "waive requirements for a time",
    "monitoring.events": "record, change and withdraw mission events",
    "monitoring.digest": "make and mail daily digests",
    "monitoring.catalogue": "edit the catalogue of metrics",
    "monitoring.triage": "deal with alerts",
    "monitoring.set_detectors": "set detectors and make them live",
    "monitoring.subscribe": "subscribe to alerts",
    "site.run": "run the centre's workers and sweeper",
    "site.maintain": "prepare, back up, restore and clean the centre",
}


class UnknownAction(LookupError):
    """The policy's table has no such action."""


def roles_of(user: Any) -> frozenset[Role]:
    """The roles that a person acts with: none for nobody and for an inactive account.

    Read once and kept on the object, so a request costs one query however often it asks; none for anonymous visitors.
    """
    if user is None or not user.is_authenticated or not user.is_active:
        return frozenset()
    if user.is_superuser:
        return frozenset({Role.ADMINISTRATOR})
    kept = getattr(user, "_policy_roles", None)
    if kept is None:
        kept = frozenset(Role(role) for role in user.role_grants.order_by().values_list("role", flat=True))
        user._policy_roles = kept
    return kept


def has_role(*roles: Role) -> rules.Predicate:
    """A predicate: the person holds one of these roles."""
    wanted = frozenset(roles)
    return rules.predicate(lambda user: bool(roles_of(user) & wanted), name=f"has_role:{'|'.join(sorted(wanted))}")


def _is_run(subject: Any) -> bool:
    return hasattr(subject, "requested_by_id") and hasattr(subject, "kind")


@rules.predicate
def asked_for_run(user: Any, subject: Any) -> bool:
    """The run was asked for by this person."""
    return _is_run(subject) and subject.requested_by_id == user.pk


@rules.predicate
def concerns_quality_control(user: Any, subject: Any) -> bool:
    """The kind of job (its text, or a run's) belongs to quality control or to the watch over its numbers; for any other
    object it is not known yet."""
    if isinstance(subject, str):
        return subject.startswith(("qc.", "monitoring."))
    return not _is_run(subject) or subject.kind.startswith(("qc.", "monitoring."))


@rules.predicate
def is_export(user: Any, subject: Any) -> bool:
    """The kind of job (its text, or a run's) writes the rows of a list, which asks the policy of that list itself."""
    return subject == EXPORT or (_is_run(subject) and subject.kind == EXPORT)


runs_operations = has_role(*OPERATIONS)
still_works_here = has_role(*EVERYONE)
may_start_kind = runs_operations | (has_role(*ENGINEERS) & concerns_quality_control) | (still_works_here & is_export)

OBJECT_RULES: dict[str, rules.Predicate] = {
    "runs.start": may_start_kind,  # the object is the kind of job
    "runs.cancel": runs_operations | (still_works_here & asked_for_run),
    "runs.retry": runs_operations | (asked_for_run & may_start_kind),
}

# Roles that may do the action to some objects only, such as runs that one asked for oneself.
FOR_SOME_OBJECTS: dict[str, frozenset[Role]] = {"runs.cancel": EVERYONE, "runs.retry": ENGINEERS}


def _roles_for(action: str) -> frozenset[Role]:
    try:
        return ACTIONS[action]
    except KeyError:
        raise UnknownAction(
            f"the policy knows no action “{action}”; declare it in mpc.accounts.policy.ACTIONS"
        ) from None


def _is_somebody(user: Any) -> bool:
    return user is not None and user.is_authenticated and user.is_active


def allowed(user: Any, action: str, obj: Any = None) -> bool:
    """Whether this person may do this, to this object where one is given. Raises UnknownAction."""
    needed = _roles_for(action)
    if not _is_somebody(user):
        return False
    if action in SIGNED_IN:
        return True
    if obj is not None and action in OBJECT_RULES:
        return bool(OBJECT_RULES[action].test(user, obj))
    return bool(roles_of(user) & needed)


def could(user: Any, action: str) -> bool:
    """Whether this person may do this to some object at least; the door of a page asks it before the object is read."""
    if allowed(user, action):
        return True
    return bool(roles_of(user) & FOR_SOME_OBJECTS.get(action, frozenset()))


def reason(user: Any, action: str, obj: Any = None) -> str:
    """Why this person may not do this, in words for a page; empty when allowed. Raises UnknownAction."""
    if allowed(user, action, obj):
        return ""
    title = TITLES[action]
    if user is None or not user.is_authenticated:
        return f"Sign in to {title}."
    if not user.is_active:
        return "This account is not active."
    held = roles_of(user)
    if held & ACTIONS[action]:  # the role would do for another object
        title = f"{title} of kind {obj if isinstance(obj, str) else obj.kind}"
        needed = OPERATIONS
    else:
        needed = ACTIONS[action]
    return f"To {title} takes the role {_or(needed)}; {_yours(held)}."


def require(user: Any, action: str, obj: Any = None) -> None:
    """Raises PermissionDenied with the reason unless this person may do this. Raises UnknownAction."""
    why = reason(user, action, obj)
    if why:
        raise PermissionDenied(why)


def _in_order(roles: frozenset[Role]) -> list[Role]:
    return [role for role in Role if role in roles]


def _or(roles: frozenset[Role]) -> str:
    labels = [role.label for role in _in_order(roles)]
    return labels[0] if len(labels) == 1 else f"{', '.join(labels[:-1])} or {labels[-1]}"


def _yours(held: frozenset[Role]) -> str:
    if not held:
        return "this account has no role"
    return f"this account is {' and '.join(role.label for role in _in_order(held))}"
