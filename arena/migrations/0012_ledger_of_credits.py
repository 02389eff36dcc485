import django.db.models.deletion
import django.db.models.expressions
import django.utils.timezone
from django.db import migrations, models

NEVER_CHANGED = """
CREATE FUNCTION arena_credit_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a row of the ledger of credits is never changed or deleted' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER credit_never_changed BEFORE UPDATE OF vote_id, campaign_id, step, amount, created_at OR DELETE ON arena_credit
    FOR EACH ROW EXECUTE FUNCTION arena_credit_is_final();
"""
CHANGED_AGAIN = "DROP TRIGGER credit_never_changed ON arena_credit; DROP FUNCTION arena_credit_is_final();"
CARRY_OVER = """
INSERT INTO arena_credit (vote_id, participant_id, campaign_id, step, amount, created_at)
SELECT vote.id, vote.participant_id, battle.campaign_id, 1, 1, vote.created_at
FROM arena_vote vote JOIN arena_battle battle ON battle.id = vote.battle_id WHERE vote.credited;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("arena", "0011_votes_moderated_and_judged_apart"),
    ]

    operations = [
        migrations.AddField(
            model_name="campaign",
            name="credited_a_day",
            field=models.PositiveIntegerField(
                default=60,
                help_text="Votes beyond them count as any other, but bring no tickets: haste does not pay.",
                verbose_name="most credited votes of a volunteer in a day",
            ),
        ),
        migrations.AddField(
            model_name="vote",
            name="beyond_cap",
            field=models.BooleanField(
                default=False, editable=False, verbose_name="beyond the day's credited votes"
            ),
        ),
        migrations.CreateModel(
            name="Credit",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("step", models.PositiveSmallIntegerField(verbose_name="number")),
                ("amount", models.SmallIntegerField(verbose_name="credits")),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="at"
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="arena.campaign",
                        verbose_name="campaign",
                    ),
                ),
                (
                    "participant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="credits",
                        to="arena.participant",
                        verbose_name="participant",
                    ),
                ),
                (
                    "vote",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="credits",
                        to="arena.vote",
                        verbose_name="vote",
                    ),
                ),
            ],
            options={
                "verbose_name": "credit",
                "verbose_name_plural": "credits",
                "indexes": [models.Index(fields=["campaign", "participant"], name="credit_of_participant")],
                "constraints": [
                    models.UniqueConstraint(fields=("vote", "step"), name="credit_once_per_step"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("step__gte", 1),
                            (
                                "amount",
                                django.db.models.expressions.CombinedExpression(
                                    models.Value(1),
                                    "-",
                                    django.db.models.expressions.CombinedExpression(
                                        models.Value(2),
                                        "*",
                                        django.db.models.expressions.CombinedExpression(
                                            django.db.models.expressions.CombinedExpression(
                                                models.F("step"), "+", models.Value(1)
                                            ),
                                            "%%",
                                            models.Value(2),
                                        ),
                                    ),
                                ),
                            ),
                        ),
                        name="credit_gives_and_takes_in_turn",
                    ),
                ],
            },
        ),
        migrations.RunSQL(NEVER_CHANGED, CHANGED_AGAIN),
        migrations.RunSQL(
            CARRY_OVER, migrations.RunSQL.noop
        ),  # last: a table with rows just added cannot be altered
    ]
