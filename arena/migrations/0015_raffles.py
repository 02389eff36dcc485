import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import django.utils.timezone
from django.db import migrations, models

# what was promised is kept, and what was drawn is history: nobody rewrites it, not even by hand
FORBID = """
CREATE FUNCTION arena_draw_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.drawn_at IS NOT NULL
        OR (NEW.campaign_id, NEW.prizes, NEW.algorithm, NEW.seed, NEW.commitment, NEW.committed_at)
            IS DISTINCT FROM (OLD.campaign_id, OLD.prizes, OLD.algorithm, OLD.seed, OLD.commitment, OLD.committed_at)
    THEN RAISE EXCEPTION 'a raffle is never changed' USING ERRCODE = 'restrict_violation'; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER draw_is_final BEFORE UPDATE OR DELETE ON arena_draw FOR EACH ROW EXECUTE FUNCTION arena_draw_is_final();
CREATE FUNCTION arena_tickets_are_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' OR (SELECT drawn_at FROM arena_draw WHERE id = NEW.draw_id) IS NOT NULL
    THEN RAISE EXCEPTION 'the tickets of a draw are never changed' USING ERRCODE = 'restrict_violation'; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER tickets_are_frozen BEFORE INSERT OR UPDATE OR DELETE ON arena_ticketholder
    FOR EACH ROW EXECUTE FUNCTION arena_tickets_are_frozen();
"""
ALLOW = """
DROP TRIGGER tickets_are_frozen ON arena_ticketholder;
DROP FUNCTION arena_tickets_are_frozen();
DROP TRIGGER draw_is_final ON arena_draw;
DROP FUNCTION arena_draw_is_final();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("arena", "0014_campaigns_with_dates_and_texts"),
    ]

    operations = [
        migrations.CreateModel(
            name="Draw",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "prizes",
                    models.PositiveSmallIntegerField(
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="number of prizes",
                    ),
                ),
                ("algorithm", models.CharField(default="lowest-sha256-1", editable=False, max_length=32)),
                ("seed", models.CharField(editable=False, max_length=64)),
                (
                    "commitment",
                    models.CharField(editable=False, max_length=64, verbose_name="SHA-256 of the seed"),
                ),
                (
                    "committed_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="committed"
                    ),
                ),
                ("drawn_at", models.DateTimeField(editable=False, null=True, verbose_name="drawn")),
                (
                    "campaign",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="draw",
                        to="arena.campaign",
                        verbose_name="campaign",
                    ),
                ),
            ],
            options={
                "verbose_name": "draw",
                "verbose_name_plural": "draws",
            },
        ),
        migrations.CreateModel(
            name="TicketHolder",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("position", models.PositiveIntegerField(verbose_name="order")),
                ("pseudonym", models.CharField(max_length=16, verbose_name="pseudonym")),
                ("credited", models.PositiveIntegerField(verbose_name="credited votes")),
                ("tickets", models.PositiveIntegerField(verbose_name="tickets")),
                ("place", models.PositiveSmallIntegerField(null=True, verbose_name="place")),
                ("ticket", models.PositiveIntegerField(null=True, verbose_name="winning ticket")),
                (
                    "draw",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="holders",
                        to="arena.draw",
                        verbose_name="draw",
                    ),
                ),
                (
                    "participant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="held_tickets",
                        to="arena.participant",
                        verbose_name="participant",
                    ),
                ),
            ],
            options={
                "verbose_name": "holder of tickets",
                "verbose_name_plural": "holders of tickets",
                "ordering": ["draw", "position"],
            },
        ),
        migrations.AddConstraint(
            model_name="draw",
            constraint=models.CheckConstraint(condition=models.Q(("prizes__gte", 1)), name="draw_has_prizes"),
        ),
        migrations.AddConstraint(
            model_name="ticketholder",
            constraint=models.UniqueConstraint(
                fields=("draw", "participant"), name="tickets_once_a_participant"
            ),
        ),
        migrations.AddConstraint(
            model_name="ticketholder",
            constraint=models.UniqueConstraint(fields=("draw", "pseudonym"), name="tickets_once_a_pseudonym"),
        ),
        migrations.AddConstraint(
            model_name="ticketholder",
            constraint=models.UniqueConstraint(fields=("draw", "position"), name="tickets_once_a_position"),
        ),
        migrations.AddConstraint(
            model_name="ticketholder",
            constraint=models.UniqueConstraint(fields=("draw", "place"), name="tickets_one_a_place"),
        ),
        migrations.AddConstraint(
            model_name="ticketholder",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("tickets__gte", 1),
                    (
                        "credited__gte",
                        django.db.models.expressions.CombinedExpression(
                            models.F("tickets"), "*", models.Value(10)
                        ),
                    ),
                    (
                        "credited__lt",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.expressions.CombinedExpression(
                                models.F("tickets"), "*", models.Value(10)
                            ),
                            "+",
                            models.Value(10),
                        ),
                    ),
                ),
                name="tickets_are_tens_of_credits",
            ),
        ),
        migrations.AddConstraint(
            model_name="ticketholder",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("place__isnull", True), ("ticket__isnull", True)),
                    models.Q(("place__gte", 1), ("ticket__gte", 1), ("ticket__lte", models.F("tickets"))),
                    _connector="OR",
                ),
                name="tickets_winner_has_a_ticket",
            ),
        ),
        migrations.RunSQL(FORBID, ALLOW),
    ]
