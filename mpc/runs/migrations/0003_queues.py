"""Queues with a state of their own, the deployed software, and what workers say of themselves."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("runs", "0002_worker_refuses"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Deployment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("version", models.CharField(max_length=40)),
                ("commit", models.CharField(blank=True, max_length=40)),
                ("at", models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name="worker",
            name="load",
            field=models.FloatField(help_text="processes at work on its machine, mean of a minute", null=True),
        ),
        migrations.AddField(
            model_name="worker",
            name="processors",
            field=models.PositiveSmallIntegerField(null=True),
        ),
        migrations.CreateModel(
            name="QueueState",
            fields=[
                ("name", models.CharField(max_length=40, primary_key=True, serialize=False)),
                (
                    "limit",
                    models.PositiveSmallIntegerField(
                        blank=True, help_text="how many of its runs may run at once", null=True
                    ),
                ),
                (
                    "per_product",
                    models.PositiveSmallIntegerField(
                        blank=True, help_text="how many of its runs may run at once on one product", null=True
                    ),
                ),
                ("paused_at", models.DateTimeField(null=True)),
                ("pause_reason", models.CharField(blank=True, max_length=300)),
                (
                    "paused_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"ordering": ["name"]},
        ),
    ]
