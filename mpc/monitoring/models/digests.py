"""The daily digest: proof that somebody looked."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.urls import reverse


class Digest(models.Model):
    """What ran on a UTC day, on how many products, what was found, what had too little data, what did not run."""

    day = models.DateField(unique=True)
    content = models.JSONField(default=dict, help_text="sections, as mpc.monitoring.digests.content has them")
    heads = models.JSONField(default=dict, help_text="sign and summary of each section by its key, for lists")
    made_at = models.DateTimeField()
    mailed_at = models.DateTimeField(null=True, help_text="when the last of those who want it had it")

    class Meta:
        ordering = ["-day"]

    def __str__(self) -> str:
        return f"digest of {self.day:%Y-%m-%d}"

    def get_absolute_url(self) -> str:
        return reverse("monitoring:digest", kwargs={"day": self.day.isoformat()})


class DigestMail(models.Model):
    """One letter with a digest to one person. The row is made before the letter goes, so that it goes once."""

    digest = models.ForeignKey(Digest, on_delete=models.CASCADE, related_name="letters")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    begun_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["digest", "id"]
        constraints = [models.UniqueConstraint(fields=["digest", "user"], name="digest_mail_once")]

    def __str__(self) -> str:
        return f"digest {self.digest_id} to {self.user_id}"
