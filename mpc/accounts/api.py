"""The policy at the door of the API, and who one is there."""

from __future__ import annotations

from typing import Any

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from mpc.accounts import declarations, policy
from mpc.accounts.models import User


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


class MeSerializer(serializers.ModelSerializer):
    """The account that asks, with what its roles allow."""

    name = serializers.CharField(source="__str__", read_only=True)
    organisation = serializers.CharField(source="organisation.short_name", default=None, read_only=True)
    roles = serializers.SerializerMethodField()
    actions = serializers.SerializerMethodField()

    class Meta:
        model = User
        fields = ["username", "name", "email", "organisation", "roles", "actions"]

    def get_roles(self, user: User) -> list[str]:
        return sorted(policy.roles_of(user))

    def get_actions(self, user: User) -> list[str]:
        return [action for action in policy.ACTIONS if policy.could(user, action)]


class MeView(APIView):
    """Who the token or session belongs to."""

    policy_action = "accounts.self"

    @extend_schema(responses=MeSerializer, operation_id="me", tags=["me"])
    def get(self, request: Request) -> Response:
        return Response(MeSerializer(request.user).data)


router_entries: list[tuple[str, type, str]] = []
urlpatterns = [path("me/", MeView.as_view(), name="me")]
