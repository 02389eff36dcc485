from __future__ import annotations

from typing import Any

import django.utils.timezone
from django.db import migrations, models

TIES = [("half", "half"), ("rao-kupper", "rao-kupper"), ("drop", "drop")]
CRITERIA = ["overall", "content", "language"]

# a published board is history: nobody rewrites it, not even by hand
FORBID = """
CREATE FUNCTION ranking_snapshot_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'a published board is never changed' USING ERRCODE = 'restrict_violation'; END $$;
CREATE TRIGGER snapshot_is_final BEFORE UPDATE OR DELETE ON ranking_snapshot
FOR EACH ROW EXECUTE FUNCTION ranking_snapshot_is_final();
"""
ALLOW = """
DROP TRIGGER snapshot_is_final ON ranking_snapshot;
DROP FUNCTION ranking_snapshot_is_final();
"""


def added(name: str, field: models.Field[Any, Any]) -> migrations.AddField:
    """A column whose default, for boards published before, does not stay in the model."""
    return migrations.AddField("snapshot", name, field, preserve_default=False)


class Migration(migrations.Migration):
    dependencies = [("ranking", "0002_labels")]

    operations = [
        migrations.AddField(
            "snapshot",
            "slice",
            models.CharField(blank=True, max_length=80, default=""),
            preserve_default=False,
        ),
        added("ties", models.CharField(choices=TIES, default="half", max_length=12)),
        added("filters", models.CharField(default="none", max_length=200)),
        added("cluster", models.CharField(default="none", max_length=40)),
        migrations.AddField("snapshot", "cap", models.PositiveSmallIntegerField(null=True)),
        added("cut_at", models.DateTimeField(default=django.utils.timezone.now)),
        added("code_version", models.CharField(default="0", max_length=60)),
        added("tally_checksum", models.CharField(default="", max_length=64)),
        added("n_excluded", models.PositiveBigIntegerField(default=0)),
        added("covariance", models.JSONField(default=dict)),
        added("checksum", models.CharField(default="", max_length=64)),
        migrations.AddConstraint(
            "snapshot",
            models.CheckConstraint(
                name="snapshot_criterion_known", condition=models.Q(criterion__in=CRITERIA)
            ),
        ),
        migrations.AddConstraint(
            "snapshot",
            models.CheckConstraint(
                name="snapshot_ties_known", condition=models.Q(ties__in=[value for value, _ in TIES])
            ),
        ),
        migrations.RunSQL(FORBID, ALLOW),
    ]
