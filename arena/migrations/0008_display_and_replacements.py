import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("arena", "0007_training_runs_for_the_admin"),
        ("inference", "0003_gateway_limits_and_traffic"),
        ("ranking", "0005_reports_of_snapshots"),
    ]

    operations = [
        migrations.CreateModel(
            name="Replacement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "side",
                    models.CharField(choices=[("A", "A"), ("B", "B")], max_length=1, verbose_name="side"),
                ),
                ("error_code", models.CharField(max_length=20, verbose_name="error")),
                ("policy", models.CharField(max_length=32, verbose_name="sampling policy")),
                ("propensity", models.FloatField(verbose_name="probability of the draw")),
                ("draw_seed", models.BigIntegerField(verbose_name="seed of the draw")),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="at"
                    ),
                ),
            ],
            options={
                "verbose_name": "replacement",
                "verbose_name_plural": "replacements",
                "ordering": ["created_at"],
            },
        ),
        migrations.AddField(
            model_name="answer",
            name="queued_ms",
            field=models.PositiveIntegerField(blank=True, null=True, verbose_name="in the queue (ms)"),
        ),
        migrations.AddField(
            model_name="answer",
            name="reasoning",
            field=models.TextField(blank=True, verbose_name="reasoning"),
        ),
        # battles before this one were shown as they came
        migrations.AddField(
            model_name="battle",
            name="display",
            field=models.CharField(
                choices=[("paced", "paced"), ("unpaced", "unpaced")],
                default="unpaced",
                max_length=8,
                verbose_name="display of the answers",
            ),
        ),
        migrations.AlterField(
            model_name="battle",
            name="display",
            field=models.CharField(
                choices=[("paced", "paced"), ("unpaced", "unpaced")],
                default="paced",
                max_length=8,
                verbose_name="display of the answers",
            ),
        ),
        migrations.AddField(
            model_name="campaign",
            name="display",
            field=models.CharField(
                choices=[("paced", "paced"), ("unpaced", "as they come")],
                default="paced",
                help_text="Paced: both sides begin together and appear at the slower side's speed.",
                max_length=8,
                verbose_name="display of the answers",
            ),
        ),
        migrations.AddField(
            model_name="campaign",
            name="tokens_per_day",
            field=models.PositiveIntegerField(
                default=200000,
                help_text="Of both answers together; what goes beyond is refused until tomorrow.",
                verbose_name="most tokens of a volunteer in a day",
            ),
        ),
        migrations.AddField(
            model_name="participant",
            name="display",
            field=models.CharField(
                blank=True,
                choices=[("paced", "paced"), ("unpaced", "unpaced")],
                help_text="What this volunteer prefers; empty follows the campaign.",
                max_length=8,
                verbose_name="display of the answers",
            ),
        ),
        migrations.AlterField(
            model_name="answer",
            name="finish_reason",
            field=models.CharField(
                blank=True,
                choices=[
                    ("stop", "stop"),
                    ("length", "length"),
                    ("stopped", "stopped"),
                    ("loop", "loop"),
                    ("other", "other"),
                ],
                max_length=12,
                verbose_name="reason of the end",
            ),
        ),
        migrations.AddConstraint(
            model_name="battle",
            constraint=models.CheckConstraint(
                condition=models.Q(("display__in", ["paced", "unpaced"])), name="battle_display_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(("display__in", ["paced", "unpaced"])), name="campaign_display_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="participant",
            constraint=models.CheckConstraint(
                condition=models.Q(("display__in", ["", "paced", "unpaced"])),
                name="participant_display_known",
            ),
        ),
        migrations.AddField(
            model_name="replacement",
            name="battle",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="replacements",
                to="arena.battle",
                verbose_name="battle",
            ),
        ),
        migrations.AddField(
            model_name="replacement",
            name="candidate",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="inference.candidate",
                verbose_name="candidate replaced",
            ),
        ),
        migrations.AddField(
            model_name="replacement",
            name="endpoint",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="inference.modelendpoint",
                verbose_name="endpoint",
            ),
        ),
        migrations.AddConstraint(
            model_name="replacement",
            constraint=models.CheckConstraint(
                condition=models.Q(("side__in", ["A", "B"])), name="replacement_side_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="replacement",
            constraint=models.CheckConstraint(
                condition=models.Q(("propensity__gt", 0), ("propensity__lte", 1)),
                name="replacement_propensity_is_probability",
            ),
        ),
    ]
