from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ranking", "0003_snapshots_say_how_they_were_made")]

    operations = [
        migrations.CreateModel(
            name="BenchmarkScore",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("language", models.CharField(max_length=8)),
                ("benchmark", models.CharField(max_length=120)),
                ("model", models.CharField(max_length=120)),
                ("score", models.FloatField()),
            ],
            options={
                "verbose_name": "benchmark score",
                "verbose_name_plural": "benchmark scores",
                "constraints": [
                    models.UniqueConstraint(
                        fields=["language", "benchmark", "model"], name="benchmark_score_once"
                    ),
                    models.CheckConstraint(
                        name="benchmark_score_in_per_cent", condition=models.Q(score__gte=0, score__lte=100)
                    ),
                ],
            },
        ),
    ]
