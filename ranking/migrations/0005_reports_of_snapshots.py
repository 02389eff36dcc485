import uuid

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

# what stands on a published board is as final as the board; the function is that of 0003
FORBID = """
CREATE TRIGGER snapshot_report_is_final BEFORE UPDATE OR DELETE ON ranking_snapshotreport
FOR EACH ROW EXECUTE FUNCTION ranking_snapshot_is_final();
"""
ALLOW = "DROP TRIGGER snapshot_report_is_final ON ranking_snapshotreport;"


class Migration(migrations.Migration):
    dependencies = [
        ("ranking", "0004_benchmark_scores"),
    ]

    operations = [
        migrations.CreateModel(
            name="SnapshotReport",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("report", models.CharField(max_length=20)),
                ("part", models.CharField(blank=True, max_length=20)),
                ("payload", models.JSONField(null=True)),
                ("failure", models.CharField(blank=True, max_length=60)),
                ("code_version", models.CharField(max_length=60)),
                ("checksum", models.CharField(max_length=64)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "snapshot",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reports",
                        to="ranking.snapshot",
                    ),
                ),
            ],
            options={
                "verbose_name": "published report",
                "verbose_name_plural": "published reports",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("snapshot", "report", "part"), name="snapshot_report_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("failure", ""), ("payload__isnull", False)),
                            models.Q(("payload__isnull", True), models.Q(("failure", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="snapshot_report_is_there_or_says_why_not",
                    ),
                ],
            },
        ),
        migrations.RunSQL(FORBID, ALLOW),
    ]
