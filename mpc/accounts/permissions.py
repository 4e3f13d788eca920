"""The policy at the door of the API.

A module of its own that imports no views: the REST framework reads its settings, which name this class, while its own
modules are still being imported.
"""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import MethodNotAllowed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from mpc.accounts import declarations, policy


class PolicyPermission(BasePermission):
    """Asks the policy for the action that the view states in ``policy_action`` or ``policy_actions``.

    Before the object is known it lets in who could do the action to some object; then the object itself is judged.
    """

    enforces_policy = True

    def has_permission(self, request: Request, view: Any) -> bool:
        action = _action(request, view)
        if not policy.could(request.user, action):
            self.message = policy.reason(request.user, action)
            return False
        return True

    def has_object_permission(self, request: Request, view: Any, obj: Any) -> bool:
        self.message = policy.reason(request.user, _action(request, view), obj)
        return not self.message


def _action(request: Request, view: Any) -> str:
    """The action that the view states for this method; what ``@action(...)`` stated lies on the instance itself."""
    declared = declarations.stated_by(type(view), vars(view))
    if declared is None:
        raise declarations.Undeclared(f"{type(view).__qualname__} states neither policy_action nor policy_actions")
    try:
        return declared.action_for(request.method)
    except declarations.MethodUndeclared:
        raise MethodNotAllowed(request.method) from None
