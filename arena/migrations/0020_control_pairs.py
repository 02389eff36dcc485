import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("arena", "0019_moderation_of_battles_and_volunteers"),
        ("inference", "0005_licences_of_answers"),
        ("ranking", "0005_reports_of_snapshots"),
    ]

    operations = [
        migrations.CreateModel(
            name="Control",
            fields=[
                (
                    "battle",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="control",
                        serialize=False,
                        to="arena.battle",
                        verbose_name="battle",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("identical", "identical"),
                            ("corrupted", "corrupted"),
                            ("known_bad", "known_bad"),
                        ],
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                (
                    "worse",
                    models.CharField(
                        blank=True, choices=[("A", "A"), ("B", "B")], max_length=1, verbose_name="worse side"
                    ),
                ),
            ],
            options={
                "verbose_name": "control pair",
                "verbose_name_plural": "control pairs",
            },
        ),
        migrations.AddField(
            model_name="campaign",
            name="control_rate",
            field=models.FloatField(
                default=0.05,
                help_text="Of the pairs given to judge, from 0 to 0.5; the terms say that there are some, never which.",
                verbose_name="share of control pairs",
            ),
        ),
        migrations.AddField(
            model_name="campaign",
            name="known_bad",
            field=models.ManyToManyField(
                blank=True,
                help_text="Pairs with one of them may be control pairs.",
                related_name="+",
                to="inference.candidate",
                verbose_name="candidates known to be bad",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(("control_rate__gte", 0), ("control_rate__lte", 0.5)),
                name="campaign_control_rate_is_a_share",
            ),
        ),
        migrations.AddConstraint(
            model_name="control",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "identical"), ("worse", "")),
                    models.Q(("kind__in", ["corrupted", "known_bad"]), ("worse__in", ["A", "B"])),
                    _connector="OR",
                ),
                name="control_names_the_worse_side",
            ),
        ),
    ]
