"""Who one is to the API."""

from __future__ import annotations

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from mpc.accounts import policy
from mpc.accounts.models import User
from mpc.accounts.permissions import PolicyPermission

__all__ = ["PolicyPermission", "router_entries", "urlpatterns"]


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
