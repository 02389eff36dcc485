import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("arena", "0024_basque_check"),
        ("inference", "0005_licences_of_answers"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="battle",
            name="battle_of_a_prompt_set_has_its_prompt",
        ),
        migrations.RemoveConstraint(
            model_name="battle",
            name="battle_shown_again_has_an_origin",
        ),
        migrations.AddField(
            model_name="battle",
            name="twin",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="arena.battle",
                verbose_name="first pair of the same answers to a prompt",
            ),
        ),
        migrations.AddField(
            model_name="prompt",
            name="hidden_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="promptset",
            name="system_prompt",
            field=models.TextField(blank=True, editable=False),
        ),
        migrations.AddConstraint(
            model_name="battle",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("prompt__isnull", False), ("source", "prompt_set")),
                    models.Q(
                        models.Q(("source", "prompt_set"), _negated=True),
                        ("prompt__isnull", True),
                        ("twin__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="battle_of_a_prompt_set_has_its_prompt",
            ),
        ),
        migrations.AddConstraint(
            model_name="battle",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("origin__isnull", False), ("source", "rejudged")),
                    models.Q(("origin__isnull", True), ("source__in", ["live", "prompt_set"])),
                    _connector="OR",
                ),
                name="battle_shown_again_has_an_origin",
            ),
        ),
    ]
