from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # the index is built beside whatever writes exclusions

    dependencies = [
        ("arena", "0037_cooldown_of_new_guests"),
    ]

    operations = [
        migrations.CreateModel(
            name="Operations",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
            ],
            options={
                "verbose_name": "how the site runs",
                "verbose_name_plural": "how the site runs",
                "managed": False,
                "default_permissions": ("view",),
            },
        ),
        AddIndexConcurrently(
            model_name="exclusion",
            index=models.Index(fields=["created_at"], name="exclusion_by_day"),
        ),
    ]
