"""What a metric must be, by which document, since when; and whether it is."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.urls import reverse
from simple_history.models import HistoricalRecords

from mpc.monitoring.models.metrics import Metric, Series


class Statistic(models.TextChoices):
    """Which number of the values of a window the requirement speaks of."""

    EACH = "each", "each value"
    MEAN = "mean", "mean"
    MEDIAN = "median", "median"
    P90 = "p90", "90 % of the values"
    P95 = "p95", "95 % of the values"
    P9545 = "p9545", "95.45 % of the values"
    P9973 = "p9973", "99.73 % of the values"
    CE90 = "ce90", "circular error 90 %"
    CE95 = "ce95", "circular error 95 %"
    MAXIMUM = "max", "maximum"
    TREND = "trend", "change a year"


class Requirement(models.Model):
    """One requirement on a metric. Its limits stand by band and unit in ``RequirementLimit``."""

    code = models.CharField(max_length=60, unique=True)
    title = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    metric = models.ForeignKey(Metric, on_delete=models.PROTECT, related_name="requirements")
    statistic = models.CharField(max_length=6, choices=Statistic, default=Statistic.MEAN)
    absolute = models.BooleanField(default=False, help_text="judged is the absolute value")
    level = models.CharField(max_length=4, blank=True, help_text="of products; empty for any")
    window_days = models.PositiveIntegerField(default=90, help_text="how much of the past is judged")
    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True)
    document = models.CharField(max_length=200, help_text="source document")
    section = models.CharField(max_length=80, blank=True)
    verified = models.BooleanField(default=False, help_text="the value was seen in the source document")
    note = models.TextField(blank=True)
    from_table = models.BooleanField(default=False, help_text="loaded from the centre's own table")
    edited = models.BooleanField(default=False, help_text="a person changed it: the table no longer overwrites it")
    history = HistoricalRecords()

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("monitoring:requirement", kwargs={"code": self.code})


class RequirementLimit(models.Model):
    """The limits of one requirement, for one band and unit or for all (empty). ``low`` and ``high`` are what must be
    kept (threshold), ``goal_low`` and ``goal_high`` what is aimed at; null means no limit on that side."""

    requirement = models.ForeignKey(Requirement, on_delete=models.CASCADE, related_name="limits")
    unit = models.CharField(max_length=3, blank=True)
    band = models.CharField(max_length=3, blank=True)
    low = models.FloatField(null=True, blank=True)
    high = models.FloatField(null=True, blank=True)
    goal_low = models.FloatField(null=True, blank=True)
    goal_high = models.FloatField(null=True, blank=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ["requirement", "unit", "band"]
        constraints = [
            models.UniqueConstraint(fields=["requirement", "unit", "band"], name="limit_once"),
            models.CheckConstraint(
                condition=models.Q(low__isnull=False)
                | models.Q(high__isnull=False)
                | models.Q(goal_low__isnull=False)
                | models.Q(goal_high__isnull=False),
                name="limit_says_something",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.requirement_id} {self.unit} {self.band}".strip()


class Compliance(models.Model):
    """One cell of the compliance matrix: a requirement, a unit, a band; reckoned anew when its series change."""

    class State(models.TextChoices):
        MET = "met", "met"
        AT_RISK = "at_risk", "at risk"
        BREACHED = "breached", "not met"
        WAIVED = "waived", "waived"
        UNDECIDED = "undecided", "within its uncertainty of the limit"
        TOO_FEW = "too_few", "too little data"
        NOT_MEASURED = "not_measured", "not measured"

    requirement = models.ForeignKey(Requirement, on_delete=models.CASCADE, related_name="cells")
    unit = models.CharField(max_length=3)
    band = models.CharField(max_length=3, blank=True)
    state = models.CharField(max_length=12, choices=State)
    why = models.CharField(max_length=300, blank=True, help_text="in words, for people")
    value = models.FloatField(null=True)
    uncertainty = models.FloatField(null=True, help_text="one standard uncertainty (k = 1)")
    count = models.IntegerField(default=0, help_text="values in the window")
    margin = models.FloatField(null=True, help_text="distance to the nearest limit; negative when outside")
    goal_met = models.BooleanField(null=True)
    slope = models.FloatField(null=True, help_text="change a year")
    slope_low = models.FloatField(null=True, help_text="lower end of its 95 % interval")
    slope_high = models.FloatField(null=True)
    breach_on = models.DateField(null=True, help_text="when the drift crosses the limit, if it is significant")
    breach_from = models.DateField(null=True, help_text="earliest of the 95 % interval")
    breach_to = models.DateField(null=True, help_text="latest of the 95 % interval; null with breach_on: open")
    days_left = models.IntegerField(null=True)
    first_time = models.DateTimeField(null=True)
    last_time = models.DateTimeField(null=True)
    waiver = models.ForeignKey("Waiver", null=True, on_delete=models.SET_NULL, related_name="cells")
    computed_at = models.DateTimeField()

    class Meta:
        ordering = ["requirement", "unit", "band"]
        constraints = [models.UniqueConstraint(fields=["requirement", "unit", "band"], name="compliance_once")]
        indexes = [models.Index(fields=["state"], name="compliance_by_state")]

    def __str__(self) -> str:
        return f"{self.requirement_id} {self.unit} {self.band}".strip()


class Waiver(models.Model):
    """A known limit of the data ("known issue"): it excuses breaches of what it names until a day. Empty: any."""

    title = models.CharField(max_length=150)
    reason = models.TextField()
    requirement = models.ForeignKey(
        Requirement, null=True, blank=True, on_delete=models.PROTECT, related_name="waivers"
    )
    metric = models.ForeignKey(Metric, null=True, blank=True, on_delete=models.PROTECT, related_name="waivers")
    unit = models.CharField(max_length=3, blank=True)
    band = models.CharField(max_length=3, blank=True)
    detector = models.CharField(max_length=2, blank=True)
    valid_from = models.DateField()
    valid_to = models.DateField(help_text="last day on which it excuses")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ["-valid_to", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(requirement__isnull=False) | models.Q(metric__isnull=False),
                name="waiver_names_something",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("monitoring:waiver", kwargs={"pk": self.pk})

    def concerns(self, series: Series) -> bool:
        """Whether what is measured by this series is excused, as far as its parts tell."""
        return (
            (self.metric_id is None or self.metric_id == series.metric_id)
            and self.unit in ("", series.unit)
            and self.band in ("", series.band)
            and self.detector in ("", series.detector)
        )
