"""What a view says about who may use it.

A view declares its action of the policy in one of these ways:

* a class: ``policy_action = "products.view"``, or ``policy_actions = {"GET": "runs.view", "POST": "runs.start"}``;
* a function: ``@policy("products.view")``, or ``@policy(GET="runs.view", POST="runs.start")``;
* a class of the REST framework: as above, and ``PolicyPermission`` among its permission classes, which is the default;
  with ``page_for_people = True`` it leads visitors to the sign-in, where the API answers 401;
* a foreign view that cannot say it: by its name in ``PUBLIC_VIEWS`` or by its package in ``FOREIGN_PACKAGES``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from mpc.accounts.policy import ACTIONS, UnknownAction

# Open to everybody, by the name of the address. Everything that is reachable without an account is in this list.
PUBLIC_VIEWS: frozenset[str] = frozenset(
    {
        "account_login",
        "account_logout",
        "account_inactive",
        "account_signup",  # answers only that sign-up is closed
        "account_reset_password",
        "account_reset_password_done",
        "account_reset_password_from_key",
        "account_reset_password_from_key_done",
        "health",
    }
)

# Addresses of the sign-in package that this centre does not use: an account's e-mail address is what a forgotten
# password is reset through, so administrators keep it, and nobody signs in by a mailed code.
UNUSED_VIEWS: frozenset[str] = frozenset(
    {
        "account_email",
        "account_confirm_email",
        "account_email_verification_sent",
        "account_confirm_login_code",
        "account_request_login_code",
    }
)

# The other views of these packages are about the visitor's own account.
FOREIGN_PACKAGES: Mapping[str, str] = MappingProxyType({"allauth.account.": "accounts.self"})

# Asking what an address can do is not doing it.
SAFE_ALIASES = MappingProxyType({"HEAD": "GET", "OPTIONS": "GET"})


class Undeclared(LookupError):
    """A view says nothing, or nothing that the policy knows, about who may use it."""


class MethodUndeclared(LookupError):
    """A view declares its policy for other HTTP methods only, so it does not take this one."""


@dataclass(frozen=True)
class Declaration:
    """What a view declares. ``by_method`` holds an action per HTTP method, ``action`` the one for all others.

    ``unused`` is as if the address were not there; ``by_api`` leaves the asking to PolicyPermission, which knows
    tokens.
    """

    public: bool = False
    unused: bool = False
    by_api: bool = False
    action: str = ""
    by_method: Mapping[str, str] = field(default_factory=dict)

    def action_for(self, method: str | None) -> str:
        """The action of this HTTP method. Raises MethodUndeclared when the view declares none for it."""
        wanted = (method or "GET").upper()
        found = self.by_method.get(wanted) or self.by_method.get(SAFE_ALIASES.get(wanted, "")) or self.action
        if not found:
            raise MethodUndeclared(f"no action of the policy is declared for {wanted}")
        return found

    def actions(self) -> set[str]:
        """Every action that the view declares."""
        return {*self.by_method.values(), *([self.action] if self.action else [])}


def policy(action: str = "", /, **by_method: str) -> Callable[[Callable], Callable]:
    """Declare who may use a function view: one action, or one per HTTP method. Raises UnknownAction."""
    for name in [*([action] if action else []), *by_method.values()]:
        if name not in ACTIONS:
            raise UnknownAction(f"the policy knows no action “{name}”: declare it in policy.ACTIONS")

    def declare(view: Callable) -> Callable:
        view.policy_action = action
        view.policy_actions = by_method
        return view

    return declare


def stated_by(view_class: type | None, initkwargs: Mapping[str, Any]) -> Declaration | None:
    """What a class states, or what its ``as_view(...)`` (or ``@action(...)`` of a viewset) states in its place."""
    own = {key: initkwargs[key] for key in ("policy_action", "policy_actions") if initkwargs.get(key)}
    if not own:
        own = {key: getattr(view_class, key, None) for key in ("policy_action", "policy_actions")}
    action, by_method = own.get("policy_action") or "", own.get("policy_actions") or {}
    return Declaration(action=action, by_method=by_method) if action or by_method else None


def declaration_of(view_func: Callable, view_name: str) -> Declaration:
    """What the view at an address declares. Raises Undeclared, saying what to do."""
    if view_name in PUBLIC_VIEWS:
        return Declaration(public=True)
    if view_name in UNUSED_VIEWS:
        return Declaration(unused=True)
    view_class = getattr(view_func, "cls", None) or getattr(view_func, "view_class", None)
    initkwargs = getattr(view_func, "initkwargs", None) or getattr(view_func, "view_initkwargs", None) or {}
    declared = stated_by(None, vars(view_func)) or stated_by(view_class, initkwargs)
    if declared is None:
        for package, action in FOREIGN_PACKAGES.items():
            if _package(view_class or view_func).startswith(package):
                return Declaration(action=action)
        raise Undeclared(
            f"the view {_title(view_class or view_func)} at “{view_name}” declares no policy: "
            "state policy_action on the class or decorate the function with @policy"
        )
    unknown = declared.actions() - ACTIONS.keys()
    if unknown:
        raise Undeclared(
            f"the view {_title(view_class or view_func)} at “{view_name}” declares what the policy does not know: "
            f"{', '.join(sorted(unknown))}; declare it in mpc.accounts.policy.ACTIONS"
        )
    if not hasattr(view_class, "permission_classes"):
        return declared
    permissions = initkwargs.get("permission_classes", view_class.permission_classes)
    if not any(getattr(permission, "enforces_policy", False) for permission in permissions):
        raise Undeclared(
            f"the view {_title(view_class)} at “{view_name}” declares a policy but does not enforce it: "
            "put PolicyPermission among its permission_classes"
        )
    by_api = not getattr(view_class, "page_for_people", False)
    return Declaration(by_api=by_api, action=declared.action, by_method=declared.by_method)


def _package(subject: Any) -> str:
    return f"{getattr(subject, '__module__', '')}."


def _title(subject: Any) -> str:
    return f"{getattr(subject, '__module__', '?')}.{getattr(subject, '__qualname__', type(subject).__name__)}"
