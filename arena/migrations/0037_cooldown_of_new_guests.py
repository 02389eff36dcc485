from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def make_row(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("arena", "Cooldown").objects.create(pk=1)


class Migration(migrations.Migration):
    dependencies = [("arena", "0036_downloads_and_imports")]

    operations = [
        migrations.CreateModel(
            name="Cooldown",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "mode",
                    models.CharField(
                        choices=[("auto", "when more come than is usual"), ("on", "now"), ("off", "never")],
                        default="auto",
                        max_length=4,
                        verbose_name="new guests wait",
                    ),
                ),
            ],
            options={
                "verbose_name": "cool-down of new guests",
                "verbose_name_plural": "cool-down of new guests",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("pk", 1)), name="cooldown_once"),
                    models.CheckConstraint(
                        condition=models.Q(("mode__in", ["auto", "on", "off"])), name="cooldown_mode_known"
                    ),
                ],
            },
        ),
        migrations.RunPython(make_row, migrations.RunPython.noop, elidable=False),
    ]
