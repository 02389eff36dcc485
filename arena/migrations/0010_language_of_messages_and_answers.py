from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("arena", "0009_coming_in_and_leaving"),
    ]

    operations = [
        migrations.AddField(
            model_name="answer",
            name="basque_share",
            field=models.FloatField(blank=True, null=True, verbose_name="share of Basque"),
        ),
        migrations.AddField(
            model_name="answer",
            name="language",
            field=models.CharField(
                blank=True,
                choices=[("eu", "eu"), ("es", "es"), ("en", "en"), ("fr", "fr"), ("und", "und")],
                max_length=3,
                verbose_name="language",
            ),
        ),
        migrations.AddField(
            model_name="turn",
            name="basque_share",
            field=models.FloatField(blank=True, null=True, verbose_name="share of Basque"),
        ),
        migrations.AddField(
            model_name="turn",
            name="language",
            field=models.CharField(
                blank=True,
                choices=[("eu", "eu"), ("es", "es"), ("en", "en"), ("fr", "fr"), ("und", "und")],
                max_length=3,
                verbose_name="language",
            ),
        ),
        migrations.AddIndex(
            model_name="answer",
            index=models.Index(
                condition=models.Q(("language", ""), ("status", "complete")),
                fields=["finished_at"],
                name="answer_unmeasured",
            ),
        ),
        migrations.AddIndex(
            model_name="turn",
            index=models.Index(
                condition=models.Q(("language", "")), fields=["created_at"], name="turn_unmeasured"
            ),
        ),
        migrations.AddConstraint(
            model_name="answer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("basque_share__isnull", True), ("language__in", ["", "und"])),
                    models.Q(
                        ("basque_share__gte", 0),
                        ("basque_share__isnull", False),
                        ("basque_share__lte", 1),
                        ("language__in", ("eu", "es", "en", "fr")),
                    ),
                    _connector="OR",
                ),
                name="answer_language_and_share_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="turn",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("basque_share__isnull", True), ("language__in", ["", "und"])),
                    models.Q(
                        ("basque_share__gte", 0),
                        ("basque_share__isnull", False),
                        ("basque_share__lte", 1),
                        ("language__in", ("eu", "es", "en", "fr")),
                    ),
                    _connector="OR",
                ),
                name="turn_language_and_share_known",
            ),
        ),
    ]
