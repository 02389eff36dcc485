from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def move_default_campaign(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """A policy that somebody chose stays."""
    campaigns = apps.get_model("arena", "Campaign").objects
    campaigns.filter(is_default=True, sampling_policy="balanced").update(sampling_policy="balanced-2")


class Migration(migrations.Migration):
    dependencies = [("arena", "0003_labels")]

    operations = [
        migrations.AlterField(
            model_name="campaign",
            name="sampling_policy",
            field=models.CharField(default="balanced-2", max_length=32, verbose_name="sampling policy"),
        ),
        migrations.RunPython(move_default_campaign, migrations.RunPython.noop),
    ]
