"""What the satellites and the ground segment delivered, and how it came in.

Product 1---1 ProductFacts        everything the metadata says, kept beside the slim row that lists read
   |  *---1 GippSet               the configuration files of the product: an immutable set, shared by products
   1---* Intake                   every arrival that was tried: taken, known already or refused

Upload                            a file that a person sends in pieces; when it is whole, its intake is asked for
"""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse


class Status(models.TextChoices):
    """How a product stands after the newest quality control; the verdicts, and what comes before one."""

    WAITING = "WAITING", "waiting for quality control"
    PASSED = "PASSED", "passed"
    FAILED = "FAILED", "failed"
    INCOMPLETE = "INCOMPLETE", "incomplete"


class Kind(models.TextChoices):
    PRODUCT = "product", "product"
    DATASTRIP = "datastrip", "datastrip"


class GippSet(models.Model):
    """An immutable set of configuration files (GIPPs), known by the digest of its sorted names and versions."""

    digest = models.CharField(max_length=64, unique=True)
    count = models.PositiveSmallIntegerField()
    entries = models.JSONField(help_text="list of [type, version, name]")
    first_seen = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "GIPP set"

    def __str__(self) -> str:
        return f"{self.digest[:12]} ({self.count} files)"

    @classmethod
    def of(cls, entries: list[list[str]]) -> GippSet | None:
        """The set with these ``[type, version, name]`` entries; none when the product lists no file."""
        if not entries:
            return None
        ordered = sorted(entries)
        digest = hashlib.sha256(json.dumps(ordered).encode()).hexdigest()
        found, _ = cls.objects.get_or_create(digest=digest, defaults={"count": len(ordered), "entries": ordered})
        return found


class ProductQuerySet(models.QuerySet):
    def in_use(self) -> ProductQuerySet:
        """All that were not withdrawn."""
        return self.filter(withdrawn_at__isnull=True)

    def withdrawn(self) -> ProductQuerySet:
        return self.filter(withdrawn_at__isnull=False)


