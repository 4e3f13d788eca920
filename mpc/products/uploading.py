"""Uploads in pieces over REST; ``mpc.products.resumable`` does the work."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from mpc.products import resumable
from mpc.products.models import Upload
from mpc.products.uploads import UploadRefused

PIECE_TYPES = ("application/offset+octet-stream", "application/octet-stream")
OFFSET = "Upload-Offset"
LENGTH = "Upload-Length"
_BUSY_S = "5"

_OFFSET_HEADER = OpenApiParameter(
    OFFSET, OpenApiTypes.INT, OpenApiParameter.HEADER, required=True, description="byte at which this piece begins"
)
_REPLIED = [
    OpenApiParameter(
        OFFSET, OpenApiTypes.INT, OpenApiParameter.HEADER, response=True, description="byte at which it goes on"
    ),
    OpenApiParameter(LENGTH, OpenApiTypes.INT, OpenApiParameter.HEADER, response=True, description="size, bytes"),
]


class UploadRow(serializers.ModelSerializer):
    offset = serializers.SerializerMethodField(help_text="bytes that are here; the next piece begins there")
    url = serializers.SerializerMethodField(help_text="address of this upload")
    page = serializers.CharField(source="run_page", help_text="page of the run that takes the file in, when complete")

    class Meta:
        model = Upload
        fields = (
            "id",
            "name",
            "size",
            "sha256",
            "offset",
            "state",
            "message",
            "created",
            "touched",
            "url",
            "run",
            "page",
        )
        read_only_fields = fields

    def get_offset(self, upload: Upload) -> int:
        return resumable.offset_of(upload)

    def get_url(self, upload: Upload) -> str:
        return reverse("api:upload-detail", args=[upload.pk])


class NewUpload(serializers.Serializer):
    name = serializers.CharField(max_length=400, help_text="name of the zip")
    size = serializers.IntegerField(min_value=0, max_value=1 << 62, help_text="bytes")
    sha256 = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=64, help_text="of the whole file, proved at the end"
    )


class UploadViewSet(viewsets.GenericViewSet):
    """Send a large file in pieces: make an upload, PATCH the pieces, ask with HEAD where it goes on after a break.

    Only the person who began an upload sees it. The last piece completes it and asks for the intake.
    """

    queryset = Upload.objects.none()
    serializer_class = UploadRow
    policy_action = "products.upload"
    lookup_value_regex = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    filter_backends: list[Any] = []
    pagination_class = None

    def get_object(self) -> Upload:
        try:
            return resumable.find(self.kwargs["pk"], self.request.user)
        except Upload.DoesNotExist:
            raise NotFound("You have no such upload; it may have expired. Begin a new one.") from None

    def list(self, request: Request) -> Response:
        """One's own uploads that are under way, the newest first."""
        return Response(UploadRow(resumable.open_uploads(request.user), many=True).data)

    @extend_schema(
        request=NewUpload,
        parameters=_REPLIED,
        responses={
            201: UploadRow,
            409: OpenApiResponse(description="too many under way"),
            422: OpenApiResponse(description="refused, with the reason"),
        },
    )
    def create(self, request: Request) -> Response:
        """Begin an upload. ``Location`` says where its pieces go."""
        asked = NewUpload(data=request.data)
        asked.is_valid(raise_exception=True)
        try:
            upload = resumable.create(actor=request.user, **asked.validated_data)
        except resumable.TooManyOpen as reason:
            return _problem(reason, status.HTTP_409_CONFLICT)
        except UploadRefused as reason:
            return _problem(reason, status.HTTP_422_UNPROCESSABLE_ENTITY)
        response = _answer(upload, status.HTTP_201_CREATED)
        response["Location"] = reverse("api:upload-detail", args=[upload.pk])
        return response

    @extend_schema(parameters=_REPLIED)
    def retrieve(self, request: Request, pk: str) -> Response:
        """How far it came; HEAD gives the headers alone."""
        return _answer(self.get_object())

    @extend_schema(
        request=dict.fromkeys(PIECE_TYPES, OpenApiTypes.BINARY),
        parameters=[_OFFSET_HEADER, *_REPLIED],
        responses={
            200: UploadRow,
            409: OpenApiResponse(description="wrong offset (the right one is in the headers), or being written"),
            410: OpenApiResponse(description="the upload is over"),
            413: OpenApiResponse(description="reaches beyond the announced size"),
            507: OpenApiResponse(description="the disk takes no more; what came before is kept"),
        },
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        """Send the piece that begins at ``Upload-Offset``. The answer's ``state`` says whether it was the last one.

        A complete file that is no archive, or whose SHA-256 differs, ends as ``refused`` with the reason.
        """
        upload = self.get_object()
        # A request without a body need not say how long it is; one that comes in chunks does not say it.
        given = request.headers.get("Content-Length") or ("" if "Transfer-Encoding" in request.headers else "0")
        offset, length = _whole(request.headers.get(OFFSET)), _whole(given)
        if offset is None or length is None:
            missing = OFFSET if offset is None else "Content-Length"
            return _problem(f"say as {missing} a whole number of bytes", status.HTTP_400_BAD_REQUEST)
        if length and request.content_type.partition(";")[0].strip().lower() not in PIECE_TYPES:
            return _problem(f"send the piece as {PIECE_TYPES[0]}", status.HTTP_415_UNSUPPORTED_MEDIA_TYPE)
        try:
            return _answer(resumable.append(upload, request._request, actor=request.user, offset=offset, length=length))
        except (resumable.WrongOffset, resumable.CutShort) as reason:
            response = _problem(reason, status.HTTP_409_CONFLICT, offset=reason.offset)
            response[OFFSET] = str(reason.offset)
            return response
        except resumable.Busy as reason:
            response = _problem(reason, status.HTTP_409_CONFLICT)
            response["Retry-After"] = _BUSY_S
            return response
        except resumable.NotOpen as reason:
            return _problem(reason, status.HTTP_410_GONE)
        except resumable.TooLong as reason:
            return _problem(reason, status.HTTP_413_REQUEST_ENTITY_TOO_LARGE)
        except UploadRefused as reason:
            return _problem(reason, status.HTTP_507_INSUFFICIENT_STORAGE)

    @extend_schema(
        responses={
            204: OpenApiResponse(description="given up; nothing is kept"),
            410: OpenApiResponse(description="the upload is over"),
        }
    )
    def destroy(self, request: Request, pk: str) -> Response:
        """Give an upload up."""
        try:
            resumable.cancel(self.get_object(), actor=request.user)
        except resumable.NotOpen as reason:
            return _problem(reason, status.HTTP_410_GONE)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and text.isascii() and len(text) < 19 else None


def _answer(upload: Upload, code: int = status.HTTP_200_OK) -> Response:
    headers = {OFFSET: str(resumable.offset_of(upload)), LENGTH: str(upload.size), "Cache-Control": "no-store"}
    return Response(UploadRow(upload).data, status=code, headers=headers)


def _problem(reason: object, code: int, **more: Any) -> Response:
    return Response({"detail": str(reason), **more}, status=code)
