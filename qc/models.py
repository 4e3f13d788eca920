"""What quality control found out about a product.

QualityReport *---1 Product      one per finished run; ``current`` marks the newest
      1---* CheckResult          one per inspection of ours
      1---* OlqcReport 1---* OlqcCheck     what the ground segment's own control had said
      1---* BandStatistics       one compact record per tile and band: arrays over detectors, a histogram
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.urls import reverse

from mpc.products.models import Product


class Verdict(models.TextChoices):
    PASSED = "PASSED", "passed"
    FAILED = "FAILED", "failed"
    INCOMPLETE = "INCOMPLETE", "incomplete"


class CheckStatus(models.TextChoices):
    PASSED = "passed", "passed"
    FAILED = "failed", "failed"
    WARNING = "warning", "warning"
    NOT_CHECKED = "not_checked", "not checked"
    ERROR = "error", "error"


class ReportQuerySet(models.QuerySet):
    def shown(self) -> ReportQuerySet:
        """The newest report of each product in use. The withdrawn are few and found by an index of their own."""
        gone = Product.objects.withdrawn().order_by().values("pk")
        return self.filter(current=True).exclude(product__in=gone)


class QualityReport(models.Model):
    product = models.ForeignKey("products.Product", on_delete=models.PROTECT, related_name="quality_reports")
    run = models.OneToOneField("runs.Run", on_delete=models.PROTECT, related_name="quality_report")
    verdict = models.CharField(max_length=12, choices=Verdict)
    summary = models.CharField(max_length=300)
    counts = models.JSONField(default=dict, help_text="number of checks by status")
    required_failed = models.PositiveSmallIntegerField(default=0)
    facts = models.JSONField(default=dict, help_text="further plain results, e.g. class percentages recounted")
    made = models.DateTimeField(auto_now_add=True)
    current = models.BooleanField(default=True)

    objects = ReportQuerySet.as_manager()

    class Meta:
        ordering = ["-made", "-id"]
        indexes = [
            # Lists show current reports only. A condition, since "current" alone in a WHERE is no equality to SQLite;
            # with the product, since that of a withdrawn one is not counted.
            models.Index(
                fields=["verdict", "-made", "-id", "product"],
                condition=Q(current=True),
                name="report_current_by_verdict",
            ),
            models.Index(fields=["-made", "-id", "product"], condition=Q(current=True), name="report_current_by_time"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["product"], condition=Q(current=True), name="report_current_once")
        ]

    def __str__(self) -> str:
        return f"{self.verdict} {self.product_id}"

    def get_absolute_url(self) -> str:
        return reverse("qc:report", kwargs={"name": self.product.name})


class CheckResult(models.Model):
    report = models.ForeignKey(QualityReport, on_delete=models.CASCADE, related_name="checks")
    order = models.PositiveSmallIntegerField()
    check_id = models.CharField(max_length=60)
    title = models.CharField(max_length=160)
    group = models.CharField(max_length=12)
    required = models.BooleanField()
    status = models.CharField(max_length=12, choices=CheckStatus)
    expected = models.TextField(blank=True)
    measured = models.TextField(blank=True)
    message = models.TextField(blank=True)
    where = models.CharField(max_length=300, blank=True)
    reference = models.CharField(max_length=200, blank=True)
    details = models.JSONField(default=dict)

    class Meta:
        ordering = ["report", "order"]
        # With the report in it, the reports in which a check failed are found without looking at the checks.
        indexes = [models.Index(fields=["check_id", "status", "report"], name="check_by_status")]

    def __str__(self) -> str:
        return f"{self.check_id} {self.status}"


class OlqcReport(models.Model):
    """One on-line quality control report of the ground segment, as it was written."""

    report = models.ForeignKey(QualityReport, on_delete=models.CASCADE, related_name="olqc_reports")
    name = models.CharField(max_length=40)
    scope = models.CharField(max_length=12, help_text="datastrip, granule or product")
    item = models.CharField(max_length=160, blank=True)
    path = models.CharField(max_length=400, blank=True)
    status = models.CharField(max_length=12)
    version = models.CharField(max_length=20, blank=True)
    checklist = models.CharField(max_length=60, blank=True)
    parent = models.CharField(max_length=120, blank=True, help_text="the checklists' GIPP (GIP_OLQCPA)")
    date = models.DateTimeField(null=True)
    readable = models.BooleanField(default=True)
    schema_valid = models.BooleanField(null=True)
    problem = models.TextField(blank=True)

    class Meta:
        ordering = ["report", "scope", "item", "name"]

    def __str__(self) -> str:
        return f"{self.scope} {self.name}: {self.status}"


class OlqcCheck(models.Model):
    olqc_report = models.ForeignKey(OlqcReport, on_delete=models.CASCADE, related_name="checks")
    order = models.PositiveSmallIntegerField()
    check_id = models.CharField(max_length=120)
    name = models.CharField(max_length=200, blank=True)
    status = models.CharField(max_length=20, blank=True)
    processing_status = models.CharField(max_length=20, blank=True)
    item = models.CharField(max_length=200, blank=True)
    message = models.TextField(blank=True)
    values = models.JSONField(default=dict)

    class Meta:
        ordering = ["olqc_report", "order"]

    def __str__(self) -> str:
        return f"{self.check_id} {self.status}"


class BandStatistics(models.Model):
    """Exact statistics of one band of one tile. The arrays of ``by_detector`` run over ``detectors``."""

    report = models.ForeignKey(QualityReport, on_delete=models.CASCADE, related_name="band_statistics")
    product = models.ForeignKey("products.Product", on_delete=models.PROTECT, related_name="band_statistics")
    tile = models.CharField(max_length=5, blank=True)
    band = models.CharField(max_length=4)
    resolution = models.PositiveSmallIntegerField(help_text="m")
    order = models.PositiveSmallIntegerField(default=0)
    offset = models.FloatField(null=True, help_text="counts, as the product declares")
    quantification = models.FloatField(null=True, help_text="counts per unit reflectance (or per unit of the map)")
    scaled_unit = models.CharField(
        max_length=20, default="reflectance", help_text="what (DN + offset) / quantification is"
    )
    detectors = models.JSONField(help_text='["05", "06", null]; null is the whole band')
    by_detector = models.JSONField(
        help_text="arrays over detectors: count, nodata, saturated, min, max, mean, std, p1 …"
    )
    histogram = models.JSONField(default=dict, help_text="start, width (counts) and counts per bin")

    class Meta:
        ordering = ["report", "tile", "order", "resolution"]
        verbose_name_plural = "band statistics"
        constraints = [
            models.UniqueConstraint(fields=["report", "tile", "band", "resolution"], name="statistics_once_a_band")
        ]

    def __str__(self) -> str:
        return f"{self.product_id} {self.band}"