class Product(models.Model):
    """One delivered product or stand-alone datastrip. Facts that the metadata does not say are null, never zero."""

    name = models.CharField(max_length=160, unique=True, help_text="name without .SAFE")
    kind = models.CharField(max_length=12, choices=Kind)
    level = models.CharField(max_length=4, db_index=True)
    unit = models.CharField(max_length=3, db_index=True)
    status = models.CharField(max_length=12, choices=Status, default=Status.WAITING)
    observation = models.CharField(
        max_length=120, db_index=True, help_text="what was observed: equal for all versions of one product"
    )
    newest = models.BooleanField(default=True, help_text="no newer version of the same observation is here")

    datatake_id = models.CharField(max_length=60, blank=True, db_index=True)
    datastrip_id = models.CharField(max_length=120, blank=True)
    absolute_orbit = models.PositiveIntegerField(null=True)
    relative_orbit = models.PositiveSmallIntegerField(null=True)
    tile = models.CharField(max_length=5, blank=True)
    tiles = models.JSONField(default=list, help_text="all tiles of a product in the old multi-tile format")
    baseline = models.CharField(max_length=5, blank=True)
    sensing_start = models.DateTimeField(null=True)
    generation_time = models.DateTimeField(null=True)
    discriminator = models.CharField(max_length=40, blank=True)

    footprint = models.BinaryField(null=True, help_text="WKB polygon, longitude and latitude in degrees (WGS 84)")
    west = models.FloatField(null=True)
    south = models.FloatField(null=True)
    east = models.FloatField(null=True)
    north = models.FloatField(null=True)

    cloud_cover = models.FloatField(null=True, help_text="%")
    nodata_percentage = models.FloatField(null=True, help_text="%")
    degraded_msi = models.FloatField(null=True, help_text="%")
    degraded_anc = models.FloatField(null=True, help_text="%")
    sun_zenith = models.FloatField(null=True, help_text="degrees, mean of the tile")

    path = models.CharField(max_length=1000)
    container = models.CharField(max_length=8, choices=[("folder", "folder"), ("zip", "zip")])
    layout = models.CharField(max_length=10, blank=True)
    size = models.BigIntegerField(help_text="bytes")
    checksum = models.CharField(max_length=80)
    problem = models.TextField(blank=True, help_text="why metadata could not be read, where it could not")

    gipp_set = models.ForeignKey(GippSet, null=True, on_delete=models.PROTECT, related_name="products")
    taken_in = models.DateTimeField(auto_now_add=True, db_index=True)
    taken_in_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    withdrawn_at = models.DateTimeField(null=True, editable=False)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    withdrawn_reason = models.TextField(blank=True, editable=False)

    objects = ProductQuerySet.as_manager()

    class Meta:
        ordering = ["-sensing_start", "-id"]
        indexes = [
            models.Index(fields=["-sensing_start", "-id"], name="product_by_time"),
            models.Index(fields=["unit", "level", "-sensing_start"], name="product_by_unit"),
            models.Index(fields=["tile", "-sensing_start"], name="product_by_tile"),
            models.Index(fields=["status", "-sensing_start"], name="product_by_status"),
            models.Index(fields=["relative_orbit", "-sensing_start"], name="product_by_orbit"),
            models.Index(fields=["baseline", "-sensing_start"], name="product_by_baseline"),
            # Lists show and count what is in use; without an equality in it, it never stands in for the others. The
            # column of the condition lets SQLite count without a look at the rows.
            models.Index(
                fields=["-sensing_start", "-id", "withdrawn_at"],
                condition=Q(withdrawn_at__isnull=True),
                name="product_in_use_by_time",
            ),
            models.Index(
                fields=["-sensing_start", "-id", "withdrawn_at", "newest"],
                condition=Q(withdrawn_at__isnull=True, newest=True),
                name="product_newest_by_time",
            ),
            # What the home page counts of the last days, without a look at the rows.
            models.Index(
                fields=["taken_in", "unit", "level", "status", "sensing_start", "withdrawn_at"],
                condition=Q(withdrawn_at__isnull=True),
                name="product_arrivals",
            ),
            models.Index(
                fields=["-sensing_start", "-id", "withdrawn_at"],
                condition=Q(withdrawn_at__isnull=False),
                name="product_withdrawn",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("products:detail", kwargs={"name": self.name})

    @property
    def place(self) -> str:
        """The tile as people write it, or what stands for it."""
        if self.tile:
            return f"T{self.tile}"
        return f"{len(self.tiles)} tiles" if self.tiles else "datastrip"

    @property
    def withdrawn(self) -> bool:
        return self.withdrawn_at is not None

    @property
    def withdrawal(self) -> str:
        """When, by whom and why it was withdrawn, as a sentence; empty for one in use."""
        if self.withdrawn_at is None:
            return ""
        who = f" by {self.withdrawn_by}" if self.withdrawn_by else ""
        return f"{self.name} was withdrawn on {self.withdrawn_at:%Y-%m-%d %H:%M} UTC{who}: {self.withdrawn_reason}"


class ProductFacts(models.Model):
    """All else the metadata says, in full, for the detail page, the API and later rooms."""

    product = models.OneToOneField(Product, on_delete=models.CASCADE, primary_key=True, related_name="facts")
    quantification = models.FloatField(null=True)
    u = models.FloatField(null=True, help_text="Sun-Earth distance factor U = 1/d^2, d in au, as declared")
    offsets = models.JSONField(default=dict, help_text="radiometric offset by band, counts")
    solar_irradiance = models.JSONField(default=dict, help_text="by band, W m-2 um-1")
    physical_gains = models.JSONField(default=dict, help_text="by band, counts per W m-2 sr-1 um-1")
    sun_angles = models.JSONField(default=dict, help_text="by tile: zenith, azimuth in degrees")
    view_angles = models.JSONField(default=dict, help_text="by tile and band: zenith, azimuth in degrees")
    auxiliary = models.JSONField(default=dict, help_text="auxiliary files by kind")
    quality_flags = models.JSONField(default=dict)
    detail: Any = models.JSONField(default=dict, help_text="the records of product, tiles and datastrips as read")
    remarks = models.JSONField(default=list, help_text="facts that were absurd and therefore left out")

    class Meta:
        verbose_name_plural = "product facts"

    def __str__(self) -> str:
        return f"facts of {self.product_id}"


class Intake(models.Model):
    """One try to take something in. A refused one keeps the reason; nothing else of it is kept."""

    class Result(models.TextChoices):
        TAKEN = "taken", "taken in"
        KNOWN = "known", "known already"
        REFUSED = "refused", "refused"

    at = models.DateTimeField(auto_now_add=True, db_index=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    trigger = models.CharField(max_length=12, help_text="ingest, upload, inbox or demo")
    source = models.CharField(max_length=1000, help_text="path or file name that came")
    result = models.CharField(max_length=8, choices=Result)
    message = models.TextField(blank=True)
    fingerprint = models.CharField(max_length=80, blank=True, help_text="size and time of a file of the watched folder")
    product = models.ForeignKey(Product, null=True, on_delete=models.SET_NULL, related_name="intakes")

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["source", "fingerprint"], name="intake_by_source")]

    def __str__(self) -> str:
        return f"{self.source}: {self.result}"

    @property
    def source_name(self) -> str:
        """The last part of what came, enough to know it by."""
        return self.source.rstrip("/").rpartition("/")[2] or self.source


class Upload(models.Model):
    """A file that somebody sends in pieces (``mpc.products.resumable`` alone writes it).

    ``received`` bytes are on the disk and count. While somebody writes, ``writer`` is theirs and ``writer_seen`` moves.
    """

    class State(models.TextChoices):
        OPEN = "open", "open"
        COMPLETE = "complete", "complete"
        REFUSED = "refused", "refused"
        CANCELLED = "cancelled", "cancelled"
        EXPIRED = "expired", "expired"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    name = models.CharField(max_length=210)
    size = models.BigIntegerField(help_text="bytes, as announced")
    sha256 = models.CharField(max_length=64, blank=True, help_text="of the whole file, where it was announced")
    received = models.BigIntegerField(default=0, help_text="bytes")
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    message = models.TextField(blank=True, help_text="why it was refused")
    created = models.DateTimeField(auto_now_add=True)
    touched = models.DateTimeField(help_text="when the last piece came")
    writer = models.UUIDField(null=True)
    writer_seen = models.DateTimeField(null=True)
    run = models.BigIntegerField(null=True, help_text="the run that takes it in")
    run_page = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-created"]
        indexes = [
            models.Index(fields=["actor", "state"], name="upload_by_actor"),
            models.Index(fields=["state", "touched"], name="upload_by_state"),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.state}, {self.received} of {self.size} bytes"
