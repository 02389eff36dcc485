import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("arena", "0016_contributors_and_texts_of_campaigns"),
        ("inference", "0005_licences_of_answers"),
    ]

    operations = [
        migrations.AddField(
            model_name="battle",
            name="origin",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="copies",
                to="arena.battle",
                verbose_name="battle that is shown again",
            ),
        ),
        migrations.AddField(
            model_name="battle",
            name="source",
            field=models.CharField(
                choices=[("live", "live"), ("rejudged", "rejudged")],
                default="live",
                max_length=10,
                verbose_name="where its answers come from",
            ),
        ),
        migrations.AddConstraint(
            model_name="battle",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("origin__isnull", True), ("source", "live")),
                    models.Q(("origin__isnull", False), ("source", "rejudged")),
                    _connector="OR",
                ),
                name="battle_shown_again_has_an_origin",
            ),
        ),
    ]
