"""An index by which a worker of several queues finds the best run."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("runs", "0004_indexes_of_lists")]

    operations = [
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                condition=models.Q(("state", "queued")), fields=["-priority", "id"], name="run_claim_any"
            ),
        ),
    ]
